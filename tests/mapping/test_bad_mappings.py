"""Bad mappings: each is refused, found by `validate`, or asked about by `contract map`.

Twenty, and a twin of each with other sensors, names and numbers: one family has instrument tags and
American units (its names say little), the other Italian tags (its names say much).
"""

from __future__ import annotations

import copy
import functools
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from families import Family
from tuning_families import TUNING

from faultxfer.contract.schema import parse_contract
from faultxfer.errors import ContractError
from faultxfer.mapping.checking import Kind
from faultxfer.steps.intake import check_files
from faultxfer.steps.mapping import MappedSensors, map_sensors

Entry = dict[str, Any]


@dataclass(frozen=True)
class Names:
    """Sensors of a family by what the cases do with them.

    Attributes:
        one, other: two sensors of different kinds; third: one more.
        same, twin: two of one kind that can be told apart.
        degrees: a temperature; pressure: in another unit on the new machine.
        plain: a sensor that needs no unit there.
        new: the tag that only the new machine has.
        alike: two that nobody can tell apart.
        foreign: a unit of another quantity than that of ``pressure``.
    """

    one: str
    other: str
    third: str
    same: str
    twin: str
    degrees: str
    pressure: str
    plain: str
    new: str
    alike: tuple[str, str]
    foreign: str


NAMES = {
    "presses": Names(
        "pump_flow", "oil_temperature", "tank_level", "system_pressure", "pilot_pressure",
        "motor_temperature", "system_pressure", "ram_force", "PL4.NZ-22.MEAS",
        ("column_strain_left", "column_strain_right"), "degC",
    ),
    "towers": Names(
        "fan_speed", "gearbox_vibration", "basin_level", "cold_water_temp", "hot_water_temp",
        "gearbox_oil_temp", "water_flow", "fan_speed", "TR2_ph",
        ("fan_current_1", "fan_current_2"), "bar",
    ),
}  # fmt: skip

# Of one family the files are the same in all cases.
_FILES = tempfile.TemporaryDirectory(prefix="families-", ignore_cleanup_errors=True)


@functools.cache
def written_once(name: str) -> Path:
    folder = Path(_FILES.name) / name
    TUNING[name].write(folder)
    return folder


families = pytest.mark.parametrize("name", [*NAMES])


def right_entry(family: Family) -> Entry:
    """The entry as it should be."""
    written = family.written.items()
    units = {sensor: how.unit for sensor, how in written if how.unit != family.units[sensor]}
    aliases = {how.tag: sensor for sensor, how in written}
    lacks = [sensor for sensor in family.units if sensor not in family.written]
    return {"aliases": aliases, "units": units, "scale": {}, **({"lacks": lacks} if lacks else {})}


def exchange(entry: Entry, *sensors: str) -> None:
    """Each sensor takes the tag of the next one."""
    tags = {sensor: tag for tag, sensor in entry["aliases"].items()}
    turned = [*sensors[1:], sensors[0]]
    for sensor, taken in zip(sensors, turned, strict=True):
        entry["aliases"][tags[taken]] = sensor


@dataclass(frozen=True)
class Plant:
    """The files of a family with one bad entry."""

    family: Family
    folder: Path
    names: Names

    def contract(self, spoil: Callable[[Entry, Names, Family], None]) -> dict[str, Any]:
        entry = copy.deepcopy(right_entry(self.family))
        spoil(entry, self.names, self.family)
        whole = yaml.safe_load(self.family.contract())
        return {**whole, "equipment": {self.family.machine: entry}}

    def written(self, spoil: Callable[[Entry, Names, Family], None]) -> Path:
        for file in ("new.csv", "old.csv"):
            shutil.copy(written_once(self.family.name) / file, self.folder)
        path = self.folder / "bad.yaml"
        path.write_text(yaml.safe_dump(self.contract(spoil)), encoding="utf-8")
        return path

    def mapped(self, spoil: Callable[[Entry, Names, Family], None]) -> MappedSensors:
        bad = self.written(spoil)
        new, old = str(self.folder / "new.csv"), str(self.folder / "old.csv")
        return map_sensors([new], bad, self.family.machine, like=[old])


