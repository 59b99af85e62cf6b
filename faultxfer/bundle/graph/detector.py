"""A bundle as one ONNX graph: raw readings in, fault probability and alarm out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.graph.builder import (
    BOOLEAN,
    DOUBLE,
    INNER,
    IR_VERSION,
    OPSET,
    TREES_DOMAIN,
    TREES_OPSET,
    GraphBuilder,
    NoConverterError,
    value_info,
)
from faultxfer.bundle.graph.missing import completed
from faultxfer.bundle.graph.network import NetworkGraph
from faultxfer.bundle.graph.views import GraphViews
from faultxfer.bundle.members import KINDS, Member, Stack
from faultxfer.bundle.versions import versions_here
from faultxfer.data.windows import Windows, names_of_windows

PROBABILITY, ALARM, LOG_ODDS = "fault_probability", "alarm", "log_odds"
_ROWS = "rows"


def graph_of(bundle: Bundle, about: dict[str, str]) -> bytes:
    """The detector as the bytes of an ONNX file.

    Args:
        bundle: the detector.
        about: what else the file is to say of itself, by name.

    Raises:
        NoConverterError: something in the bundle cannot be written with ONNX operators.
    """
    from onnx import helper

    _require_names(bundle)
    graph, width = GraphBuilder(INNER), len(bundle.features)
    readings = graph.side_by_side(list(bundle.features))
    filled = completed(graph, readings, bundle.imputer) if bundle.imputer else readings
    logits = _logits(graph, bundle.of_rows(), filled, width)
    over = bundle.of_windows()
    if over is not None and bundle.windows is not None:
        wide = _wide(graph, over, bundle.windows, graph.first_columns(filled, *_known(bundle)))
        of_windows = _logits(graph, over, wide, len(over.features))
        logits = graph.op("Add", logits, of_windows)
    log_odds = _log_odds(graph, bundle, filled, logits)
    graph.named(log_odds, LOG_ODDS)
    probability = graph.op("Sigmoid", log_odds)
    graph.named(probability, PROBABILITY)
    alarm = graph.op("Greater", probability, graph.number(bundle.threshold))
    graph.named(alarm, ALARM)
    outputs = [
        value_info(PROBABILITY, DOUBLE, (_ROWS,)),
        value_info(ALARM, BOOLEAN, (_ROWS,)),
        value_info(LOG_ODDS, DOUBLE, (_ROWS,)),
    ]
    made = graph.graph("detector", _inputs(bundle), outputs)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(TREES_DOMAIN, TREES_OPSET)]
    model = helper.make_model(
        made, opset_imports=opsets, ir_version=IR_VERSION, producer_name="faultxfer"
    )
    model.producer_version = versions_here().get("faultxfer", "")
    helper.set_model_props(model, {**_said(bundle), **about})
    return bytes(model.SerializeToString())


def _inputs(bundle: Bundle) -> list[Any]:
    """One column for each sensor and window, by its name, so that their order does not matter."""
    names = (*bundle.features, *window_names(bundle))
    return [value_info(name, DOUBLE, (_ROWS, 1)) for name in names]


def window_names(bundle: Bundle) -> tuple[str, ...]:
    """Names of the inputs for windows: by kind, and each kind by sensor."""
    over = bundle.of_windows()
    return () if over is None else over.features[_known(bundle)[0] :]


def _known(bundle: Bundle) -> tuple[int, int]:
    """How many sensors the source knows, and of how many."""
    return len(bundle.scaler.mean), len(bundle.features)


def _wide(graph: GraphBuilder, over: Bundle, windows: Windows, readings: str) -> str:
    """(n, 4c) readings and windows, those of a row that stands for itself where one is NaN."""
    count = len(windows.usual)
    nothing = graph.op("Mul", readings, graph.number(0.0))
    usual = graph.op("Add", nothing, graph.constant(windows.usual))
    given = graph.side_by_side(list(over.features[count:]))
    alone = graph.side_by_side([readings, readings, usual])
    filled = graph.op("Where", graph.op("IsNaN", given), alone, given)
    return graph.side_by_side([readings, filled])


def _require_names(bundle: Bundle) -> None:
    """Inputs, outputs and what lies between share one space of names."""
    names = (*bundle.features, *window_names(bundle))
    if len(set(names)) < len(names):
        raise NoConverterError("two inputs of one name")
    for name in names:
        if not name or name in (PROBABILITY, ALARM, LOG_ODDS) or name.startswith(INNER):
            raise NoConverterError(f"a sensor called {name!r}")


def _said(bundle: Bundle) -> dict[str, str]:
    """What the file says of itself; lists and tables as JSON."""
    units = {name: bundle.units.get(name, "") for name in bundle.features}
    lists = {
        "units": units,
        "columns": [column_of(name, name, unit) for name, unit in units.items()],
        "filled_in": sorted(bundle.fills),
        "lineage": bundle.lineage,
        "smoothing": bundle.smoothing and bundle.smoothing.as_dict(),
        "delays": bundle.delays and bundle.delays.as_dict(),
        "windows": windows_said(bundle.windows, bundle.features),
    }
    stored = {name: json.dumps(value, ensure_ascii=False) for name, value in lists.items()}
    return {**stored, "threshold": repr(float(bundle.threshold))}


def windows_said(windows: Windows | None, features: tuple[str, ...]) -> dict[str, Any] | None:
    """How windows are made, of which sensors, and the names of the inputs that take them."""
    if windows is None:
        return None
    sensors = features[: len(windows.usual)]
    return {**windows.as_dict(), "sensors": sensors, "names": names_of_windows(sensors)}


def column_of(
    sensor: str, column: str, unit: str, factor: float = 1.0, offset: float = 0.0
) -> dict[str, Any]:
    """A column of a machine's file: ``column * factor + offset`` is what the graph takes."""
    own = {"column": column, "unit": unit, "factor": factor, "offset": offset}
    return {"sensor": sensor, **own}


