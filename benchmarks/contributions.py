"""Do the sensors that are named of an alarm deserve it? Prints the tables of ``docs/sensors.md``.

    uv run python benchmarks/contributions.py --data DIR --cache DIR --seeds 1 2 3

Default stacks are fitted on 200 labelled rows of the simulated pump, and their alarms on other runs
are explained. One sensor of a healthy row is shifted by 3 to 6 of its median absolute deviations
until the row alarms: is it named first, or among the first three? Beside it the same by other
approaches: what falls most where it alone is set to healthy, or to what healthy rows read that are
alike in the other sensors; contributions times how far it is from these. The first three of an alarm are set to
their healthy values, and three others: does the alarm clear? Labels are shuffled, of the source
too: is another sensor named each time? How long does an alarm take? Where ``tep.py`` has put its
tables, the variables that are known to show five disturbances of the Tennessee Eastman process are
looked for among the first three. Sensors that tell the same count as one everywhere.

With ``--points`` integrated gradients are taken at as many points of a path.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from transfer_sources import prepare_source
from transfer_tasks import TASKS, TransferTask, draw_cell, read_table

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.contributions import Explainer
from faultxfer.bundle.frozen import SourceModels
from faultxfer.bundle.input_map import spread_of
from faultxfer.bundle.members import CONSTANT, Member, Stack
from faultxfer.bundle.references import NEAREST, keep_references
from faultxfer.bundle.scaler import Scaler
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.evaluate.alarms import alarm_stretches, by_group, sensor_shares
from faultxfer.network import path_gradients
from faultxfer.strategies import STRATEGIES
from faultxfer.strategies.protocol import Task

PUMPS, TEP = "pumps→pump-9", "TEP mode1→mode3"
ROWS, SHIFTS = 200, (3.0, 4.0, 5.0, 6.0)
HEALTHY_ROWS, TIMED = 40, 1_000
FALSE_ALARMS = 0.05
# A sensor counts for at most this many deviations in a distance, as in the product.
FAR = 3.0
SHUFFLES = 10
# The first is copied into the second, which is of little use by itself.
COPIED = ("vibration_drive_end_mm_s", "fluid_temperature_c")
# Rows that a detector is surest of.
SUREST = 100
# Of each disturbance, what the literature says moves with it: feed ratio of A and C; temperatures
# of cooling water of the reactor and of the condenser; loss of the A feed; a valve that sticks.
KNOWN = {
    "idv01": (
        *("feed_A_flow", "a_feed_valve", "feed_AC_flow", "ac_feed_valve"),
        *("reactor_feed_A_concentration", "reactor_feed_C_concentration"),
        *("purge_A_concentration", "purge_C_concentration"),
    ),
    "idv04": (
        *("reactor_cooling_water_valve", "reactor_temperature"),
        "reactor_cooling_water_outlet_temperature_meas",
    ),
    "idv05": (
        *("separator_cooling_water_valve", "separator_temperature"),
        "condenser_cooling_water_outlet_temperature",
    ),
    "idv06": ("feed_A_flow", "a_feed_valve"),
    "idv14": (
        *("reactor_cooling_water_valve", "reactor_temperature"),
        "reactor_cooling_water_outlet_temperature_meas",
    ),
}


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A default stack that keeps healthy rows, and rows of other runs."""

    bundle: Bundle
    test: Dataset

    @property
    def explainer(self) -> Explainer:
        """Made anew, as each command does."""
        return Explainer(self.bundle)

    def alarms(self, X: np.ndarray) -> np.ndarray:
        """(n,) bool."""
        return self.bundle.alarms(self.bundle.probabilities(X))


def fitted(name: str, given: argparse.Namespace, seed: int, strategy: str = "stack") -> Fitted:
    """The product's default on the rows of one draw."""
    task = next(one for one in TASKS if one.name == name)
    source, kept = source_of(task, given)
    cell = draw_cell(read_table(task.target, given.data), ROWS, seed)
    if cell is None:
        raise ValueError(f"Too few rows. Received: task={name}, seed={seed}")
    return adapted(source, kept, cell.train, cell.test, seed, strategy)


