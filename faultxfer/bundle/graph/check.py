"""Compare a graph with the bundle that it was made of, before anybody relies on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.frozen import SOFT_CLIP, Block
from faultxfer.bundle.graph.detector import ALARM, PROBABILITY
from faultxfer.bundle.graph.trees import read_forest
from faultxfer.bundle.input_map import InputMap
from faultxfer.bundle.members import TREES
from faultxfer.data.windows import widened

# Largest difference in probability that counts as the same score, and how near to the threshold a
# score must lie for an alarm to be a matter of the last digits: as near as scores of one bundle
# agree between two processes.
SAME, TIE = 1e-5, 1e-6
# Rows of each sort: enough to meet every sensor, few enough for a fraction of a second.
_RANDOM_ROWS, _MOST_CUTS = 24, 8
_SPREADS = (1.0, 10.0, 1e3)
_SEED = 0


@dataclass(frozen=True)
class Agreement:
    """What a comparison found.

    Attributes:
        rows: that were scored both ways.
        largest_difference: of their probabilities.
        ties: rows that alarm in one way only, with a score within 1e-6 of the threshold.
    """

    rows: int
    largest_difference: float
    ties: int

    def and_also(self, other: Agreement) -> Agreement:
        """Of both comparisons."""
        largest = max(self.largest_difference, other.largest_difference)
        return Agreement(self.rows + other.rows, largest, self.ties + other.ties)


class GraphDiffersError(Exception):
    """The graph does not score as the bundle does; the message says by how much."""


class Session:
    """A graph that is ready to score.

    Args:
        graph: bytes of the ONNX file.
        threads: that one call may use.

    Attributes:
        names: of the sensors, in the bundle's order, then of windows, where some are read.
    """

    def __init__(self, graph: bytes, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3  # what is wrong comes as an exception
        self.session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self.names = [entry.name for entry in self.session.get_inputs()]

    def __call__(
        self, X: np.ndarray, windows: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) readings, sensors in the bundle's order, to (n,) probabilities and alarms.

        Args:
            X: the rows.
            windows: (n, 3, c) of them; without them each row stands for itself.
        """
        if windows is None:
            flat = np.full((len(X), len(self.names) - X.shape[1]), np.nan)
        else:
            flat = windows.reshape(len(X), -1)
        columns = np.ascontiguousarray(np.hstack([X, flat]).T)[:, :, None]
        given = dict(zip(self.names, columns, strict=True))
        probabilities, alarms = self.session.run([PROBABILITY, ALARM], given)
        return probabilities, alarms


def compared(
    session: Session, bundle: Bundle, X: np.ndarray, windows: np.ndarray | None = None
) -> Agreement:
    """Score (n, d) readings both ways, NaN where one is missing that the bundle fills in.

    Windows are (n, 3, c), and None of rows that stand for themselves.

    Raises:
        GraphDiffersError: a probability differs by more than 1e-5, or an alarm of which the score
            is no tie.
    """
    expected = bundle.probabilities(bundle.completed(X), windows=windows)
    probabilities, alarms = session(X, windows)
    difference = float(np.abs(probabilities - expected).max(initial=0.0))
    if not difference <= SAME:
        raise GraphDiffersError(f"it differs by {difference:.1e} in probability")
    other = alarms != bundle.alarms(expected)
    near = np.abs(expected - bundle.threshold) <= TIE
    if (other & ~near).any():
        raise GraphDiffersError(f"{int((other & ~near).sum())} alarms of {len(X)} differ")
    return Agreement(len(X), difference, int(other.sum()))


def probing_rows(bundle: Bundle, known: np.ndarray) -> np.ndarray:
    """(n, d) readings at which a graph is most likely to differ.

    Rows that are known to be usual, rows as far out as a thousand spreads, zeros, rows at the cuts
    of trees and next to them, and rows with missing readings that are filled in.

    Args:
        bundle: whose detector it is.
        known: (k, d) usual readings, at least one.
    """
    generator = np.random.default_rng(_SEED)
    finite = known[np.isfinite(known).all(axis=1)]
    center, spread = finite.mean(axis=0), _spread(finite)
    noise = generator.standard_normal((len(_SPREADS), _RANDOM_ROWS, len(center)))
    far = center + np.array(_SPREADS)[:, None, None] * spread * noise
    rows = [finite, *far, np.zeros((1, len(center))), *rows_at_cuts(bundle, center)]
    whole = np.vstack(rows)
    return np.vstack([whole, _with_gaps(bundle, whole, generator)])


