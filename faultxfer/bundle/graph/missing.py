"""Missing readings in the graph: the imputer's conditional mean with ONNX operators.

Which sensors are missing differs from row to row. As in :mod:`faultxfer.bundle.imputer`, rows that
lack the same sensors are filled together: one turn of a loop solves for the weights of their
pattern. Without a missing reading nothing of this runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from faultxfer.bundle.frozen import SOFT_CLIP
from faultxfer.bundle.graph.builder import (
    BOOLEAN,
    DOUBLE,
    INNER,
    INT64,
    GraphBuilder,
    matrix,
    value_info,
)
from faultxfer.bundle.imputer import Imputer
from faultxfer.bundle.input_map import InputMap, Spread

# Names of what a loop hands to its turns.
_PATTERN, _GOING, _GUESSED = f"{INNER}pattern", f"{INNER}going", f"{INNER}guessed"
_PLACE, _GOES_ON, _TABLE = f"{INNER}place", f"{INNER}goes_on", f"{INNER}table"


def soft_clipped(graph: GraphBuilder, readings: str, spread: Spread) -> str:
    """(n, d) readings as :func:`faultxfer.bundle.frozen.soft_clipped` has them."""
    centred = graph.op("Sub", readings, graph.constant(spread.center))
    return squeezed(graph, graph.op("Div", centred, graph.constant(spread.scale)))


def squeezed(graph: GraphBuilder, values: str) -> str:
    """Values of any size to values within ±4: r / √(1 + (r / 4)²)."""
    part = graph.op("Div", values, graph.number(SOFT_CLIP))
    square = graph.op("Add", graph.op("Mul", part, part), graph.number(1.0))
    return graph.op("Div", values, graph.op("Sqrt", square))


def mapped(graph: GraphBuilder, readings: str, input_map: InputMap, width: int) -> str:
    """(n, width) readings in source units; what stands behind the map's sensors is left out."""
    own = graph.first_columns(readings, len(input_map.gain), width)
    scaled = graph.op("Mul", own, graph.constant(input_map.gain))
    return graph.op("Add", scaled, graph.constant(input_map.offset))


def completed(graph: GraphBuilder, readings: str, imputer: Imputer) -> str:
    """(n, d) readings with the missing ones filled in, in rows where that is allowed."""
    missing = graph.op("IsNaN", readings)
    counts = graph.op("Cast", missing, to=INT64)
    some = graph.op("Cast", graph.op("ReduceMax", counts, keepdims=0), to=BOOLEAN)
    filled = GraphBuilder(f"{INNER}filled_")
    value = _filled(filled, readings, missing, imputer)
    given = GraphBuilder(f"{INNER}given_")
    given_value = given.op("Identity", readings)
    return graph.op(
        "If",
        some,
        then_branch=filled.graph("fill", [], [matrix(value)]),
        else_branch=given.graph("as_given", [], [matrix(given_value)]),
    )


def _filled(graph: GraphBuilder, readings: str, missing: str, imputer: Imputer) -> str:
    zeros = graph.op("Cast", missing, to=DOUBLE)
    width = len(imputer.mean)
    known = _centred(graph, readings, missing, imputer)
    guessed = _by_pattern(graph, known, zeros, imputer)
    inside = _inside(graph, graph.op("Add", guessed, graph.constant(imputer.mean)), imputer)
    back = unmapped(graph, inside, imputer.spread, imputer.to_source)
    able = _able(graph, zeros, imputer, width)
    fill = graph.op("And", missing, able)
    return graph.op("Where", fill, back, readings)


def _centred(graph: GraphBuilder, readings: str, missing: str, imputer: Imputer) -> str:
    """(n, d) distances from the mean in the imputer's units, 0 where a reading is missing."""
    own = mapped(graph, readings, imputer.to_source, len(imputer.mean))
    clipped = soft_clipped(graph, own, imputer.spread)
    centred = graph.op("Sub", clipped, graph.constant(imputer.mean))
    return graph.op("Where", missing, graph.number(0.0), centred)


def _inside(graph: GraphBuilder, values: str, imputer: Imputer) -> str:
    """Within the range that was seen."""
    below = graph.op("Min", values, graph.constant(imputer.high))
    return graph.op("Max", below, graph.constant(imputer.low))


def unmapped(graph: GraphBuilder, values: str, spread: Spread, to_source: InputMap) -> str:
    """(n, d) soft-clipped values to readings: the inverse of the clip, then of the map."""
    part = graph.op("Div", values, graph.number(SOFT_CLIP))
    rest = graph.op("Sub", graph.number(1.0), graph.op("Mul", part, part))
    wide = graph.op("Div", values, graph.op("Sqrt", rest))
    scaled = graph.op("Mul", wide, graph.constant(spread.scale))
    moved = graph.op("Add", scaled, graph.constant(spread.center))
    apart = graph.op("Sub", moved, graph.constant(to_source.offset))
    return graph.op("Div", apart, graph.constant(to_source.gain))


