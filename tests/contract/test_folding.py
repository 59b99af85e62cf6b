"""Findings are told in one line for each code, the gravest first, whatever the plant calls things."""

from __future__ import annotations

import dataclasses

import pytest

from faultxfer.contract import codes
from faultxfer.contract.folding import counted, fold, with_plurals
from faultxfer.findings import Finding, Severity

OUT = "SENSOR-OUT-OF-RANGE"
# By plant: its tags, in an order of its own, and how its files are called.
PLANTS = {
    "german": (["Drehzahl", "Druck", "Temp Lager", "Strom", "Fluss", "Ventil"], "Woche {}.csv"),
    "isa tags": (["PT-101", "TT-7", "FT-12", "PT-102", "LT-3", "VT-9"], "export_{}.csv.gz"),
    "dotted": (["b.x", "a.x", "c[1]", "d/e", "f, g", "h"], "2026-{}.parquet"),
}


def finding(
    column: str | None, file: str, severity: Severity = "info", code: str = OUT, count: int = 5
) -> Finding:
    return Finding(
        code,
        severity,
        f"Sensor {column!r} lies outside its drafted range in {count} row(s)",
        file=file,
        column=column,
        line=2,
        count=count,
        examples=("line 2: '7'",),
        remedy="Look",
    )


@pytest.mark.parametrize("plant", PLANTS)
def test_many_sensors_in_many_files_are_one_line(plant: str) -> None:
    tags, files = PLANTS[plant]
    names = [files.format(number) for number in range(20)]
    (line,) = fold([finding(tag, name) for name in names for tag in tags], rows=20 * 40)
    assert line.sentence == (
        f"6 sensors outside drafted limits in 20 files: {', '.join(tags[:4])} and 2 more "
        "(12% of their readings)"
    )
    assert (line.code, line.severity, line.findings, line.remedy) == (OUT, "info", 120, "Look")
    assert line.count == 600


def test_a_finding_alone_keeps_its_own_sentence_and_place() -> None:
    (line,) = fold([finding("flow", "a.csv", count=1)], rows=10)
    assert line.sentence == (
        "Sensor 'flow' lies outside its drafted range in 1 row; line 2: '7' (a.csv, line 2)"
    )


def test_one_code_with_two_severities_is_two_lines_the_gravest_first() -> None:
    found = [
        finding("a", "1.csv", "info"),
        finding("b", "1.csv", "warn"),
        finding(None, "1.csv", "refuse", "COLUMN-MISSING"),
        finding("c", "1.csv", "info"),
        finding("d", "1.csv", "quarantine", "SENSOR-RATE"),
    ]
    told = [(line.severity, line.code, line.findings) for line in fold(found)]
    assert told == [
        ("refuse", "COLUMN-MISSING", 1),
        ("quarantine", "SENSOR-RATE", 1),
        ("warn", OUT, 1),
        ("info", OUT, 2),
    ]
    assert counted(found) == (
        "1 finding that refuses a file, 1 finding that sets rows aside, 1 warning, 2 notes"
    )


def test_files_are_counted_where_no_column_is_at_fault() -> None:
    found = [finding("time", f"{number}.csv", "warn", "TIME-GAP") for number in range(6)]
    (line,) = fold(found, rows=100)
    assert line.sentence == (
        "6 files with gaps in time: 0.csv, 1.csv, 2.csv, 3.csv and 2 more (30 rows)"
    )


def test_findings_about_nothing_in_particular_are_folded_too() -> None:
    nowhere = dataclasses.replace(finding(None, "", "warn", "MACHINE-LOST"), file=None)
    (line,) = fold([nowhere, nowhere])
    assert line.sentence.endswith("and 1 more like it")


def test_no_rows_and_no_findings_are_no_trouble() -> None:
    assert fold([]) == []
    assert counted([]) == ""
    (line,) = fold([finding("a", "1.csv"), finding("b", "1.csv")], rows=0)
    assert line.sentence.endswith("a, b (10 rows)")


def test_every_code_has_words_for_several_findings() -> None:
    assert set(codes.SHORT) == {*codes.DEFAULTS, OUT}


@pytest.mark.parametrize(
    ("message", "shown"),
    [("1 row(s)", "1 row"), ("21 row(s) of 1 run(s)", "21 rows of 1 run"), ("none", "none")],
)
def test_plurals_are_as_people_write_them(message: str, shown: str) -> None:
    assert with_plurals(message) == shown