def probing_windows(bundle: Bundle, known: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(n, d) readings and (n, 3, c) windows at which a graph is most likely to differ.

    None where nothing reads windows. Windows are readings of other rows, and how far the rows are
    apart; and those at which trees decide.
    """
    over = bundle.of_windows()
    if over is None:
        return None
    generator, count = np.random.default_rng(_SEED), len(bundle.scaler.mean)
    finite = known[np.isfinite(known).all(axis=1)]
    rows = finite[generator.integers(len(finite), size=2 * _RANDOM_ROWS)]
    short, long = (rows[generator.permutation(len(rows)), :count] for _ in range(2))
    wide = widened(rows, np.stack([short, long, np.abs(short - long)], axis=1))
    at_cuts = rows_at_cuts(over, wide.mean(axis=0))
    every = np.vstack([wide, *at_cuts])
    others = np.resize(rows[:, count:], (len(every), rows.shape[1] - count))
    windows = every[:, count:].reshape(len(every), -1, count)
    return np.hstack([every[:, :count], others]), windows


def _spread(X: np.ndarray) -> np.ndarray:
    """(d,) standard deviations; of a sensor that stands still, its own size."""
    spread = X.std(axis=0)
    return np.asarray(np.where(spread > 0, spread, np.maximum(np.abs(X[0]), 1.0)))


def _with_gaps(bundle: Bundle, X: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Some of the rows with gaps that the bundle fills; none where it fills nothing."""
    imputer = bundle.imputer
    if imputer is None or not imputer.fills.any():
        return X[:0]
    sensors = np.flatnonzero(imputer.fills)
    most = max(1, min(len(sensors), int(imputer.max_share * X.shape[1])))
    rows = X[generator.permutation(len(X))[: 2 * _RANDOM_ROWS]].copy()
    for place, row in enumerate(rows):
        row[generator.choice(sensors, 1 + place % most, replace=False)] = np.nan
    return np.asarray(rows[imputer.can_fill(rows)])


def rows_at_cuts(bundle: Bundle, center: np.ndarray, most: int = _MOST_CUTS) -> list[np.ndarray]:
    """Readings at which trees decide: each sensor at a cut, and at the next number on both sides.

    Args:
        bundle: whose trees are looked at.
        center: (d,) usual readings, for sensors without a cut of that number.
        most: cuts of a sensor in some trees at most; of more, these lie evenly among them.
    """
    found = []
    for cuts in _cuts_of(bundle):
        rows = _as_rows(cuts, center, most)
        found += [rows, np.nextafter(rows, -np.inf), np.nextafter(rows, np.inf)]
    return found


def _as_rows(cuts: dict[int, np.ndarray], center: np.ndarray, most: int) -> np.ndarray:
    """The first cut of every sensor in the first row, the second in the second, and so on."""
    high = max((min(most, len(values)) for values in cuts.values()), default=0)
    rows = np.tile(center, (high, 1))
    for sensor, values in cuts.items():
        places = np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int)
        rows[: len(places), sensor] = values[places]
    return rows


def _cuts_of(bundle: Bundle) -> list[dict[int, np.ndarray]]:
    """By the machine's sensor, the readings at which trees cut; one for each trees and map."""
    if bundle.stack is None or bundle.models is None:
        return []
    found, models, members = [], bundle.models, bundle.stack.members
    read = {block for member in members for block in (*member.blocks, *member.base)}
    for name in sorted(block.map for block in read if block.kind == "trees"):
        cuts, to_source = _cuts_in_source(bundle), bundle.stack.maps[name]
        found.append({at: _back(to_source, at, values) for at, values in cuts.items()})
    for member in members:
        first = member.blocks[0] if member.blocks else Block("", "")
        if member.kind == TREES and first.kind == "sensors":
            to_source, spread = bundle.stack.maps[first.map], models.spread
            inside = {}
            for at, values in _cuts_in(member.text, range(len(spread.center))).items():
                clipped = values[np.abs(values) < SOFT_CLIP]
                wide = clipped / np.sqrt(1 - (clipped / SOFT_CLIP) ** 2)
                inside[at] = _back(to_source, at, wide * spread.scale[at] + spread.center[at])
            found.append(inside)
    return found


def _cuts_in_source(bundle: Bundle) -> dict[int, np.ndarray]:
    """Cuts of the source's trees by the machine's sensor, in source units."""
    models = bundle.models
    if models is None or models.trees or models.whole is None:
        return _cuts_in(models.trees if models else "", range(len(bundle.features)))
    return _cuts_in(models.whole.trees, models.whole.common)


def _cuts_in(text: str, columns: Sequence[int] | np.ndarray) -> dict[int, np.ndarray]:
    """Cuts of each of some columns, by its place among them."""
    forest = read_forest(text)
    found = {}
    for place, column in enumerate(columns):
        found[place] = np.unique(forest.thresholds[forest.features == column])
    return {place: cuts for place, cuts in found.items() if len(cuts)}


def _back(to_source: InputMap, sensor: int, values: np.ndarray) -> np.ndarray:
    return np.asarray((values - to_source.offset[sensor]) / to_source.gain[sensor])
