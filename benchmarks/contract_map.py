"""How often another machine's columns find their sensors: prints the table of ``docs/mapping.md``.

    uv run python benchmarks/contract_map.py --data DIR

Of each shared data set one machine keeps its names and another one is written as a plant elsewhere
would: behind a prefix or under codes, half of the units in another one, a fifth of the sensors with
a unit in tenths, all columns in another order. Names, units and order are drawn; seeds 0 to 2 were
used while the mapper was built, and the table takes those from 3 on. Right is a sensor whose column
is the first proposal; sensors that were named as indistinguishable are counted apart. The same is
said of the made-up families of ``tests/mapping``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.contract.units import conversion
from faultxfer.mapping.matching import Known
from faultxfer.mapping.proposing import Proposals, propose
from faultxfer.mapping.statistics import statistics_of

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "mapping"))

from families import FAMILIES, Family
from tuning_families import TUNING

_NOT_SENSORS = {
    *("seq", "timestamp", "time", "equipment", "run"),
    *("fault", "fault_type", "fault_pump", "fault_accu"),
}
_PAIRS = {
    "ai4i2020": (("typeL.csv", "typeH.csv"), ("typeM.csv", "typeH.csv")),
    "cmapss": (("FD001.csv.gz", "FD003.csv.gz"), ("FD002.csv.gz", "FD004.csv.gz")),
    "hydraulic": (("cooler100.csv", "cooler20.csv"), ("cooler100.csv", "cooler3.csv")),
    "skab": (("valve1.csv.gz", "valve2.csv"), ("valve1.csv.gz", "other.csv")),
    "tep": (("tep-mode1.csv.gz", "tep-mode3.csv.gz"),),
}
# Units as the makers of the sets give them, by the beginning of a name.
_UNITS = {
    "ai4i2020": {"air": "K", "process": "K", "rot": "rpm", "torque": "Nm"},
    "hydraulic": {
        **{"FS": "l/min", "TS": "degC", "VS": "mm/s", "SE": "%", "CE": "%", "CP": "kW"},
    },
    "skab": {
        **{"Acc": "g", "Current": "A", "Pressure": "bar", "Temp": "degC", "Thermo": "degC"},
        **{"Voltage": "V", "Volume": "l/min"},
    },
}
_ELSEWHERE = {
    **{"K": "degC", "degC": "degF", "bar": "psi", "l/min": "gpm", "mm/s": "in/s", "kW": "hp"},
    **{"rpm": "Hz", "g": "m/s2"},
}
_OTHER_UNIT, _TENTHS = 0.5, 0.2
_ROWS = 4000
# Sets with at least so many sensors lose one on either side.
_MANY = 8
_WAYS = ("prefix", "codes")


@dataclass(frozen=True)
class Count:
    """How many sensors were right, wrong and named as indistinguishable."""

    sensors: int = 0
    right: int = 0
    marked: int = 0
    right_of_others: int = 0
    scaled: int = 0
    sure: int = 0
    right_of_sure: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(a + b for a, b in zip(self.all, other.all, strict=True)))

    @property
    def all(self) -> tuple[int, ...]:
        """In the order of the fields."""
        first = (self.sensors, self.right, self.marked, self.right_of_others, self.scaled)
        return (*first, self.sure, self.right_of_sure)

    def line(self, name: str) -> str:
        """A line of the table."""
        others = self.sensors - self.marked
        share = self.right_of_others / others if others else float("nan")
        return (
            f"| {name} | {self.sensors} | {self.right / self.sensors:.3f} | "
            f"{self.marked / self.sensors:.3f} | {share:.3f} | {self.scaled / self.sensors:.3f} | "
            f"{self.sure / self.sensors:.3f} | {self.right_of_sure / max(1, self.sure):.3f} |"
        )


def main() -> None:
    """Rename, propose, count."""
    parser = argparse.ArgumentParser(description="Columns of another machine and their sensors.")
    parser.add_argument("--data", type=Path, help="folder of the data sets; made-up ones without")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds")
    parser.add_argument("--from-seed", type=int, default=3, help="the first seed")
    parser.add_argument("--tuning", action="store_true", help="the families to tune by alone")
    parser.add_argument("--show", action="store_true", help="name what was wrong")
    arguments = parser.parse_args()
    print(
        "| | sensors | right | marked | right of the others | unit and scale right | sure | right of the sure, with unit and scale |"
    )
    print("|---|---|---|---|---|---|---|---|")
    if arguments.data:
        seeds = range(arguments.from_seed, arguments.from_seed + arguments.seeds)
        for line in shared(arguments.data, seeds, show=arguments.show):
            print(line, flush=True)
    for family in (TUNING if arguments.tuning else FAMILIES).values():
        print(made_up(family, show=arguments.show), flush=True)


# Shared sets


def shared(folder: Path, seeds: range, *, show: bool) -> Iterator[str]:
    """A line for each pair and way of renaming."""
    total = {way: Count() for way in _WAYS}
    for name, pairs in _PAIRS.items():
        for source, target in pairs:
            if not (folder / name / source).exists():
                continue
            frames = [_normal(folder / name / file) for file in (source, target)]
            for way in _WAYS:
                count = Count()
                for seed in seeds:
                    count += _one(name, *frames, way, seed, show=show)
                total[way] += count
                pair = f"{source.split('.')[0]} → {target.split('.')[0]}"
                yield count.line(f"{name} {pair}, {way}")
    yield from (count.line(f"all, {way}") for way, count in total.items() if count.sensors)


def _normal(path: Path) -> pd.DataFrame:
    """Normal rows, as many as a few runs have, in their order."""
    frame = pd.read_csv(path)
    frame = frame[frame["fault"] == 0]
    return frame.iloc[:: len(frame) // _ROWS + 1]


def _one(
    name: str, old: pd.DataFrame, new: pd.DataFrame, way: str, seed: int, *, show: bool
) -> Count:
    every = tuple(column for column in old if column not in _NOT_SENSORS)
    rng = np.random.default_rng((seed, len(every), _WAYS.index(way)))
    new_one, missing = _left_out(every, rng)
    sensors = tuple(sensor for sensor in every if sensor != new_one)
    units = {sensor: _unit(name, sensor) for sensor in every}
    tags = _tags(every, way, rng)
    columns, written = {}, {}
    elsewhere = {unit: _ELSEWHERE.get(unit, unit) for unit in sorted(set(units.values()))}
    there = {unit: other for unit, other in elsewhere.items() if rng.random() < _OTHER_UNIT}
    for sensor in every:
        if sensor != missing:
            unit = units[sensor]
            found = _written(new[sensor], unit, there.get(unit, unit), rng)
            columns[tags[sensor]], written[sensor] = found
    order = [str(tag) for tag in rng.permutation(list(columns))]
    source = Known(sensors, {one: units[one] for one in sensors if units[one]}, {})
    target = Known(tuple(order), {}, {})
    proposals = propose(
        source,
        target,
        statistics_of(sensors, old[list(sensors)].to_numpy(float)),
        statistics_of(tuple(order), pd.DataFrame(columns)[order].to_numpy(float)),
    )
    right = {sensor: None if sensor == missing else tags[sensor] for sensor in sensors}
    return _count(proposals, right, written, show=show)


def _left_out(sensors: tuple[str, ...], rng: np.random.Generator) -> tuple[str, str]:
    """A sensor that only the new machine has, and one that only the old ones have."""
    first, second = rng.permutation(sensors)[:2]
    return (str(first), str(second)) if len(sensors) >= _MANY else ("", "")


def _unit(name: str, sensor: str) -> str:
    if sensor.endswith(("_slope", "_std")):
        return ""
    if sensor.startswith("PS"):
        return "bar"
    return next(
        (unit for start, unit in _UNITS.get(name, {}).items() if sensor.startswith(start)), ""
    )


def _tags(sensors: tuple[str, ...], way: str, rng: np.random.Generator) -> dict[str, str]:
    if way == "prefix":
        number = rng.integers(2, 99)
        return {sensor: f"P{number}.{sensor.upper()}.PV" for sensor in sensors}
    codes = rng.permutation(np.arange(100, 100 + 3 * len(sensors)))
    return {sensor: f"AI_{code:04d}" for sensor, code in zip(sensors, codes, strict=False)}


def _written(
    values: pd.Series, unit: str, other: str, rng: np.random.Generator
) -> tuple[pd.Series, tuple[float, float]]:
    """Readings as the other plant writes them, and factor and offset back to the contract's."""
    stored = 10.0 if unit and rng.random() < _TENTHS else 1.0
    if not unit:
        return values * stored, (1 / stored, 0.0)
    there, back = conversion(unit, other), conversion(other, unit)
    written = (values * there[0] + there[1]) * stored
    return written, (back[0] / stored, back[1])


