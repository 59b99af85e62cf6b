"""How surely columns that are no measurements are found: prints the table of ``docs/columns.md``.

    uv run python benchmarks/column_kinds.py --data DIR

Into each shared data set, as it is, columns are planted that a plant might export: state words,
stop timers, counters, clocks, machine numbers, qualities; and harmless ones beside them. Names,
codes, delays and scales are drawn. Seeds below 1000 were used while the rules were built; the table
takes those from 1000 on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.column_kinds.kinds import find_kinds, kind_of
from faultxfer.column_kinds.rows import ColumnRows

_NOT_SENSORS = {
    *("seq", "timestamp", "equipment", "run"),
    *("fault", "fault_type", "fault_pump", "fault_accu"),
}
_FRESH = 1000
_START = 1_767_571_200.0

# By name: the files, and the seconds between two rows where the file counts rows.
_SETS = {
    "ai4i2020": (("typeL.csv", "typeM.csv", "typeH.csv"), 60.0),
    "cmapss": (("FD001.csv.gz", "FD002.csv.gz", "FD003.csv.gz", "FD004.csv.gz"), 7200.0),
    "hydraulic": (("cooler100.csv", "cooler20.csv", "cooler3.csv"), 60.0),
    "skab": (("valve1.csv.gz", "valve2.csv", "other.csv"), 1.0),
    "tep": (tuple(f"tep-mode{mode}.csv.gz" for mode in (1, 3, 4, 6)), 180.0),
}


@dataclass(frozen=True)
class Plant:
    """One set of rows under one label."""

    name: str
    rows: ColumnRows


def main() -> None:
    """Plant, look, count."""
    parser = argparse.ArgumentParser(description="Columns that are no measurements.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds")
    parser.add_argument("--from-seed", type=int, default=_FRESH, help="the first seed")
    parser.add_argument("--show", action="store_true", help="name what was missed")
    arguments = parser.parse_args()
    plants = read_plants(arguments.data)
    seeds = range(arguments.from_seed, arguments.from_seed + arguments.seeds)
    print(as_they_are(plants), flush=True)
    print(otherwise(plants, seeds), flush=True)
    print(planted(plants, seeds, show=arguments.show))


# The data sets


def read_plants(folder: Path) -> list[Plant]:
    """Each file under each label, and all files of a set together."""
    plants = []
    for name, (files, period) in _SETS.items():
        if not (folder / name).exists():
            continue
        frames = [pd.read_csv(folder / name / file) for file in files]
        labels = [label for label in ("fault", "fault_pump", "fault_accu") if label in frames[0]]
        for label in labels:
            title = name if label == "fault" else f"{name} ({label})"
            for file, frame in zip(files, frames, strict=True):
                stem = file.split(".")[0]
                plants.append(Plant(f"{title}/{stem}", _rows([frame], label, period)))
            plants.append(Plant(f"{title}/all", _rows(frames, label, period)))
    return plants


def _rows(frames: list[pd.DataFrame], label: str, period: float) -> ColumnRows:
    table = pd.concat(frames, ignore_index=True)
    sensors = [name for name in table if name not in _NOT_SENSORS]
    if "timestamp" in table:
        seconds = (
            pd.to_datetime(table["timestamp"]).astype("datetime64[s]").astype("int64").to_numpy()
        )
        seconds = seconds.astype(float)
    else:
        seconds = _START + period * table["seq"].to_numpy(float)
    runs = table["equipment"].astype(str) + "/" + table["run"].astype(str)
    return ColumnRows(
        {str(name): table[name].to_numpy(float) for name in sensors},
        pd.factorize(table["equipment"])[0],
        pd.factorize(runs)[0],
        (table[label] > 0).to_numpy(float),
        seconds,
    )


def as_they_are(plants: list[Plant]) -> str:
    """What is said of the sensors that are there."""
    lines = ["| rows | sensors | left out | questions | constant |", "|---|---:|---|---|---|"]
    for plant in plants:
        found = find_kinds(plant.rows)
        cells = [
            ", ".join(each.column for each in found if each.kind not in ("question", "constant")),
            ", ".join(each.column for each in found if each.kind == "question"),
            ", ".join(each.column for each in found if each.kind == "constant"),
        ]
        shown = " | ".join(cell or "none" for cell in cells)
        lines.append(f"| {plant.name} | {len(plant.rows.values)} | {shown} |")
    return "\n".join([*lines, ""])


# Labels that mean nothing, and runs that nobody named


def otherwise(plants: list[Plant], seeds: range) -> str:
    """How many real sensors are called something under other labels, or in one long run."""
    called = {"labels shuffled by row": 0, "labels moved along the rows": 0}
    asked = 0
    for plant in plants:
        for seed in seeds:
            rng = np.random.default_rng([seed, sum(map(ord, plant.name)), 1])
            asked += len(plant.rows.values)
            called["labels shuffled by row"] += _called(_shuffled(plant.rows, rng))
            called["labels moved along the rows"] += _called(_moved(plant.rows, rng))
    lines = ["| real sensors, where | columns | called anything |", "|---|---:|---:|"]
    lines += [f"| {title} | {asked} | {count / asked:.2%} |" for title, count in called.items()]
    sensors = sum(len(plant.rows.values) for plant in plants)
    long = sum(_called(_one_run(plant.rows)) for plant in plants)
    lines.append(f"| all rows of a machine are one run | {sensors} | {long / sensors:.2%} |")
    return "\n".join([*lines, ""])


def _called(rows: ColumnRows) -> int:
    """How many columns are left out: a question leaves none out."""
    return sum(found.kind not in ("question", "constant") for found in find_kinds(rows))


def _shuffled(rows: ColumnRows, rng: np.random.Generator) -> ColumnRows:
    return ColumnRows(
        rows.values, rows.machine, rows.run, rng.permutation(rows.fault), rows.seconds
    )


def _moved(rows: ColumnRows, rng: np.random.Generator) -> ColumnRows:
    """The course of the labels moved round by as many rows as chance wants."""
    fault = np.empty_like(rows.fault)
    fault[rows.order] = np.roll(rows.fault[rows.order], int(rng.integers(1, len(rows))))
    return ColumnRows(rows.values, rows.machine, rows.run, fault, rows.seconds)


def _one_run(rows: ColumnRows) -> ColumnRows:
    return ColumnRows(rows.values, rows.machine, rows.machine, rows.fault, rows.seconds)


# What is planted: (n,) values, or None where the rows have no room for it


def _shown(rows: ColumnRows, rng: np.random.Generator, share: float) -> np.ndarray:
    """(n,) bool, the rows in which a controller says fault: late at each fault, or with holes."""
    fault = rows.fault == 1
    if rng.random() < 0.5:
        return fault & (rng.random(len(rows)) < share)
    shown = np.zeros(len(rows), dtype=bool)
    number = rows.stretches.number
    order = rows.order[fault[rows.order]]
    for stretch in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        late = int(np.floor(len(stretch) * (1 - share) + rng.random()))
        shown[stretch[late:]] = True
    return shown


def state_word(rows: ColumnRows, rng: np.random.Generator, share: float) -> np.ndarray:
    """Codes that follow the duty while all is well, and others in fault rows."""
    normal = rng.choice(400, size=int(rng.integers(1, 4)), replace=False)
    faulty = 400 + rng.choice(400, size=int(rng.integers(1, 6)), replace=False)
    if rng.random() < 0.5:
        normal, faulty = 800 - normal, 800 - faulty
    word = _duty(rows, rng, len(normal))
    values = normal[word].astype(float)
    shown = _shown(rows, rng, share)
    values[shown] = rng.choice(faulty, size=int(shown.sum()))
    return values * rng.choice([1.0, 0.1, 10.0])


def stop_timer(rows: ColumnRows, rng: np.random.Generator, share: float) -> np.ndarray:
    """One value while all is well; times drawn, or counted, in fault rows."""
    values = np.zeros(len(rows))
    shown = _shown(rows, rng, share)
    kind = rng.integers(3)
    if kind == 0:
        values[shown] = rng.integers(1, 600, size=int(shown.sum()))
    elif kind == 1:
        values[shown] = rng.exponential(60.0, size=int(shown.sum())) + 0.1
    else:
        inside = np.cumsum(shown[rows.order])
        values[rows.order] = np.where(shown[rows.order], 1 + inside % int(rng.integers(30, 900)), 0)
    return values * rng.choice([1.0, 0.5, 60.0]) + rng.choice([0.0, 0.0, 5.0])


def hours(rows: ColumnRows, rng: np.random.Generator) -> np.ndarray | None:
    """Operating hours of each machine, standing still at times, with two to four digits."""
    return _rising(rows, rng, still=float(rng.choice([0.0, 0.2])), overflow=False)


def energy(rows: ColumnRows, rng: np.random.Generator) -> np.ndarray | None:
    """An energy counter that overflows."""
    return _rising(rows, rng, still=0.0, overflow=True)


def _rising(
    rows: ColumnRows, rng: np.random.Generator, *, still: float, overflow: bool
) -> np.ndarray | None:
    if rows.single_rows:
        return None
    order = rows.order if rng.random() < 0.5 else rows.machine_order
    values = np.zeros(len(rows))
    moves = rng.random(len(rows)) >= still
    rises = rng.gamma(5.0, float(rng.choice([0.2, 1.0, 40.0])), size=len(rows)) * moves
    total = np.cumsum(rises)
    start = float(rng.uniform(0, 1e5))
    values[order] = start + total
    if overflow:
        most = float(max(rng.choice([0.2, 0.6]) * total[-1], 60 * rises.mean()))
        values = values % most
    return np.round(values, int(rng.integers(1, 4)))


def epoch(rows: ColumnRows, rng: np.random.Generator) -> np.ndarray | None:
    """A second clock: seconds to nanoseconds, or the days of a spreadsheet, a little late."""
    assert rows.seconds is not None
    received = rows.seconds + rng.uniform(0, 0.5, size=len(rows)) + rng.choice([0, 3600.0])
    kind = int(rng.integers(5))
    if kind == 4:
        return received / 86_400 + 25_569
    return np.floor(received * 1e3**kind)


def machine_number(rows: ColumnRows, rng: np.random.Generator) -> np.ndarray | None:
    """A number for each machine."""
    machines = len(np.unique(rows.machine))
    if machines < 2 or rows.single_rows:
        return None
    return rng.choice(10_000, size=machines, replace=False)[rows.machine].astype(float)


def quality(rows: ColumnRows, rng: np.random.Generator) -> tuple[str, np.ndarray, np.ndarray]:
    """A quality for a sensor: (sensor, its readings with bad ones, the quality)."""
    sensors = [name for name in rows.values if rows.codes(name) is None]
    sensor = str(rng.choice(sensors))
    values = rows.values[sensor].copy()
    bad = _bursts(rows, rng, float(rng.uniform(0.01, 0.08)), longest=int(rng.integers(2, 30)))
    kind = int(rng.integers(3))
    if kind == 0:
        values[bad] = np.nan
    elif kind == 1:
        values[bad] = rng.choice([65535.0, -9999.0, -3276.8])
    else:
        values = _held(rows, values, bad)
    good, *others = rng.choice(256, size=int(rng.integers(2, 5)), replace=False).tolist()
    codes = np.full(len(rows), float(good))
    codes[bad] = rng.choice(others, size=int(bad.sum()))
    return sensor, values, codes


def _held(rows: ColumnRows, values: np.ndarray, bad: np.ndarray) -> np.ndarray:
    course = pd.Series(np.where(bad, np.nan, values)[rows.order])
    held = values.copy()
    held[rows.order] = course.ffill().bfill().to_numpy()
    return held


def _bursts(rows: ColumnRows, rng: np.random.Generator, share: float, longest: int) -> np.ndarray:
    bad = np.zeros(len(rows), dtype=bool)
    while bad.mean() < share:
        start = int(rng.integers(len(rows)))
        bad[rows.order[start : start + int(rng.integers(1, longest + 1))]] = True
    return bad


def setpoint(rows: ColumnRows, rng: np.random.Generator) -> np.ndarray:
    """A set value of few or many levels, changed at times that nobody chose by the faults."""
    changes = rng.random(len(rows)) < float(rng.choice([0.002, 0.01, 0.05]))
    if rng.random() < 0.4:
        changes = np.concatenate(([False], np.diff(rows.recording[rows.order]) != 0))
    number = np.cumsum(changes)
    levels = np.round(rng.normal(50, 15, size=int(rng.integers(2, 12))), int(rng.integers(3)))
    values = np.zeros(len(rows))
    values[rows.order] = rng.choice(levels, size=int(number[-1]) + 1)[number]
    return values


def valve_state(rows: ColumnRows, rng: np.random.Generator) -> np.ndarray:
    """Codes that follow the duty."""
    codes = rng.choice(64, size=int(rng.integers(2, 6)), replace=False)
    return codes[_duty(rows, rng, len(codes))].astype(float)


def _duty(rows: ColumnRows, rng: np.random.Generator, levels: int) -> np.ndarray:
    """(n,) integers below ``levels`` that follow a smoothed sensor of the plant."""
    sensor = str(rng.choice(list(rows.values)))
    course = pd.Series(rows.values[sensor][rows.order])
    smooth = course.rolling(int(rng.integers(1, 15)), min_periods=1).mean().to_numpy()
    bounds = np.nanquantile(smooth, np.sort(rng.uniform(0.1, 0.9, size=levels - 1)))
    duty = np.zeros(len(rows), dtype=int)
    duty[rows.order] = np.searchsorted(bounds, smooth)
    return duty


# Counting

Planting = Callable[[ColumnRows, np.random.Generator], np.ndarray | None]

_TIMES: dict[str, tuple[Planting, tuple[str, ...]]] = {
    "hours": (hours, ("counter", "clock")),
    "energy, with overflow": (energy, ("counter",)),
    "epoch": (epoch, ("clock",)),
    "machine number": (machine_number, ("name",)),
}
_HARMLESS: dict[str, Planting] = {"setpoint": setpoint, "valve state": valve_state}
_SHARES = (0.6, 0.8, 0.9, 1.0)


class _Count:
    """Hits of one line of the table, and what was missed."""

    def __init__(self, *, show: bool) -> None:
        self.hits: dict[str, list[bool]] = {}
        self.show = show

    def add(self, line: str, plant: Plant, seed: int, said: object, *, hit: bool) -> None:
        self.hits.setdefault(line, []).append(hit)
        if self.show and hit == line.startswith("harmless"):
            print(f"    {line}: {plant.name}, seed {seed}: {said}")

    def table(self) -> str:
        lines = ["| planted | columns | called so |", "|---|---:|---:|"]
        for line, hits in self.hits.items():
            lines.append(f"| {line} | {len(hits)} | {np.mean(hits):.1%} |")
        return "\n".join([*lines, ""])


def planted(plants: list[Plant], seeds: range, *, show: bool) -> str:
    """The table of what was found."""
    count = _Count(show=show)
    for plant in plants:
        for seed in seeds:
            rng = np.random.default_rng([seed, sum(map(ord, plant.name))])
            _leaks(count, plant, seed, rng)
            for line, (plants_it, right) in _TIMES.items():
                values = plants_it(plant.rows, rng)
                if values is not None:
                    _look(count, line, plant, seed, {"X_17": values}, right)
            sensor, readings, codes = quality(plant.rows, rng)
            both = {sensor: readings, "X_17": codes}
            _look(count, "quality, 1 to 8 % bad", plant, seed, both, ("quality",))
            for line, harmless in _HARMLESS.items():
                values = harmless(plant.rows, rng)
                any_kind = ("leak", "question", "counter", "clock", "quality", "name", "copy")
                _look(count, f"harmless: {line}", plant, seed, {"X_17": values}, any_kind)
    return count.table()


def _leaks(count: _Count, plant: Plant, seed: int, rng: np.random.Generator) -> None:
    for share in _SHARES:
        for line, leaking in (("state word", state_word), ("stop timer", stop_timer)):
            values = leaking(plant.rows, rng, share)
            title = f"{line}, in {share:.0%} of the fault rows"
            _look(count, title, plant, seed, {"X_17": values}, ("leak",))


def _look(
    count: _Count,
    line: str,
    plant: Plant,
    seed: int,
    planting: dict[str, np.ndarray],
    right: tuple[str, ...],
) -> None:
    """Put the columns into the rows and ask what the planted one is."""
    rows = plant.rows
    with_it = ColumnRows(
        {**rows.values, **planting}, rows.machine, rows.run, rows.fault, rows.seconds
    )
    # What is known of the rows does not depend on the columns.
    vars(with_it).update(
        {name: getattr(rows, name) for name in ("recording", "order", "stretches")}
    )
    said = kind_of(with_it, "X_17")
    count.add(line, plant, seed, said, hit=said is not None and said.kind in right)


if __name__ == "__main__":
    main()
