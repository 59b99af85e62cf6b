"""Put an ONNX graph together, operator by operator."""

from __future__ import annotations

from typing import Any

import numpy as np

# Of ONNX's operators, and of those for trees: the lowest that hold what is used here, so that older
# runtimes load the file.
OPSET, TREES_OPSET, IR_VERSION = 18, 5, 10
TREES_DOMAIN = "ai.onnx.ml"
# Begins the names of what lies between inputs and outputs.
INNER = "~"
# Numbers of ONNX's types, as onnx.TensorProto has them.
SINGLE, INT64, BOOLEAN, DOUBLE = 1, 7, 9, 11


class NoConverterError(Exception):
    """Something in the detector cannot be written with ONNX operators; the message says what."""


class GraphBuilder:
    """Collects operators and constants; the same one twice is one.

    Values are known by their names:

    >>> graph = GraphBuilder()
    >>> graph.op("Add", "x", graph.number(1.0)) == graph.op("Add", "x", graph.number(1.0))
    True
    """

    def __init__(self, prefix: str = INNER) -> None:
        self._prefix = prefix
        self._nodes: list[Any] = []
        self._constants: dict[tuple[Any, ...], tuple[str, np.ndarray]] = {}
        self._made: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def constant(self, values: np.ndarray) -> str:
        """A constant of the array's type and shape."""
        array = np.ascontiguousarray(values)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = f"{self._prefix}constant_{len(self._constants)}"
            self._constants[key] = (name, array.reshape(np.shape(values)))
        return self._constants[key][0]

    def number(self, value: float) -> str:
        """A float64 scalar."""
        return self.constant(np.array(value, dtype=np.float64))

    def whole(self, *values: int) -> str:
        """A list of int64, as shapes, axes and positions are."""
        return self.constant(np.array(values, dtype=np.int64))

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """What an operator of one output gives.

        Attributes are those of its ONNX definition; lists are of whole numbers.
        """
        return self.ops(kind, 1, *inputs, domain=domain, **attributes)[0]

    def ops(
        self, kind: str, outputs: int, *inputs: str, domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        """What an operator of several outputs gives."""
        key = (kind, outputs, inputs, domain, _key_of(attributes))
        if key in self._made:
            return self._made[key]
        from onnx import helper

        number = len(self._nodes)
        names = tuple(f"{self._prefix}{kind}_{number}_{place}" for place in range(outputs))
        node = helper.make_node(kind, list(inputs), list(names), domain=domain)
        node.attribute.extend(_attribute(name, value) for name, value in attributes.items())
        self._nodes.append(node)
        self._made[key] = names
        return names

    def named(self, value: str, name: str) -> None:
        """Give a value the name of an output."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [value], [name]))

    def graph(self, name: str, inputs: list[Any], outputs: list[Any]) -> Any:
        """The ``GraphProto`` of everything so far; inputs and outputs are ``ValueInfoProto``."""
        from onnx import helper, numpy_helper

        stored = [numpy_helper.from_array(array, name) for name, array in self._constants.values()]
        return helper.make_graph(self._nodes, name, inputs, outputs, stored)

    # What is made of several operators, and used in more than one place.

    def sum_of_products(self, values: str, weights: np.ndarray, offset: float) -> str:
        """(n, k) values, (k,) weights and an offset to an (n, 1) sum."""
        product = self.op("MatMul", values, self.constant(weights.astype(np.float64)[:, None]))
        return self.op("Add", product, self.number(offset))

    def exact(self, values: str) -> str:
        """The same in double precision."""
        return self.op("Cast", values, to=DOUBLE)

    def side_by_side(self, parts: list[str]) -> str:
        """(n, k) values of each part next to each other."""
        return parts[0] if len(parts) == 1 else self.op("Concat", *parts, axis=1)

    def clipped(self, values: str, low: float, high: float) -> str:
        """Values within limits."""
        return self.op("Clip", values, self.number(low), self.number(high))

    def columns(self, values: str, places: np.ndarray) -> str:
        """(n, k) the columns at the given positions."""
        return self.op("Gather", values, self.whole(*map(int, places)), axis=1)

    def first_columns(self, values: str, count: int, of: int) -> str:
        """(n, count) the first of so many columns."""
        if count == of:
            return values
        return self.columns(values, np.arange(count))

    def like(self, constant: float, values: str) -> str:
        """(n, 1) one number for each row of (n, k) values."""
        rows = self.op("Shape", values, start=0, end=1)
        shape = self.op("Concat", rows, self.whole(1), axis=0)
        return self.op("Expand", self.number(constant), shape)


def _attribute(name: str, value: Any) -> Any:
    """An attribute of a node; long lists of whole numbers without a look at each of them."""
    from onnx import AttributeProto, helper

    if isinstance(value, list):
        return AttributeProto(name=name, type=AttributeProto.INTS, ints=value)
    return helper.make_attribute(name, value)


def _key_of(attributes: dict[str, Any]) -> tuple[Any, ...]:
    """What tells two operators of one kind apart; subgraphs and tensors are never the same."""
    return tuple((name, _comparable(value)) for name, value in sorted(attributes.items()))


def _comparable(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, (int, float, str)) else object()


def value_info(name: str, kind: int, shape: tuple[int | str | None, ...]) -> Any:
    """What goes into a graph or comes out of it: a name, a type and a shape."""
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, shape)


def matrix(name: str) -> Any:
    """A float64 matrix of any size."""
    return value_info(name, DOUBLE, (None, None))