# Made-up families


def made_up(family: Family, *, show: bool) -> str:
    """The line of a family; what was made indistinguishable counts as marked or not."""
    old, new = family.old(), family.newer()
    old, new = old[old["fault"] == 0], new[new["fault"] == 0]
    sensors = tuple(family.units)
    tags = tuple(column for column in new if column not in _NOT_SENSORS)
    stated = {how.tag: how.unit for how in family.written.values()} if family.units_row else {}
    proposals = propose(
        Known(sensors, {one: unit for one, unit in family.units.items() if unit}, {}),
        Known(tags, stated, family.descriptions),
        statistics_of(sensors, old[list(sensors)].to_numpy(float)),
        statistics_of(tags, new[list(tags)].to_numpy(float)),
    )
    written = {}
    for name, how in family.written.items():
        factor, offset = conversion(how.unit, family.units[name])
        written[name] = (factor / how.stored, offset)
    alike = frozenset().union(*family.alike)
    named = {name for name in alike if proposals.of(name).alike}
    others = {name: tag for name, tag in family.right.items() if name not in alike}
    count = _count(proposals, others, written, show=show)
    told = f"{len(named)} of {len(alike)} made alike are named"
    return count.line(f"{family.name}, without those made alike ({told})")


def _count(
    proposals: Proposals,
    right: dict[str, str | None],
    written: dict[str, tuple[float, float]],
    *,
    show: bool,
) -> Count:
    count = Count()
    for sensor, tag in right.items():
        found = proposals.of(sensor)
        hit, marked = found.tag == tag, bool(found.alike)
        scaled = hit and (tag is None or np.allclose(found.to_contract, written[sensor], rtol=1e-3))
        sure = found.sure
        count += Count(1, hit, marked, hit and not marked, scaled, sure, sure and scaled)
        if show and not (hit and scaled):
            print(f"  {sensor}: {found.tag} ({found.to_contract}), right is {tag}", file=sys.stderr)
    return count


if __name__ == "__main__":
    main()
