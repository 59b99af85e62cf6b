"""Are copies that hide found, and nothing else? Prints the tables of decision record 16.

    uv run python benchmarks/hidden_copies.py --data DIR

Weeks are drawn from real machines and given twice: jittered, rounded, with another clock, dealt
row by row to two runs, or in part. The first table says how many of the copied runs are found, and
how many are put together with a run that they are no copy of; the second what is found in every
set as it is, and in weeks of it; the third how often weeks with labels at random are promoted.

The last one is measured with logistic regression and boosting instead of a transfer, through the
split, the metrics and the gate of the product: what leaks, leaks for them too, and a transfer takes
minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler

from faultxfer.config import GateOptions, SplitOptions
from faultxfer.data.copies import copied_runs, rows_of_source
from faultxfer.data.dataset import Dataset
from faultxfer.data.recordings import one_run_each
from faultxfer.data.split import split_rows
from faultxfer.errors import DataError
from faultxfer.evaluate.gate import judge
from faultxfer.evaluate.measuring import gather
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.exact_bounds import highest_share, lowest_share
from faultxfer.simulation.simulator import INSTRUMENTS, simulate_pump

# The constants of copies.py, courses.py and recordings.py in faultxfer/data were chosen by these.
SEEN = (
    *("hydraulic/cooler100.csv", "hydraulic/cooler20.csv", "hydraulic/cooler3.csv"),
    *("ai4i2020/typeL.csv", "ai4i2020/typeM.csv", "ai4i2020/typeH.csv"),
    *("skab/valve1.csv.gz", "skab/valve2.csv", "skab/other.csv", "skab/normal_run.csv"),
    *("cmapss/FD001.csv.gz", "cmapss/FD002.csv.gz", "cmapss/FD003.csv.gz", "cmapss/FD004.csv.gz"),
)
# And not by these.
UNSEEN = ("robot", "pump", "femto")
ROWS_OF_A_WEEK = 3000
JITTERS = (1e-5, 1e-4, 1e-3, 1e-2)


def load(name: str, folder: Path) -> Dataset:
    """One machine of the shared sets."""
    special = {"robot": _robot, "pump": _pump, "femto": _femto}
    if name in special:
        return special[name](folder)
    table = pd.read_csv(folder / name)
    clock = "timestamp" if "timestamp" in table else "seq"
    seconds = (
        pd.to_datetime(table[clock]).astype("int64") / 1e9 if clock == "timestamp" else table[clock]
    )
    keys = {"timestamp", "seq", "equipment", "run"} | {c for c in table if c.startswith("fault")}
    sensors = table.drop(columns=list(keys & set(table.columns)))
    return dataset(
        sensors.to_numpy(float), table["fault"].to_numpy(), table["run"].astype(str), seconds
    )


def dataset(X: np.ndarray, y: np.ndarray, run: object, seconds: object) -> Dataset:
    """Arrays of one machine."""
    names = tuple(f"s{number}" for number in range(X.shape[1]))
    run = np.array(run, dtype=object)
    machine = np.full(len(y), "m", dtype=object)
    return Dataset(names, X, np.asarray(y, dtype=np.int8), machine, run, np.asarray(seconds, float))


def _robot(folder: Path) -> Dataset:
    """Failures of a robot: 88 runs of 15 rows, in whole numbers."""
    blocks = (folder / "raw_samples/robot_lp1_blocks.data").read_text().split("\n\n")
    kept = [block.strip().split("\n") for block in blocks if block.strip()]
    X = np.array([[line.split() for line in block[1:]] for block in kept], dtype=float)
    faulty = np.array([block[0].strip() != "normal" for block in kept])
    runs, length, sensors = X.shape
    run = np.repeat([f"r{number}" for number in range(runs)], length)
    return dataset(
        X.reshape(-1, sensors), np.repeat(faulty, length), run, np.tile(np.arange(length), runs)
    )


def _femto(folder: Path) -> Dataset:
    """Vibration of a bearing: two sensors, 20 stretches of 128 rows of one recording."""
    table = pd.read_csv(folder / "raw_samples/femto_bearing1_1_comma_noheader.csv", header=None)
    X, rows = table[[4, 5]].to_numpy(float), np.arange(len(table))
    return dataset(X, rows >= len(rows) / 2, [f"r{row // 128}" for row in rows], rows % 128)


def _pump(folder: Path) -> Dataset:
    """A simulated pump: 40 runs of 36 rows."""
    table = simulate_pump("pump-9", seed=7, runs=40, rows_per_run=36, fault_share=0.3)
    seconds = table["timestamp"].astype("datetime64[ns]").astype("int64") / 1e9
    return dataset(
        table[list(INSTRUMENTS)].to_numpy(float), table["fault"].to_numpy(), table["run"], seconds
    )


# Weeks and copies


def week_of(data: Dataset, rng: np.random.Generator) -> Dataset:
    """Whole runs drawn at random, in the order of their times, of at most so many rows."""
    names, sizes = np.unique(data.run.astype(str), return_counts=True)
    drawn = rng.permutation(len(names))
    share = rng.uniform(0.3, 0.9)
    count = max(
        2, min(round(share * len(names)), int(np.sum(np.cumsum(sizes[drawn]) <= ROWS_OF_A_WEEK)))
    )
    week = data.take(np.isin(data.run.astype(str), names[drawn[:count]]))
    order = np.lexsort((week.time, week.run.astype(str)))
    return week.take(order)


def together(*parts: Dataset) -> Dataset:
    """Rows of several tables."""
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("X", "y", "equipment", "run", "time")
    }
    return Dataset(parts[0].features, **arrays)


def copy_of(week: Dataset, X: np.ndarray, number: int = 1, ahead: float = 86_400.0) -> Dataset:
    """The week under other run names, with another clock."""
    run = np.array([f"copy{number} {name}" for name in week.run], dtype=object)
    return dataclasses.replace(week, X=X, run=run, time=week.time + number * ahead)


def jittered(week: Dataset, rng: np.random.Generator, size: float) -> np.ndarray:
    """The sensors with noise, as a share of their standard deviations."""
    return week.X + rng.normal(size=week.X.shape) * week.X.std(axis=0) * size


def place_of(week: Dataset) -> np.ndarray:
    """(n,) how many rows of its run are before a row."""
    run = week.run.astype(str)
    first = np.unique(run, return_index=True, return_inverse=True)
    return np.arange(len(run)) - first[1][first[2]]


Kind = Callable[[Dataset, np.random.Generator], Dataset]


def _jitter(size: float) -> Kind:
    return lambda week, rng: together(week, copy_of(week, jittered(week, rng, size)))


def _three(week: Dataset, rng: np.random.Generator) -> Dataset:
    copies = [copy_of(week, jittered(week, rng, 1e-3), number) for number in (1, 2)]
    return together(week, *copies)


def _half(week: Dataset, rng: np.random.Generator) -> Dataset:
    size = pd.Series(week.run).groupby(week.run).transform("size").to_numpy()
    part = week.take(place_of(week) >= size // 2)
    return together(week, copy_of(part, jittered(part, rng, 1e-3)))


def _thinned(week: Dataset, rng: np.random.Generator) -> Dataset:
    part = week.take(place_of(week) % 2 == 0)
    return together(week, copy_of(part, jittered(part, rng, 1e-3)))


def _rounded(week: Dataset, rng: np.random.Generator) -> Dataset:
    step = 10.0 ** np.floor(np.log10(np.maximum(week.X.std(axis=0), 1e-12))) / 10
    return together(week, copy_of(week, np.round(week.X / step) * step))


def _gain(week: Dataset, rng: np.random.Generator) -> Dataset:
    return together(week, copy_of(week, week.X * 1.0001))


def _shuffled_clock(week: Dataset, rng: np.random.Generator) -> Dataset:
    copied = copy_of(week, jittered(week, rng, 1e-4))
    ahead = {run: rng.uniform(-1e6, 1e6) for run in np.unique(copied.run.astype(str))}
    shifts = np.array([ahead[str(run)] for run in copied.run])
    return together(week, dataclasses.replace(copied, time=week.time + shifts))


def _dealt(parts: int) -> Kind:
    def dealt(week: Dataset, rng: np.random.Generator) -> Dataset:
        part = place_of(week) % parts
        run = [
            name if not number else f"copy{number} {name}"
            for name, number in zip(week.run, part, strict=True)
        ]
        return dataclasses.replace(week, run=np.array(run, dtype=object))

    return dealt


def _resampled(week: Dataset, rng: np.random.Generator) -> Dataset:
    """Averages of two neighbouring rows, once from the first row on and once from the second."""
    run = week.run.astype(str)
    follows = np.append(run[1:] == run[:-1], False)
    X = np.where(follows[:, None], (week.X + np.roll(week.X, -1, axis=0)) / 2, week.X)
    week = dataclasses.replace(week, X=X).take(follows)
    return _dealt(2)(week, rng)


KINDS: dict[str, Kind] = {
    **{f"jitter {size:.3%}": _jitter(size) for size in JITTERS},
    "0.01 %, each run another clock": _shuffled_clock,
    "three copies, 0.1 %": _three,
    "second half of each run, 0.1 %": _half,
    "every second row, 0.1 %": _thinned,
    "rounded to a tenth": _rounded,
    "gain 1.0001": _gain,
    "odd and even rows": _dealt(2),
    "dealt to three runs": _dealt(3),
    "averages of two, other offset": _resampled,
}


# Tables


def found(data: Dataset) -> tuple[int, int, int, float]:
    """Copied runs, those of them found, and runs grouped with a stranger; seconds."""
    began = time.perf_counter()
    groups = copied_runs(data.X, data.run, data.time)
    seconds = time.perf_counter() - began
    original = {name: name.split(" ", 1)[-1] for name in map(str, set(data.run))}
    copied = [name for name in original if name.startswith("copy")]
    partner = {name: group.runs for group in groups for name in group.runs}
    hits = sum(
        any(original[other] == original[name] and other != name for other in partner.get(name, ()))
        for name in copied
    )
    strangers = sum(len({original[name] for name in group.runs}) - 1 for group in groups)
    return len(copied), hits, strangers, seconds


def found_table(sets: dict[str, Dataset], weeks: int) -> None:
    """Which copies are found."""
    print(
        f"\nShare of copied runs that are found (strangers in the same group, of all runs), {weeks} weeks a cell\n"
    )
    families = list(dict.fromkeys(name.split("/")[0] for name in sets))
    print(f"| | {' | '.join(families)} |\n|---|{'---:|' * len(families)}")
    slowest = 0.0
    for title, kind in KINDS.items():
        cells = []
        for family in families:
            totals = np.zeros(3)
            for name, data in sets.items():
                if name.split("/")[0] != family or (
                    title in NEED_LONG_RUNS and family == "ai4i2020"
                ):
                    continue
                rng = np.random.default_rng([len(title), len(name)])
                for _ in range(weeks):
                    *counts, seconds = found(kind(week_of(data, rng), rng))
                    totals += counts
                    slowest = max(slowest, seconds)
            cells.append(
                f"{totals[1] / totals[0]:.1%} ({totals[2] / totals[0]:.1%})" if totals[0] else "–"
            )
        print(f"| {title} | {' | '.join(cells)} |", flush=True)
    print(f"\nThe slowest week took {slowest:.1f} s.")


# Runs of one row cannot be dealt.
NEED_LONG_RUNS = (
    "odd and even rows",
    "dealt to three runs",
    "averages of two, other offset",
    "every second row, 0.1 %",
)


def clean_table(sets: dict[str, Dataset], weeks: int) -> None:
    """What is found where there are no copies."""
    print(f"\nFalse findings: each set as it is, {weeks} weeks of it, and other sets as source\n")
    print(
        "| | rows | runs | groups found | weeks with a finding | seconds |\n|---|---:|---:|---:|---:|---:|"
    )
    for name, data in sets.items():
        began = time.perf_counter()
        groups = copied_runs(data.X, data.run, data.time)
        seconds = time.perf_counter() - began
        rng = np.random.default_rng(len(name))
        drawn = [week_of(data, rng) for _ in range(weeks)]
        wrong = sum(bool(copied_runs(week.X, week.run, week.time)) for week in drawn)
        print(
            f"| {name} | {len(data)} | {len(set(data.run))} | {len(groups)} | {wrong} | {seconds:.1f} |",
            flush=True,
        )


def source_table(sets: dict[str, Dataset]) -> None:
    """What is found of the source."""
    print("\nThe source's rows as the target's: runs set aside\n")
    print(
        "| source → target | rows set aside, as it is | a third of the runs from the source, 0.1 % | rows set aside wrongly |\n|---|---:|---:|---:|"
    )
    pairs = (
        ("hydraulic/cooler100.csv", "hydraulic/cooler3.csv"),
        ("ai4i2020/typeL.csv", "ai4i2020/typeH.csv"),
        ("cmapss/FD001.csv.gz", "cmapss/FD003.csv.gz"),
        ("skab/valve1.csv.gz", "skab/valve2.csv"),
        ("ai4i2020/typeL.csv", "ai4i2020/typeM.csv"),
        ("cmapss/FD001.csv.gz", "cmapss/FD002.csv.gz"),
    )
    for source_name, target_name in pairs:
        if not {source_name, target_name} <= set(sets):
            continue
        rng = np.random.default_rng(0)
        source, target = sets[source_name], week_of(sets[target_name], rng)
        kept = source.X[
            np.sort(rng.choice(len(source), min(20_000, round(0.6 * len(source))), replace=False))
        ]
        clean = rows_of_source(target, kept)
        taken = week_of(source, rng)
        names = np.unique(taken.run.astype(str))
        few = taken.take(
            np.isin(taken.run.astype(str), rng.permutation(names)[: max(1, len(names) // 3)])
        )
        given = together(target, copy_of(few, jittered(few, rng, 1e-3)))
        known = rows_of_source(given, kept, copied_runs(given.X, given.run, given.time))
        theirs = np.arange(len(given)) >= len(target)
        print(
            f"| {source_name} → {target_name} | {clean.sum()} | {known[theirs].mean():.1%} | {known[~theirs].sum()} |",
            flush=True,
        )


# Promotion


def at_random(data: Dataset, rng: np.random.Generator, by: str) -> Dataset:
    """The same with labels that mean nothing, drawn for each original row or run, copies alike.

    Drawn by nobody the labels are the true ones.
    """
    original = np.array(
        [
            str(name).split(" ", 1)[-1] if str(name).startswith("copy") else str(name)
            for name in data.run
        ]
    )
    share = 0.25
    if by == "nobody":
        return data
    if by == "run":
        names, place = np.unique(original, return_inverse=True)
        labels = rng.random(len(names)) < share
        return dataclasses.replace(data, y=labels[place].astype(np.int8))
    names, place = np.unique(
        [f"{run} {value:.6g}" for run, value in zip(original, _own_time(data), strict=True)],
        return_inverse=True,
    )
    labels = rng.random(len(names)) < share
    return dataclasses.replace(data, y=labels[place].astype(np.int8))


def _own_time(data: Dataset) -> np.ndarray:
    """(n,) place of a row among those of its run; that of a copy is its original's."""
    return place_of(data)


