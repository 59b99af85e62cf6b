"""`contract diff` says of a change of every field of the schema whether it ends older models."""

from __future__ import annotations

import copy
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from faultxfer.contract.diff import diff_contracts
from faultxfer.contract.schema import Contract, parse_contract

BASE: dict[str, Any] = {
    "family": "fans",
    "label": {"column": "verdict", "normal": ["good", "0"], "fault": ["worn"]},
    "equipment_column": "fan",
    "run_column": "campaign",
    "time_column": "at",
    "sensors": {
        "draught": {"unit": "Pa", "min": -500, "max": 500},
        "current": {"unit": "A", "quality": {"column": "current_q"}},
    },
    "equipment": {
        "F-1": {"aliases": {"PD-1": "draught"}, "units": {"draught": "mbar"}},
        "F-2": {"scale": {"current": {"factor": 2.0, "offset": 1.0}}},
    },
}
LOG = {"start": "from", "end": "to", "code": "what"}
LOGGED = {"label.log": LOG}
LONG = {"time": "at", "tag": "name", "value": "reading"}
LONG_BASE = {"long": LONG}
TAG_BASE = {"tag_files": {"time": "at"}}
BY_FILE = {"tag_files": {"time": "at", "value": "reading", "file": "{tag}"}}
PINNED = {"csv": {"decimal": ",", "thousands": "."}}
NO_HEADER = {"csv": {"header": False, "columns": ["at", "draught"]}}
ZONE = {"csv": {"timezone": "Europe/Berlin"}}