@pytest.fixture
def plant(name: str, tmp_path: Path) -> Plant:
    return Plant(TUNING[name], tmp_path, NAMES[name])


def unspoilt(entry: Entry, names: Names, family: Family) -> None:
    """Nothing is wrong."""


@families
def test_a_right_mapping_raises_no_doubt_but_what_nobody_can_tell(plant: Plant) -> None:
    found = plant.mapped(unspoilt)
    assert {question.sensor for question in found.questions} == set(plant.names.alike)
    assert {question.kind for question in found.questions} == {"settle"}


# Cases 1 to 14: `contract map` asks


def _two_kinds(entry: Entry, names: Names, _: Family) -> None:
    exchange(entry, names.one, names.other)


def _one_kind(entry: Entry, names: Names, _: Family) -> None:
    exchange(entry, names.same, names.twin)


def _three_turned(entry: Entry, names: Names, _: Family) -> None:
    exchange(entry, names.one, names.other, names.third)


def _alike(entry: Entry, names: Names, _: Family) -> None:
    exchange(entry, *names.alike)


def _forgotten_unit(entry: Entry, names: Names, _: Family) -> None:
    entry["units"].pop(names.pressure)


def _needless_unit(entry: Entry, names: Names, family: Family) -> None:
    entry["units"][names.plain] = {"kN": "N", "rpm": "Hz"}[family.units[names.plain]]


def _wrong_degrees(entry: Entry, names: Names, family: Family) -> None:
    right = entry["units"].pop(names.degrees, "degC")
    entry["units"][names.degrees] = "K" if right == "degC" else "degC"


def _tenths(entry: Entry, names: Names, _: Family) -> None:
    entry["scale"][names.plain] = {"factor": 0.1}


def _hundredfold(entry: Entry, names: Names, _: Family) -> None:
    entry["scale"][names.pressure] = {"factor": 100.0}


def _offset(entry: Entry, names: Names, _: Family) -> None:
    entry["scale"][names.degrees] = {"offset": 273.15}


def _turned_sign(entry: Entry, names: Names, _: Family) -> None:
    entry["scale"][names.plain] = {"factor": -1.0}


def _misspelt_tag(entry: Entry, names: Names, family: Family) -> None:
    tag = family.written[names.one].tag
    entry["aliases"][tag[:-1] + "x"] = entry["aliases"].pop(tag)


def _new_tag(entry: Entry, names: Names, family: Family) -> None:
    entry["aliases"].pop(family.written[names.one].tag)
    entry["aliases"][names.new] = names.one


def _said_to_lack(entry: Entry, names: Names, family: Family) -> None:
    entry["aliases"].pop(family.written[names.third].tag)
    entry["units"].pop(names.third, None)
    entry["lacks"] = [*entry.get("lacks", []), names.third]


def _forgotten_tag(entry: Entry, names: Names, family: Family) -> None:
    entry["aliases"].pop(family.written[names.other].tag)


ASKED: dict[str, tuple[Callable[[Entry, Names, Family], None], Kind, tuple[str, ...]]] = {
    "1 two sensors swapped": (_two_kinds, "other", ("one", "other")),
    "2 two of one kind swapped": (_one_kind, "other", ("same", "twin")),
    "3 three turned": (_three_turned, "other", ("one", "other", "third")),
    "4 two that nobody can tell apart": (_alike, "settle", ("alike",)),
    "5 unit forgotten": (_forgotten_unit, "scale", ("pressure",)),
    "6 unit where there is none": (_needless_unit, "scale", ("plain",)),
    "7 degrees of another kind": (_wrong_degrees, "scale", ("degrees",)),
    "8 tenths that are none": (_tenths, "scale", ("plain",)),
    "9 a hundred times too much": (_hundredfold, "scale", ("pressure",)),
    "10 an offset that is none": (_offset, "scale", ("degrees",)),
    "11 the sign turned": (_turned_sign, "scale", ("plain",)),
    "12 a tag that the file has not": (_misspelt_tag, "absent", ("one",)),
    "13 a new column taken for it": (_new_tag, "other", ("one",)),
    "14 said to be lacking": (_said_to_lack, "left out", ("third",)),
    "15 tag forgotten": (_forgotten_tag, "left out", ("other",)),
}