def adapted(
    source: Bundle, kept: Dataset, train: Dataset, test: Dataset, seed: int, strategy: str
) -> Fitted:
    """A bundle as a transfer keeps it, but for its threshold.

    That is the one at which 5 % of the healthy rows of half of the test runs alarm; the other half
    of them is explained. Cross-fitting all members for it would take five times as long.
    """
    options = TransferOptions(seed=seed, strategy=strategy)
    bundle = STRATEGIES[strategy].fit(Task(source, train, kept, options)).bundle
    number = np.unique(test.run.astype(str), return_inverse=True)[1]
    chosen, explained = test.take(number % 2 == 0), test.take(number % 2 == 1)
    healthy = bundle.probabilities(chosen.X[chosen.y == 0])
    whole = dataclasses.replace(
        bundle,
        threshold=float(np.quantile(healthy, 1 - FALSE_ALARMS)),
        references=keep_references(train.X, train.y, None),
    )
    return Fitted(whole, explained)


def source_of(task: TransferTask, given: argparse.Namespace) -> tuple[Bundle, Dataset]:
    """The source as the product keeps it, network included, and its kept rows."""
    prepared = prepare_source(task.source, given.data, given.cache, network=True)
    frozen, network = prepared.frozen, prepared.frozen.network
    if network is None:
        raise ValueError("There is no network")
    models = SourceModels(
        frozen.spread, frozen.normal, frozen.trees.model_to_string(), frozen.linear
    )
    features = read_table(task.source, given.data).features
    scaler = Scaler(network.mean, network.scale)
    bundle = Bundle(features, {}, scaler, network.network, Calibrator(), 0.5, models=models)
    names = np.full(len(prepared.y), "0", dtype=object)
    order = np.arange(len(prepared.y), dtype=float)
    return bundle, Dataset(features, prepared.X, prepared.y, names, names, order)


def peaks(one: Fitted) -> np.ndarray:
    """Positions of the peaks of the alarms on the test rows."""
    probabilities = one.bundle.probabilities(one.test.X)
    found = alarm_stretches(one.test.run, one.test.time, one.bundle.alarms(probabilities))
    return np.array([rows[np.argmax(probabilities[rows])] for rows in found], dtype=int)


def groups_of(one: Fitted) -> np.ndarray:
    """(d,) number of each sensor's group."""
    references = one.bundle.references
    assert references is not None
    return references.groups


def ranked(one: Fitted, X: np.ndarray) -> np.ndarray:
    """(n, g) groups of sensors, the one that raises the log-odds most first."""
    together = by_group(one.explainer(X).values, groups_of(one))
    return np.argsort(-together, axis=1, kind="stable")


def completeness(one: Fitted) -> tuple[float, float, int]:
    """Largest error of the sums, largest amount added to them, and how many alarms."""
    X = one.test.X[peaks(one)]
    found = one.explainer(X)
    calibrator = one.bundle.calibrator
    logits = calibrator.slope * one.bundle.logits(X) + calibrator.offset
    error = np.abs(found.values.sum(axis=1) - (logits - found.reference)).max()
    return float(error), float(np.abs(found.added).max()), len(X)


def injected(
    one: Fitted, seed: int, approaches: Iterable[str] = ()
) -> Iterator[tuple[str, str, int, int]]:
    """Kind of row, approach, sensor, and the place of its group where it made the row alarm.

    An ordinary row is no nearer to an alarm than half of the healthy rows are: what alarms then is
    the shift. Any row may stand close below the threshold for reasons of its own.
    """
    references, groups = one.bundle.references, groups_of(one)
    assert references is not None
    centre = np.median(references.X, axis=0)
    deviation = np.median(np.abs(references.X - centre), axis=0)
    healthy = np.flatnonzero(one.test.y == 0)
    logits = one.bundle.logits(one.test.X[healthy])
    quiet = ~one.alarms(one.test.X[healthy])
    rng = np.random.default_rng(seed)
    for kind, some in (("ordinary", logits <= np.median(logits)), ("any", quiet)):
        X = one.test.X[rng.permutation(healthy[some & quiet])[:HEALTHY_ROWS]]
        shifted, sensors = all_shifted(one, X, deviation)
        for approach in approaches or APPROACHES:
            order = APPROACHES[approach](one, shifted)
            places = np.argmax(order == groups[sensors][:, None], axis=1)
            for sensor, place in zip(sensors.tolist(), places.tolist(), strict=True):
                yield kind, approach, sensor, place