def _logits(graph: GraphBuilder, bundle: Bundle, readings: str, width: int) -> str:
    """(n, 1) uncalibrated logits."""
    network = NetworkGraph(graph, bundle.network, bundle.scaler.mean, bundle.scaler.scale)
    if bundle.stack is None:
        known = graph.first_columns(readings, len(bundle.scaler.mean), width)
        logits = graph.exact(network.logits(known))
        return graph.op("ReduceMean", logits, graph.whole(1), keepdims=1)
    if bundle.models is None:
        raise NoConverterError("a stack without the models of its source")
    blocks = [block for member in bundle.stack.members for block in (*member.blocks, *member.base)]
    maps = bundle.stack.maps
    if not bundle.stack.members:
        return graph.like(0.0, readings)
    views = GraphViews(graph, readings, width, bundle.models, network, maps, blocks)
    return _together(bundle.stack, views)


def _together(stack: Stack, views: GraphViews) -> str:
    """(n, 1) weighted sum of what the members say."""
    said = [_exported(member, views) for member in stack.members]
    weights = [member.weight * member.slope for member in stack.members]
    offset = sum(member.weight * member.offset for member in stack.members)
    return views.graph.sum_of_products(
        views.graph.side_by_side(said), np.array(weights), float(offset)
    )


def _exported(member: Member, views: GraphViews) -> str:
    export = KINDS[member.kind].export
    if export is None:
        raise NoConverterError(f"members of the kind {member.kind}, as {member.name}")
    return export(member, views)


def _log_odds(graph: GraphBuilder, bundle: Bundle, readings: str, logits: str) -> str:
    """(n,) calibrated log-odds; NaN of rows in which a reading is not a finite number."""
    scaled = graph.op("Mul", logits, graph.number(bundle.calibrator.slope))
    moved = graph.op("Add", scaled, graph.number(bundle.calibrator.offset))
    nothing = graph.op("Mul", readings, graph.number(0.0))
    finite = graph.op("ReduceSum", nothing, graph.whole(1), keepdims=1)
    return graph.op("Squeeze", graph.op("Add", moved, finite), graph.whole(1))