# By model and field of the schema: what ends (all models, those of one machine, none), the change,
# and what the contract has before it.
Case = tuple[str, dict[str, Any], dict[str, Any]]
CASES: dict[tuple[str, str], list[Case]] = {
    ("Contract", "family"): [("all", {"family": "pumps"}, {})],
    ("Contract", "label"): [("all", {"label.column": "state"}, {})],
    ("Contract", "equipment_column"): [("none", {"equipment_column": "asset"}, {})],
    ("Contract", "run_column"): [("none", {"run_column": None}, {})],
    ("Contract", "time_column"): [("none", {"time_column": "stamp"}, {})],
    ("Contract", "sensors"): [("all", {"sensors.speed": {}}, {})],
    ("Contract", "ignore"): [("none", {"ignore": ["note"]}, {})],
    ("Contract", "slices"): [("none", {"slices": ["site"]}, {})],
    ("Contract", "where"): [("none", {"where": {"mode": ["RUN"]}}, {})],
    ("Contract", "mode_column"): [("none", {"mode_column": "mode"}, {})],
    ("Contract", "running"): [("none", {"running": {"mode": ["RUN"]}}, {})],
    ("Contract", "sampling_period"): [("none", {"sampling_period": 60}, {})],
    ("Contract", "equipment"): [("machine", {"equipment.F-3": {"units": {"draught": "kPa"}}}, {})],
    ("Contract", "max_imputed"): [("none", {"max_imputed": 0.1}, {})],
    ("Contract", "rules"): [("none", {"rules": {"SENSOR-STUCK": "refuse"}}, {})],
    ("Contract", "long"): [("none", {"long": LONG}, {})],
    ("Contract", "tag_files"): [("none", {"tag_files": {"time": "at"}}, {})],
    ("Contract", "csv"): [("none", {"csv": {"separator": ";"}}, {})],
    ("Label", "column"): [("all", {"label.column": "state"}, {})],
    ("Label", "normal"): [
        ("none", {"label.normal": ["good"]}, {}),
        ("all", {"label.normal": ["worn"], "label.fault": ["good"]}, {}),
    ],
    ("Label", "fault"): [
        ("none", {"label.fault": ["worn", "bad"]}, {}),
        ("none", {"label.fault": {"blades": ["worn"]}}, {}),
        ("all", {"label.normal": ["good"], "label.fault": ["worn", "0"]}, {}),
    ],
    ("Label", "unknown"): [("none", {"label.unknown": ["?"]}, {})],
    ("Label", "exclude"): [("none", {"label.exclude": ["service"]}, {})],
    ("Label", "blank"): [
        ("none", {"label.blank": None}, {}),
        ("all", {"label.blank": "normal"}, {"label.blank": "fault"}),
    ],
    ("Label", "log"): [("none", {"label.log": LOG}, {})],
    ("FaultLog", "start"): [("none", {"label.log.start": "began"}, LOGGED)],
    ("FaultLog", "end"): [("none", {"label.log.end": "over"}, LOGGED)],
    ("FaultLog", "duration"): [
        ("none", {"label.log.end": None, "label.log.duration": "minutes"}, LOGGED),
    ],
    ("FaultLog", "duration_unit"): [("none", {"label.log.duration_unit": "h"}, LOGGED)],
    ("FaultLog", "equipment"): [("none", {"label.log.equipment": "fan"}, LOGGED)],
    ("FaultLog", "code"): [("none", {"label.log.code": "why"}, LOGGED)],
    ("FaultLog", "fault"): [("none", {"label.log.fault": ["belt"]}, LOGGED)],
    ("FaultLog", "exclude"): [("none", {"label.log.exclude": ["stop"]}, LOGGED)],
    ("FaultLog", "normal"): [("none", {"label.log.normal": ["checked"]}, LOGGED)],
    ("FaultLog", "before"): [("none", {"label.log.before": "1h"}, LOGGED)],
    ("FaultLog", "after"): [("none", {"label.log.after": "1h"}, LOGGED)],
    ("FaultLog", "complete"): [("none", {"label.log.complete": True}, LOGGED)],
    ("FaultLog", "csv"): [("none", {"label.log.csv": {"separator": ";"}}, LOGGED)],
    ("Sensor", "unit"): [
        ("all", {"sensors.current.unit": "mA"}, {}),
        ("none", {"sensors.current.unit": "RPM"}, {"sensors.current.unit": "rpm"}),
    ],
    ("Sensor", "dtype"): [("none", {"sensors.current.dtype": "whole"}, {})],
    ("Sensor", "min"): [("none", {"sensors.draught.min": 0}, {})],
    ("Sensor", "max"): [("none", {"sensors.draught.max": 900}, {})],
    ("Sensor", "max_missing"): [("none", {"sensors.current.max_missing": 0.5}, {})],
    ("Sensor", "max_rate"): [("none", {"sensors.current.max_rate": 5}, {})],
    ("Sensor", "stuck_after"): [("none", {"sensors.current.stuck_after": 9}, {})],
    ("Sensor", "on_breach"): [("none", {"sensors.current.on_breach": "warn"}, {})],
    ("Sensor", "drafted"): [
        ("none", {"sensors.draught.drafted": True}, {}),
        ("none", {"sensors.draught.drafted": False}, {"sensors.draught.drafted": True}),
    ],
    ("Sensor", "keep"): [("none", {"sensors.current.keep": "it is measured"}, {})],
    ("Sensor", "quality"): [("none", {"sensors.draught.quality": {"column": "q"}}, {})],
    ("Sensor", "hold"): [
        ("all", {"sensors.current.hold": "10min"}, {}),
        ("none", {"sensors.current.hold": "5min"}, {"sensors.current.hold": "10min"}),
    ],
    ("Sensor", "impute"): [("none", {"sensors.current.impute": False}, {})],
    ("Quality", "column"): [("none", {"sensors.current.quality.column": "status"}, {})],
    ("Quality", "good"): [("none", {"sensors.current.quality.good": ["1"]}, {})],
    ("Equipment", "aliases"): [
        ("machine", {"equipment.F-1.aliases": {"PD-2": "draught"}}, {}),
        ("none", {"equipment.F-1.aliases": {"PD-1": "draught", "II-1": "current"}}, {}),
    ],
    ("Equipment", "units"): [("machine", {"equipment.F-1.units": {"draught": "kPa"}}, {})],
    ("Equipment", "scale"): [("machine", {"equipment.F-1.scale": {"draught": {"factor": 9}}}, {})],
    ("Equipment", "lacks"): [
        ("machine", {"equipment.F-3.lacks": ["draught"]}, {}),
        ("none", {"equipment.F-3.lacks": []}, {"equipment.F-3.lacks": ["draught"]}),
    ],
    ("Scale", "factor"): [("machine", {"equipment.F-2.scale.current.factor": 3.0}, {})],
    ("Scale", "offset"): [("machine", {"equipment.F-2.scale.current.offset": 0.0}, {})],
    ("Long", "time"): [
        ("none", {"long.time": "stamp", "time_column": "stamp"}, LONG_BASE),
    ],
    ("Long", "tag"): [("none", {"long.tag": "point"}, LONG_BASE)],
    ("Long", "value"): [("none", {"long.value": "number"}, LONG_BASE)],
    ("Long", "quality"): [("none", {"long.quality": "status"}, LONG_BASE)],
    ("Long", "good"): [("none", {"long.good": ["1"]}, LONG_BASE)],
    ("TagFiles", "time"): [
        ("none", {"tag_files.time": "stamp", "time_column": "stamp"}, TAG_BASE),
    ],
    ("TagFiles", "value"): [("none", {"tag_files.value": "number"}, BY_FILE)],
    ("TagFiles", "tag"): [("none", {"tag_files.tag": "point"}, TAG_BASE)],
    ("TagFiles", "file"): [("none", {"tag_files.file": "{machine}_{tag}"}, BY_FILE)],
    ("TagFiles", "name"): [("none", {"tag_files.name": "{machine}.{tag}"}, TAG_BASE)],
    ("TagFiles", "quality"): [("none", {"tag_files.quality": "status"}, TAG_BASE)],
    ("TagFiles", "good"): [("none", {"tag_files.good": ["1"]}, TAG_BASE)],
    ("Csv", "separator"): [("none", {"csv": {"separator": ";"}}, {})],
    ("Csv", "decimal"): [
        ("none", {"csv": {"decimal": ","}}, {}),
        ("all", {"csv": {"decimal": ".", "thousands": ","}}, PINNED),
    ],
    ("Csv", "thousands"): [
        ("none", {"csv": {"thousands": " "}}, {}),
        ("all", {"csv": {"decimal": ",", "thousands": " "}}, PINNED),
    ],
    ("Csv", "encoding"): [("none", {"csv": {"encoding": "cp1250"}}, {})],
    ("Csv", "header"): [("none", NO_HEADER, {})],
    ("Csv", "columns"): [("none", NO_HEADER, {})],
    ("Csv", "skip"): [("none", {"csv": {"skip": 3}}, {})],
    ("Csv", "units_row"): [("none", {"csv": {"units_row": 1}}, {})],
    ("Csv", "rows_below"): [("none", {"csv": {"rows_below": 1}}, {})],
    ("Csv", "missing"): [("none", {"csv": {"missing": ["-999"]}}, {})],
    ("Csv", "time_format"): [("none", {"csv": {"time_format": "epoch_ms"}}, {})],
    ("Csv", "time_parts"): [
        ("none", {"csv": {"time_parts": ["day", "clock"]}, "time_column": "day clock"}, {}),
    ],
    ("Csv", "repeated_hour"): [
        ("none", {"csv": {**ZONE["csv"], "repeated_hour": "in_order"}}, ZONE),
    ],
    ("Csv", "day_first"): [("none", {"csv": {"day_first": True}}, {})],
    ("Csv", "timezone"): [("none", ZONE, {})],
}
# There is one version of the format.
NOTHING_TO_CHANGE = {("Contract", "version")}
# Fields of parts that are told as a whole.
WHOLE = {
    "Quality": "quality",
    "Long": "long",
    "TagFiles": "tag_files",
    "Scale": "scale",
    "FaultLog": "log",
}