def all_shifted(one: Fitted, X: np.ndarray, deviation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, d) rows that alarm since one sensor was shifted, up or down, and (k,) which one."""
    rows, sensors = [], []
    for sensor in range(X.shape[1]):
        for sign in (1.0, -1.0):
            rows.append(first_alarms(one, X, sensor, sign * deviation[sensor]))
            sensors.append(np.full(len(rows[-1]), sensor))
    return np.vstack(rows), np.concatenate(sensors)


def ranked_alone(one: Fitted, X: np.ndarray) -> np.ndarray:
    """Another approach: by how far the log-odds fall where one group alone is set to healthy."""
    references, groups = one.bundle.references, groups_of(one)
    assert references is not None
    healthy = references.X[references.nearest(X, np.full(len(X), ""))].mean(axis=1)
    falls = np.zeros((len(X), int(groups.max()) + 1))
    for group in range(falls.shape[1]):
        falls[:, group] = -one.bundle.logits(np.where(groups == group, healthy, X))
    return np.argsort(-falls, axis=1, kind="stable")


def by_others(one: Fitted, X: np.ndarray) -> np.ndarray:
    """(n, d) what healthy rows read that are most like each row in the sensors of other groups."""
    references, groups = one.bundle.references, groups_of(one)
    assert references is not None
    scaled = (X[:, None] - references.X) / spread_of(references.X).scale
    apart = np.minimum(np.abs(scaled), FAR) ** 2
    read = np.zeros(X.shape)
    for group in np.unique(groups):
        own = groups == group
        near = np.argsort(apart[:, :, ~own].sum(axis=2), axis=1, kind="stable")[:, :NEAREST]
        read[:, own] = references.X[near][:, :, own].mean(axis=1)
    return read


def ranked_by_others(one: Fitted, X: np.ndarray) -> np.ndarray:
    """By how far the log-odds fall where one group alone is set to what the others let expect."""
    groups, expected = groups_of(one), by_others(one, X)
    falls = [
        -one.bundle.logits(np.where(groups == group, expected, X)) for group in np.unique(groups)
    ]
    return np.argsort(-np.stack(falls, axis=1), axis=1, kind="stable")


def ranked_apart(one: Fitted, X: np.ndarray) -> np.ndarray:
    """By contributions times how far a group is from what the others let expect.

    That is counted in what is usual among the healthy rows.
    """
    references, groups = one.bundle.references, groups_of(one)
    assert references is not None
    usual = np.median(np.abs(references.X - by_others(one, references.X)), axis=0)
    apart = np.abs(X - by_others(one, X)) / usual
    most = np.stack([apart[:, groups == group].max(axis=1) for group in np.unique(groups)], axis=1)
    together = np.maximum(by_group(one.explainer(X).values, groups), 0)
    return np.argsort(-together * most, axis=1, kind="stable")


def first_alarms(one: Fitted, X: np.ndarray, sensor: int, step: float) -> np.ndarray:
    """(k, d) rows that alarm with the sensor shifted by as few steps as it takes."""
    found, left = [], X
    for shift in SHIFTS:
        moved = left.copy()
        moved[:, sensor] += shift * step
        alarms = one.alarms(moved) if len(moved) else np.zeros(0, dtype=bool)
        found.append(moved[alarms])
        left = left[~alarms]
    return np.vstack(found)


def cleared(one: Fitted, seed: int) -> tuple[int, int, int]:
    """Alarms, those that the first three at their healthy values clear, and three others."""
    X, groups = one.test.X[peaks(one)], groups_of(one)
    references = one.bundle.references
    assert references is not None
    nearest = references.nearest(X, np.full(len(X), ""))
    healthy = references.X[nearest].mean(axis=1)
    order, rng = ranked(one, X), np.random.default_rng(seed)
    counts = []
    for first in (True, False):
        chosen = order[:, :3]
        if not first:
            chosen = np.array([rng.permutation(row[3:])[:3] for row in order])
        set_back = (groups[None, :, None] == chosen[:, None, :]).any(axis=2)
        counts.append(int((~one.alarms(np.where(set_back, healthy, X))).sum()))
    return len(X), counts[0], counts[1]


def stability(given: argparse.Namespace, *, shuffle: bool) -> float:
    """How often two fits name the same sensor first on their surest rows.

    With ``shuffle``, by labels that mean nothing. Boosting on rows of both machines, on which no
    network and no model of the source bears.
    """
    task = next(one for one in TASKS if one.name == PUMPS)
    source, kept = source_of(task, given)
    cell = draw_cell(read_table(task.target, given.data), ROWS, given.seeds[0])
    assert cell is not None
    first = []
    for seed in range(SHUFFLES):
        train, pool = cell.train, kept
        if shuffle:
            train, pool = shuffled(train, seed), shuffled(pool, seed)
        one = adapted(source, pool, train, cell.test, seed, "pooled_boosting")
        surest = np.argsort(-one.bundle.logits(cell.test.X))[:SUREST]
        values = one.explainer(cell.test.X[surest]).values
        shares = sensor_shares(values, np.arange(values.shape[1]), cell.train.features)
        first.append(shares[0].sensors[0])
    counts = np.array(list(Counter(first).values()))
    return float((counts * (counts - 1)).sum() / (SHUFFLES * (SHUFFLES - 1)))


def milliseconds(one: Fitted) -> tuple[float, float]:
    """Of one core for each of the thousand surest rows, and what stands before the first."""
    X = one.test.X[np.argsort(-one.bundle.probabilities(one.test.X))[:TIMED]]
    with threadpool_limits(limits=1):
        began = time.process_time()
        explainer = one.explainer
        explainer(X[:1])
        start = time.process_time() - began
        explainer(X[1:])
        whole = time.process_time() - began
    return 1e3 * whole / TIMED, 1e3 * start


def known_variables(given: argparse.Namespace, seed: int) -> Iterator[list[object]]:
    """Lines of the table: by disturbance, at the peaks of its alarms and in all its rows that alarm."""
    one = fitted(TEP, given, seed)
    frame = pd.read_csv(given.data / "tep" / "tep-mode3.csv.gz")
    kinds = frame[frame["fault"] == 1].groupby("run")["fault_type"].first()
    faulty = one.test.y == 1
    alarming = np.flatnonzero(one.alarms(one.test.X) & faulty)
    at_peak = np.intersect1d(peaks(one), np.flatnonzero(faulty))
    names, groups = np.array(one.test.features), groups_of(one)
    for place, rows in (("peaks", at_peak), ("all rows", alarming)):
        run = [int(str(name).rpartition("/")[2]) for name in one.test.run[rows]]
        kind = kinds.reindex(run).to_numpy()
        for disturbance, variables in KNOWN.items():
            some = rows[kind == disturbance]
            if len(some):
                order = ranked(one, one.test.X[some])[:, :3]
                known = groups[np.isin(names, variables)]
                share = np.isin(order, known).any(axis=1).mean()
                first = Counter(names[groups == group][0] for group in order.ravel())
                most = ", ".join(name for name, _ in first.most_common(3))
                yield [disturbance, place, len(some), f"{share:.0%}", most]


def ranked_always_alike(one: Fitted, X: np.ndarray) -> np.ndarray:
    """Another approach: whatever the row, by what the groups add to all test rows on average."""
    surest = np.argsort(-one.bundle.logits(one.test.X))[:SUREST]
    together = by_group(one.explainer(one.test.X[surest]).values, groups_of(one))
    return np.tile(np.argsort(-together.mean(axis=0), kind="stable"), (len(X), 1))


APPROACHES = {
    "contributions": ranked,
    "one sensor at a time set to healthy": ranked_alone,
    "one at a time set to what the others let expect": ranked_by_others,
    "contributions × distance from it": ranked_apart,
    "one order for all rows": ranked_always_alike,
}


def shuffled(data: Dataset, seed: int) -> Dataset:
    """The rows with labels that mean nothing."""
    return dataclasses.replace(data, y=np.random.default_rng([seed, 18]).permutation(data.y))


def with_copy(data: Dataset) -> Dataset:
    """The rows with a copy of one sensor, but for a little noise, in the place of another."""
    X, own, other = data.X.copy(), *(data.features.index(name) for name in COPIED)
    noise = np.random.default_rng(18).normal(size=len(X))
    X[:, other] = X[:, own] + 0.02 * X[:, own].std() * noise
    return dataclasses.replace(data, X=X)


def constant(one: Fitted) -> Fitted:
    """A detector that says the same of every row."""
    only = Member("constant", "constant", CONSTANT, arrays={"intercept": np.zeros(1)})
    assert one.bundle.stack is not None
    stack = Stack((only,), one.bundle.stack.maps)
    return Fitted(dataclasses.replace(one.bundle, stack=stack), one.test)


def one_long_run(one: Fitted) -> Fitted:
    """The same detector, asked about the longest of the test runs alone."""
    names, counts = np.unique(one.test.run.astype(str), return_counts=True)
    own = one.test.run.astype(str) == names[np.argmax(counts)]
    return Fitted(one.bundle, one.test.take(own))


def to_compare(given: argparse.Namespace, seed: int) -> Iterator[tuple[str, Fitted]]:
    """The product, and detectors of which little can be asked, or something else."""
    task = next(one for one in TASKS if one.name == PUMPS)
    source, kept = source_of(task, given)
    cell = draw_cell(read_table(task.target, given.data), ROWS, seed)
    assert cell is not None
    rows = (cell.train, cell.test, seed)
    stack = adapted(source, kept, *rows, "stack")
    yield "the product", stack
    yield "the product, on one long run", one_long_run(stack)
    yield "a constant", constant(stack)
    yield "boosting alone", adapted(source, kept, *rows, "pooled_boosting")
    pool, train, test = with_copy(kept), with_copy(cell.train), with_copy(cell.test)
    yield (
        "the same, a sensor copied into another",
        adapted(source, pool, train, test, seed, "pooled_boosting"),
    )
    pool, train = shuffled(kept, seed), shuffled(cell.train, seed)
    yield "the same, labels shuffled", adapted(source, pool, train, *rows[1:], "pooled_boosting")


def named_first(one: Fitted) -> str:
    """Which group of sensors is named first most often of the surest rows, and how often."""
    surest = np.argsort(-one.bundle.logits(one.test.X))[:SUREST]
    together = by_group(one.explainer(one.test.X[surest]).values, groups_of(one))
    groups = [int(row.argmax()) for row in together if row.max() > 0]
    if not groups:
        return "none"
    (group, count), *_ = Counter(groups).most_common(1)
    names = np.array(one.test.features)[groups_of(one) == group]
    return f"{' = '.join(names)}, {count / len(surest):.0%}"


def comparison(given: argparse.Namespace) -> None:
    """The table of detectors of which little can be asked."""
    print("\n| seed | detector | named first, of the surest | alarms reached | hit@1 | hit@3 |")
    print("|---|---|---|---|---|---|")
    for seed in given.seeds:
        for name, one in to_compare(given, seed):
            found = injected(one, seed, ("contributions",))
            places = np.array([place for kind, *_, place in found if kind == "ordinary"])
            hits = "– | –"
            if len(places):
                hits = f"{(places < 1).mean():.3f} | {(places < 3).mean():.3f}"
            line = f"| {seed} | {name} | {named_first(one)} | {len(places)} | {hits} |"
            print(line, flush=True)


def pumps(given: argparse.Namespace) -> None:
    """The tables of the simulated pump."""
    print("| seed | alarms | error | added | clear: top 3 | 3 others | ms an alarm | before it |")
    print("|---|---|---|---|---|---|---|---|")
    hits: list[tuple[str, str, int, int]] = []
    for seed in given.seeds:
        one = fitted(PUMPS, given, seed)
        error, added, _ = completeness(one)
        count, first, others = cleared(one, seed)
        each, start = milliseconds(one)
        print(
            f"| {seed} | {count} | {error:.0e} | {added:.3f} | {first / count:.0%} | "
            f"{others / count:.0%} | {each:.1f} | {start:.0f} |",
            flush=True,
        )
        hits += injected(one, seed)
    by_kind(pd.DataFrame(hits, columns=["row", "approach", "sensor", "place"]))


def by_kind(hits: pd.DataFrame) -> None:
    """Hits of each approach."""
    print("\n| healthy row | ranked by | alarms reached | hit@1 | hit@3 |\n|---|---|---|---|---|")
    for (kind, approach), own in hits.groupby(["row", "approach"], sort=False):
        first, third = (own["place"] < 1).mean(), (own["place"] < 3).mean()
        print(f"| {kind} | {approach} | {len(own)} | {first:.3f} | {third:.3f} |", flush=True)


def tennessee(given: argparse.Namespace) -> None:
    """The table of the known variables."""
    print("\n| seed | disturbance | at | rows | a known variable in the top 3 | most often in it |")
    print("|---|---|---|---|---|---|")
    for seed in given.seeds:
        for line in known_variables(given, seed):
            print(f"| {seed} | {' | '.join(map(str, line))} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--points", type=int, default=path_gradients._POINTS)
    parser.add_argument("--only", choices=("pumps", "compared", "shuffled", "tep"))
    given = parser.parse_args()
    path_gradients._POINTS = given.points
    if given.only in (None, "pumps"):
        pumps(given)
    if given.only in (None, "compared"):
        comparison(given)
    if given.only in (None, "shuffled"):
        for shuffle in (False, True):
            share = stability(given, shuffle=shuffle)
            print(f"\n{'shuffled' if shuffle else 'true'} labels, same sensor first: {share:.2f}")
    if given.only in (None, "tep") and (given.data / "tep").exists():
        tennessee(given)


if __name__ == "__main__":
    main()
