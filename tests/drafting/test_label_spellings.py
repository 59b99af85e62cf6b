"""Usual spellings of a label are sorted into normal and fault.

Anything else is asked about, not guessed.
"""

from __future__ import annotations

import pytest
from draft_rows import FLOW, infer, table

from faultxfer.drafting.infer import draft_of
from faultxfer.drafting.labels import Given
from faultxfer.errors import ContractError
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.table import RawTable


def label_questions(tables: list[RawTable], label: str) -> list[str]:
    """What the draft asks about the label."""
    keys = {"equipment_column": None, "run_column": None, "time_column": None}
    return draft_of(tables, label=label, family="pumps", named=keys, csv_options=Csv()).questions


# The label


@pytest.mark.parametrize(
    ("normal", "fault"),
    [
        ("0", "1"),
        ("0.0", "1.0"),
        ("false", "true"),
        ("normal", "fault"),
        ("Normal", "Anomaly"),
        ("OK", "NOK"),
        ("no", "yes"),
        ("healthy", "faulty"),
        ("none", "defect"),
        ("nein", "ja"),
        ("FALSCH", "WAHR"),
        ("faux", "vrai"),
        ("non", "oui"),
        ("no", "sí"),
        ("falso", "verdadero"),
        ("falso", "vero"),
        ("não", "sim"),
        ("nee", "ja"),
        ("OK", "Störung"),
        ("ok", "Fehler"),
        ("i.O.", "n.i.O."),
        ("Normal", "Störung"),
        ("normal", "panne"),
        ("normal", "falla"),
        ("normale", "guasto"),
        ("normal", "falha"),
        ("goed", "fout"),
    ],
)
def test_usual_label_spellings_are_sorted(normal: str, fault: str) -> None:
    label = infer(table(flow=FLOW, fault=[normal, fault, normal, fault]))[0].label
    assert normal in label.normal
    assert fault in label.fault


def test_integer_and_float_spellings_of_a_numeric_label_go_together() -> None:
    label = infer(table(flow=FLOW, fault=[0, 0, 1, 1]))[0].label
    assert (label.normal, label.fault) == (("0", "0.0"), ("1", "1.0"))


@pytest.mark.parametrize(
    ("only", "normal", "fault"),
    [
        ("0", "0", "1"),
        ("1.0", "0.0", "1.0"),
        ("OK", "OK", "NOK"),
        ("Fault", "Normal", "Fault"),
        ("alarm", "normal", "alarm"),
        ("ja", "nein", "ja"),
        ("Nein", "Nein", "Ja"),
        ("SIM", "NÃO", "SIM"),
        ("Störung", "Normal", "Störung"),
    ],
)
def test_a_label_of_one_known_class_gets_the_opposite_of_its_spelling(
    only: str, normal: str, fault: str
) -> None:
    contract, text = infer(table(flow=FLOW, fault=[only] * 4))
    assert normal in contract.label.normal
    assert fault in contract.label.fault
    assert "no example row is of this class" in text


def test_rows_without_a_label_do_not_count_as_a_spelling() -> None:
    label = infer(table(flow=FLOW, fault=["", "0", "1", "NaN"]))[0].label
    assert label.unknown == ()
    assert (label.normal, label.fault) == (("0", "0.0"), ("1", "1.0"))


@pytest.mark.parametrize(
    ("cells", "other"),
    [
        (["normal", "fault", "derated", "derated"], "derated"),
        (["OK", "NOK", "Wartung", "Wartung"], "Wartung"),
        (["0", "1", "?", "?"], "?"),
    ],
)
def test_a_spelling_that_nobody_knows_is_asked_about_with_its_rows(
    cells: list[str], other: str
) -> None:
    contract, text = infer(table(flow=FLOW, fault=cells))
    assert contract.label.unknown == (other,)
    assert other not in contract.label.faults
    question = f"{other!r} in 2 rows: normal, fault, unknown or exclude?"
    assert question in text
    (asked,) = label_questions([table(flow=FLOW, fault=cells)], "fault")
    assert asked.startswith(f"fault: {question}")


def test_codes_are_not_taken_for_normal_and_fault() -> None:
    cells = ["0", "0", "1", "3"]
    with pytest.raises(ContractError, match=r"0 \(2 rows\).*1 \(1 row\).*--normal A --fault B,C"):
        infer(table(flow=FLOW, fault=cells))
    given = {"normal": ("0",), "fault": ("3",), "exclude": ("1", "2")}
    contract, text = infer(table(flow=FLOW, fault=cells), given=given)
    assert (contract.label.faults, contract.label.exclude) == (("3",), ("1", "2"))
    assert "normal, fault, unknown" not in text


@pytest.mark.parametrize("blank", ["", "-", "n/a"])
def test_blank_labels_are_asked_about(blank: str) -> None:
    (asked,) = label_questions([table(flow=FLOW, fault=["0", "1", blank, blank])], "fault")
    assert "Blank in 2 rows" in asked
    assert "blank: normal" in asked


@pytest.mark.parametrize("given", [{"normal": ("A",)}, {"fault": ("B",)}])
def test_one_given_class_without_the_other_is_not_completed(given: Given) -> None:
    with pytest.raises(ContractError, match="--normal A --fault B,C"):
        infer(table(flow=FLOW, fault=["A", "A", "B", "B"]), given=given)


@pytest.mark.parametrize(
    "cells", [["A", "B"], ["0", "2"], ["normal", "leak"], ["-1", "1"], ["nan", ""]]
)
def test_spellings_that_cannot_be_sorted_are_an_error(cells: list[str]) -> None:
    with pytest.raises(
        ContractError, match=r"Received: .*column 'fault' of a\.csv.*Write 0 for normal"
    ):
        infer(table(flow=FLOW, fault=cells * 2))