def _able(graph: GraphBuilder, zeros: str, imputer: Imputer, width: int) -> str:
    """(n, 1) bool: rows of which every missing reading may be filled in."""
    # As a share of the sensors would be compared, in whole numbers.
    most = int(np.flatnonzero(np.arange(width + 1) / width <= imputer.max_share).max(initial=0))
    count = graph.op("ReduceSum", zeros, graph.whole(1), keepdims=1)
    few = graph.op("LessOrEqual", count, graph.number(most))
    barred = graph.op("Mul", zeros, graph.constant((~imputer.fills).astype(np.float64)))
    worst = graph.op("ReduceMax", barred, graph.whole(1), keepdims=1)
    return graph.op("And", few, graph.op("Less", worst, graph.number(0.5)))


def _by_pattern(graph: GraphBuilder, known: str, zeros: str, imputer: Imputer) -> str:
    """(n, d) what missing sensors are guessed as, around the mean; 0 where nothing is missing."""
    patterns, _, which, _ = graph.ops("Unique", 4, zeros, axis=0)
    turns = graph.op("Squeeze", graph.op("Shape", patterns, start=0, end=1))
    start = graph.op("Mul", known, graph.number(0.0))
    going = graph.constant(np.array(True))
    turn = _turn(imputer, known, patterns, which)
    return graph.op("Loop", turns, going, start, body=turn)


def _turn(imputer: Imputer, known: str, patterns: str, which: str) -> Any:
    """One pattern: solve for its weights, and write what its rows lack."""
    graph = GraphBuilder(f"{INNER}pattern_")
    pattern = graph.op("Gather", patterns, _PATTERN, axis=0)
    gaps = _places(graph, graph.op("Greater", pattern, graph.number(0.5)))
    rows = _places(graph, graph.op("Equal", which, _PATTERN))
    weights = _weights(graph, imputer, gaps)
    own = graph.op("Gather", known, rows, axis=0)
    guessed = graph.op("Gemm", own, weights, transB=1)
    wide = _spread_out(graph, guessed, gaps, len(imputer.mean))
    places = graph.op("Unsqueeze", rows, graph.whole(1))
    written = graph.op("ScatterND", _GUESSED, places, wide)
    going = graph.op("Identity", _GOING)
    inputs = [value_info(_PATTERN, INT64, ()), value_info(_GOING, BOOLEAN, ()), matrix(_GUESSED)]
    return graph.graph("fill_pattern", inputs, [value_info(going, BOOLEAN, ()), matrix(written)])


def _places(graph: GraphBuilder, chosen: str) -> str:
    """Positions of what is true in a list."""
    return graph.op("Squeeze", graph.op("NonZero", chosen), graph.whole(0))


def _spread_out(graph: GraphBuilder, guessed: str, gaps: str, width: int) -> str:
    """(k, m) guesses of the m missing sensors to (k, d), 0 elsewhere."""
    eye = graph.constant(np.eye(width))
    return graph.op("MatMul", guessed, graph.op("Gather", eye, gaps, axis=0))


def _weights(graph: GraphBuilder, imputer: Imputer, gaps: str) -> str:
    """(m, d) weights of the conditional mean of m missing sensors.

    By Gauss and Jordan, which needs no exchange of rows here: the precision is positive definite.
    """
    precision = graph.constant(imputer.precision)
    rows = graph.op("Gather", precision, gaps, axis=0)
    among = graph.op("Gather", rows, gaps, axis=1)
    table = graph.op("Concat", among, graph.op("Neg", rows), axis=1)
    count = graph.op("Squeeze", graph.op("Shape", gaps), graph.whole(0))
    going = graph.constant(np.array(True))
    solved = graph.op("Loop", count, going, table, body=_pivot())
    ends = graph.op("Unsqueeze", count, graph.whole(0))
    last = graph.whole(np.iinfo(np.int64).max)
    return graph.op("Slice", solved, ends, last, graph.whole(1))


def _pivot() -> Any:
    """One step of the elimination: the pivot's row becomes that of the unit matrix."""
    graph = GraphBuilder(f"{INNER}pivot_")
    row = graph.op("Gather", _TABLE, _PLACE, axis=0)
    pivot = graph.op("Gather", row, _PLACE, axis=0)
    unit = graph.op("Div", row, pivot)
    column = graph.op("Gather", _TABLE, _PLACE, axis=1)
    height = graph.op("Squeeze", graph.op("Shape", column), graph.whole(0))
    numbers = graph.op("Range", graph.constant(np.array(0)), height, graph.constant(np.array(1)))
    here = graph.op("Cast", graph.op("Equal", numbers, _PLACE), to=DOUBLE)
    factors = graph.op("Unsqueeze", graph.op("Sub", column, here), graph.whole(1))
    reduced = graph.op("Sub", _TABLE, graph.op("Mul", factors, unit))
    going = graph.op("Identity", _GOES_ON)
    inputs = [value_info(_PLACE, INT64, ()), value_info(_GOES_ON, BOOLEAN, ()), matrix(_TABLE)]
    return graph.graph("eliminate", inputs, [value_info(going, BOOLEAN, ()), matrix(reduced)])
