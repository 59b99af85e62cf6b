"""Sensors that say yes and no become 1 and 0 in many languages; anything else is a finding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from draft_rows import FAULT, FLOW, check_table, infer, line_of, table

from faultxfer.contract.machines import tags_of_columns, tags_of_sensors
from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.reading.cells import _WORDS
from faultxfer.reading.read_csv import read_csv

CONTRACT = Contract.model_validate(
    {
        "family": "pumps",
        "label": {"column": "fault"},
        "sensors": {"flow": {}, "running": {"dtype": "bool", "max_missing": 0.5}},
    }
)


def check(folder: Path, *cells: str, contract: Contract = CONTRACT) -> Checked:
    path = folder / "a.csv"
    rows = "".join(f"{place};{cell};{place % 2}\n" for place, cell in enumerate(cells))
    path.write_text("flow;running;fault\n" + rows, encoding="utf-8")
    raw = read_csv(path, contract.csv, tags_of_sensors(contract), tags_of_columns(contract))
    return check_table(raw, contract)


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        *[
            ("true", "false"),
            ("Yes", "No"),
            ("ON", "OFF"),
            ("t", "f"),
            ("y", "n"),
            ("1", "0"),
            ("1.0", "0.0"),
        ],
        *[("WAHR", "FALSCH"), ("ja", "nein"), ("ein", "aus"), ("an", "aus")],
        *[("VRAI", "FAUX"), ("oui", "non"), ("marche", "arrêt")],
        *[("VERDADERO", "FALSO"), ("SÍ", "NO"), ("si", "no"), ("encendido", "apagado")],
        *[
            ("VERO", "FALSO"),
            ("acceso", "spento"),
            ("sim", "não"),
            ("waar", "onwaar"),
            ("aan", "uit"),
        ],
    ],
)
def test_yes_and_no_become_1_and_0(tmp_path: Path, yes: str, no: str) -> None:
    checked = check(tmp_path, yes, f" {no} ", no, yes)
    assert checked.findings == ()
    assert checked.accepted["running"].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_no_word_means_both() -> None:
    yes, no = (words.split() for words in _WORDS.values())
    assert set(yes).isdisjoint(no)
    assert max(map((yes + no).count, yes + no)) == 1


def test_missing_cells_stay_missing_and_say_so(tmp_path: Path) -> None:
    checked = check(tmp_path, "on", "-", "off", "bad", "on", "off")
    assert [(found.code, found.count) for found in checked.findings] == [("SENSOR-MISSING", 2)]


@pytest.mark.parametrize("cell", ["perhaps", "2", "open", "0.5"])
def test_a_cell_that_is_neither_is_set_aside(tmp_path: Path, cell: str) -> None:
    found = check(tmp_path, "1", "0", "1", cell).findings[0]
    assert (found.code, found.severity, found.received, found.line) == (
        "SENSOR-NOT-A-NUMBER",
        "quarantine",
        cell,
        5,
    )
    assert "dtype: bool" in found.remedy
    assert "yes or no" in found.expected


def test_words_in_a_sensor_of_numbers_point_to_the_type(tmp_path: Path) -> None:
    sensors = CONTRACT.sensors | {
        "running": CONTRACT.sensors["running"].model_copy(update={"dtype": "number"})
    }
    found = check(
        tmp_path, "on", "off", contract=CONTRACT.model_copy(update={"sensors": sensors})
    ).findings[0]
    assert found.code == "SENSOR-NOT-A-NUMBER"
    assert "dtype: bool" in found.remedy


def test_columns_of_yes_and_no_are_drafted_as_such() -> None:
    contract, text = infer(table(flow=FLOW, running=["ja", "nein", "nein", ""], fault=FAULT))
    sensor = contract.sensors["running"]
    assert (sensor.dtype, sensor.min, sensor.max) == ("bool", None, None)
    assert contract.sensors["flow"].dtype == "number"
    assert "yes and no" in line_of(text, "running")


def test_a_column_of_words_in_one_file_and_of_1_and_0_in_another_is_one_of_yes_and_no() -> None:
    words, digits, numbers = ["on", "off", "off", "on"], ["1", "0", "0", "1"], ["1", "2", "3", "4"]
    one = table("a.csv", flow=FLOW, running=words, fault=FAULT)
    contract, _ = infer(one, table("b.csv", flow=FLOW, running=digits, fault=FAULT))
    assert contract.sensors["running"].dtype == "bool"
    other, _ = infer(one, table("b.csv", flow=FLOW, running=numbers, fault=FAULT))
    assert other.ignore == ("running",)


def test_a_column_of_1_and_0_stays_one_of_numbers() -> None:
    contract, _ = infer(table(flow=FLOW, running=[1, 0, 0, 1], fault=FAULT))
    assert contract.sensors["running"].dtype == "number"


def test_a_draft_with_yes_and_no_fits_its_file(tmp_path: Path) -> None:
    contract, _ = infer(table(flow=FLOW, running=["on", "off", "off", "on"], fault=FAULT))
    checked = check(tmp_path, "on", "off", "off", "on", contract=contract)
    assert not checked.refused
    np.testing.assert_array_equal(checked.accepted["running"], [1, 0, 0, 1])