def promoted(data: Dataset, model: str, rng: np.random.Generator, *, rule: bool) -> bool:
    """Whether the gate promotes a first model that learned from these rows."""
    if rule:
        data = one_run_each(data, copied_runs(data.X, data.run, data.time))
    try:
        split = split_rows(data, SplitOptions(), seed=0)
    except DataError:
        return False
    pairs = [(fold.train, fold.test) for fold in split.folds] or [
        (np.union1d(split.train, split.calibration), split.test)
    ]
    if any(data.y[train].min() == data.y[train].max() for train, _ in pairs):
        return False  # nothing to learn from
    probabilities = np.full(len(data), np.nan)
    for train, test in pairs:
        fitted = _model(model).fit(data.X[train], data.y[train])
        probabilities[test] = fitted.predict_proba(data.X[test])[:, 1]
    judged = np.flatnonzero(np.isfinite(probabilities))
    rows = data.take(judged)
    if rows.faults in (0, len(rows)):
        return False
    alarms = probabilities[judged] > 0.5
    fold = split.fold_numbers[judged] if split.folds else np.zeros(len(judged), dtype=int)
    scored = ScoredRows(rows.y, probabilities[judged], alarms, rows.run, rows.time, fold)
    options = GateOptions()
    return judge(gather(scored, {}, options), options).promoted


