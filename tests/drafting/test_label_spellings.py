"""Usual spellings of a label are sorted into normal and fault.

Anything else is asked about, not guessed.
"""

from __future__ import annotations

import pytest
from draft_rows import FLOW, infer, table

from faultxfer.errors import ContractError

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
    assert (label.normal, label.fault) == (("0", "0.0"), ("1", "1.0"))


@pytest.mark.parametrize(
    "cells", [["A", "B"], ["0", "2"], ["normal", "leak"], ["-1", "1"], ["nan", ""]]
)
def test_spellings_that_cannot_be_sorted_are_an_error(cells: list[str]) -> None:
    with pytest.raises(
        ContractError, match=r"Received: .*column 'fault' of a\.csv.*Write 0 for normal"
    ):
        infer(table(flow=FLOW, fault=cells * 2))