def changed(content: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    content = copy.deepcopy(content)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = content
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = copy.deepcopy(value)
    return content


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model of the schema and all that it is made of."""
    yield model
    for field in model.model_fields.values():
        for part in parts(field.annotation):
            yield from models(part)


def parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from parts(inner)


def test_the_table_has_every_field_of_the_schema() -> None:
    """Whoever adds a key to the contract says here which models a change of it ends."""
    fields = {(model.__name__, name) for model in models(Contract) for name in model.model_fields}
    assert set(CASES) == fields - NOTHING_TO_CHANGE


@pytest.mark.parametrize(
    ("model", "field", "case"),
    [(*key, case) for key, cases in CASES.items() for case in cases],
    ids=[f"{key[0]}.{key[1]}-{case[0]}" for key, cases in CASES.items() for case in cases],
)
def test_a_changed_field_is_told_with_what_it_ends(model: str, field: str, case: Case) -> None:
    ends, changes, before = case
    old = changed(BASE, before)
    found = diff_contracts(parse_contract(old, "A"), parse_contract(changed(old, changes), "B"))
    told = WHOLE.get(model, field)
    mine = [change for change in found.changes if told in change.field.replace(" ", ".").split(".")]
    assert mine, f"no change of {field} is told"
    assert all(change.meaning for change in found.changes)
    assert {change.ends for change in mine} >= {ends}
    assert found.models_valid is (ends != "all")
    assert bool(found.machines) is (ends == "machine")
    back = diff_contracts(parse_contract(changed(old, changes), "B"), parse_contract(old, "A"))
    assert back.models_valid is found.models_valid