def _model(name: str) -> object:
    if name == "logistic":
        return make_pipeline(RobustScaler(), LogisticRegression(max_iter=300))
    return lightgbm.LGBMClassifier(n_estimators=60, min_child_samples=3, n_jobs=1, verbose=-1)


NO_COPIES = "no copies"
PROMOTION_KINDS = (
    *(f"jitter {size:.3%}" for size in JITTERS),
    "0.01 %, each run another clock",
    "odd and even rows",
    NO_COPIES,
)


def promotion_table(sets: dict[str, Dataset], weeks: int) -> None:
    """How often labels at random are promoted, and without copies the true ones."""
    print(
        f"\nPromoted, {weeks} weeks of each set for each kind of label; without the rule / with it (exact 95 % bounds)\n"
    )
    print("| | model | labels drawn by | without the rule | with it |\n|---|---|---|---:|---:|")
    for title in PROMOTION_KINDS:
        for model in ("boosting", "logistic"):
            for by in ("nobody",) if title == NO_COPIES else ("row", "run"):
                counts, total = np.zeros(2, dtype=int), 0
                for name, data in sets.items():
                    if title in NEED_LONG_RUNS and name.startswith("ai4i"):
                        continue
                    rng = np.random.default_rng([len(title), len(name), by == "run"])
                    for _ in range(weeks):
                        week = week_of(data, rng)
                        given = KINDS[title](week, rng) if title in KINDS else week
                        given = at_random(given, rng, by)
                        counts += [promoted(given, model, rng, rule=rule) for rule in (False, True)]
                        total += 1
                cells = [
                    f"{count / total:.1%} [{lowest_share(count, total, 0.975):.1%}, {highest_share(count, total, 0.975):.1%}]"
                    for count in counts.tolist()
                ]
                print(f"| {title} | {model} | {by} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Are copies that hide found, and nothing else?")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--weeks", type=int, default=10)
    parser.add_argument("--tables", nargs="+", default=["found", "clean", "source", "promotion"])
    parser.add_argument("--sets", nargs="+", default=[*SEEN, *UNSEEN])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = {name: load(name, arguments.data) for name in arguments.sets}
    runs = {
        "found": functools.partial(found_table, sets, arguments.weeks),
        "clean": functools.partial(clean_table, sets, arguments.weeks),
        "source": functools.partial(source_table, sets),
        "promotion": functools.partial(promotion_table, sets, arguments.weeks),
    }
    for table in arguments.tables:
        runs[table]()


if __name__ == "__main__":
    main()