@families
@pytest.mark.parametrize("case", [*ASKED])
def test_contract_map_asks(plant: Plant, case: str) -> None:
    spoil, kind, concerned = ASKED[case]
    found = plant.mapped(spoil)
    sensors: list[str] = []
    for field in concerned:
        value = getattr(plant.names, field)
        sensors += [value] if isinstance(value, str) else value
    for sensor in sensors:
        asked = [question for question in found.questions if question.sensor == sensor]
        assert [question.kind for question in asked] == [kind], found.questions
        assert f"#   {asked[0].text}." in found.draft.splitlines()
    if kind in ("other", "absent", "left out"):
        for sensor in sensors:
            proposed = next(one.proposed for one in found.questions if one.sensor == sensor)
            assert proposed == plant.family.written[sensor].tag


@families
def test_no_line_that_seems_sure_replaces_a_unit_that_somebody_wrote(plant: Plant) -> None:
    found = plant.mapped(_wrong_degrees)
    tag = plant.family.written[plant.names.degrees].tag
    doubted = found.proposals.of(plant.names.degrees)
    assert doubted.tag == tag
    assert not doubted.sure
    lines = [line.strip() for line in found.draft.splitlines() if tag in line]
    assert lines
    assert all(line.startswith("#") for line in lines)


# Cases 16 to 18: the contract is refused


def _two_tags(entry: Entry, names: Names, _: Family) -> None:
    entry["aliases"][names.new] = names.one


def _no_such_sensor(entry: Entry, names: Names, family: Family) -> None:
    entry["aliases"][family.written[names.one].tag] = f"{names.one}_2"


def _other_quantity(entry: Entry, names: Names, _: Family) -> None:
    entry["units"][names.pressure] = names.foreign


REFUSED = {
    "16 two tags for one sensor": (_two_tags, "each column has one tag"),
    "17 a sensor that the contract has not": (
        _no_such_sensor,
        "names columns the contract does not have",
    ),
    "18 a unit of another quantity": (_other_quantity, "two units of the same quantity"),
}


@families
@pytest.mark.parametrize("case", [*REFUSED])
def test_the_contract_is_refused(plant: Plant, case: str) -> None:
    spoil, told = REFUSED[case]
    with pytest.raises(ContractError, match=told):
        parse_contract(plant.contract(spoil), where="bad.yaml")


# Cases 19 and 20: `validate` finds


@families
def test_19_both_tag_and_name_in_the_file(plant: Plant, tmp_path: Path) -> None:
    path = plant.written(unspoilt)
    new = plant.folder / "new.csv"
    header, *rows = new.read_text(encoding="utf-8").splitlines()
    more = [f"{header},{plant.names.one}", *(f"{row},1" for row in rows)]
    new.write_text("\n".join(more) + "\n", encoding="utf-8")
    assert "COLUMN-TWICE" in codes(plant, path, new)


@families
def test_20_a_unit_that_the_file_contradicts(plant: Plant) -> None:
    path = plant.written(unspoilt)
    new = plant.folder / "new.csv"
    header, *rows = new.read_text(encoding="utf-8").splitlines()
    tag = plant.family.written[plant.names.pressure].tag
    stated = {"psi": "kPa", "l/s": "l/min"}[plant.family.written[plant.names.pressure].unit]
    units = [stated if name == tag else "" for name in header.split(",")]
    new.write_text("\n".join([header, ",".join(units), *rows]) + "\n", encoding="utf-8")
    assert "SENSOR-UNIT" in codes(plant, path, new)


def codes(plant: Plant, contract: Path, new: Path) -> set[str]:
    agreed = parse_contract(yaml.safe_load(contract.read_text(encoding="utf-8")), where="x")
    rows = check_files(
        [str(new)],
        agreed.for_machine(plant.family.machine),
        work=None,
        quarantine=plant.folder / "q",
        labelled=None,
        equipment=plant.family.machine,
    )
    return {finding.code for finding in rows.findings}
