"""Shapes of exports are found by content, pinned in the draft, and the draft reads the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faultxfer.contract.schema import Contract, load_contract
from faultxfer.drafting.contracts import draft_contract
from faultxfer.errors import DataError
from faultxfer.steps.intake import CheckedRows, check_files

MINUTES = range(60)


def drafted(folder: Path, text: str, **more: Any) -> tuple[Contract, CheckedRows]:
    """The contract drafted from a file, and the same file checked against it."""
    path, out = folder / "a.csv", folder / "draft.yaml"
    path.write_text(text, encoding="utf-8")
    draft_contract([str(path)], out, **{"label": "fault", **more})
    contract = load_contract(out)
    rows = check_files([str(path)], contract, work=None, quarantine=folder / "q", labelled=True)
    assert not rows.refused
    assert rows.accepted == rows.read
    return contract, rows


def values(seed: int, middle: float) -> list[str]:
    draw = np.random.default_rng(seed)
    return [f"{value:.2f}" for value in draw.normal(middle, middle / 50, len(MINUTES))]


def readings(names: dict[str, float]) -> dict[str, list[str]]:
    found = {name: values(place, middle) for place, (name, middle) in enumerate(names.items())}
    return {**found, "fault": [str(int(minute > 40)) for minute in MINUTES]}


@pytest.mark.parametrize(
    ("columns", "separator", "by_tag"),
    [
        (("TagName", "TimeStamp", "Value", "Quality"), ",", False),
        (("stamp", "what", "x", "q"), ";", False),
        (("Zeit", "Wert", "Messstelle", "Güte"), "\t", True),
        (("a", "b", "c", "d"), "|", True),
    ],
)
def test_a_long_form_is_found_whatever_its_columns_are_called(
    tmp_path: Path, columns: tuple[str, ...], separator: str, by_tag: bool
) -> None:
    tags = readings({"n": 1480, "p": 6, "T": 61})
    cells = [(name, minute) for minute in MINUTES for name in tags]
    if by_tag:
        cells.sort()
    tag, time, value = {
        "TagName": (0, 1, 2), "stamp": (1, 0, 2), "Zeit": (2, 0, 1), "a": (1, 0, 2),
    }[columns[0]]  # fmt: skip
    lines = [separator.join(columns)]
    for name, minute in cells:
        row = ["", "", "", "Good" if minute % 9 else "good"]
        row[tag], row[time] = name, f"2026-03-17 14:{minute:02d}:00"
        row[value] = tags[name][minute]
        lines.append(separator.join(row))
    contract, rows = drafted(tmp_path, "\n".join(lines) + "\n")
    assert contract.long is not None
    assert contract.long.columns == tuple(columns[place] for place in (time, tag, value, 3))
    assert contract.time_column == columns[time]
    assert sorted(contract.features) == ["T", "n", "p"]
    assert rows.read == len(MINUTES)


@pytest.mark.parametrize(
    ("names", "day", "clock"),
    [
        (("Date", "Time"), "2026/03/{:02d}", "14:05:00"),
        (("Tag", "Uhr"), "{:02d}. März 2026", "14:05"),
        (("d", "t"), "03/{:02d}/2026", "02:05:00 PM"),
    ],
)
def test_date_and_time_of_day_in_two_columns_are_pinned(
    tmp_path: Path, names: tuple[str, str], day: str, clock: str
) -> None:
    lines = [f"{names[0]};flow;{names[1]};fault"]
    for place in range(1, 31):
        lines.append(f"{day.format(place)};{50 + place % 7}.5;{clock};{place % 2}")
    contract, rows = drafted(tmp_path, "\n".join(lines) + "\n")
    assert contract.csv.time_parts == names
    assert contract.time_column == " ".join(names)
    assert contract.sampling_period == 86_400
    assert rows.read == 30


@pytest.mark.parametrize("form", ["{0} kPa", "{0}kPa"])
def test_units_inside_the_cells_are_drafted(tmp_path: Path, form: str) -> None:
    pressures = values(3, 612)
    lines = ["p,fault", *(f"{form.format(p)},{m % 2}" for m, p in enumerate(pressures))]
    contract, rows = drafted(tmp_path, "\n".join(lines) + "\n")
    assert contract.sensors["p"].unit == "kPa"
    assert not rows.findings


def test_units_below_the_header_are_drafted(tmp_path: Path) -> None:
    lines = ["t,p,fault", "s,[mbar],-"]
    lines += [f"{minute},{p},{minute % 2}" for minute, p in enumerate(values(4, 612))]
    contract, _ = drafted(tmp_path, "\n".join(lines) + "\n")
    assert contract.sensors["p"].unit == "mbar"


@pytest.mark.parametrize("form", ["{:02d}/03/2026", "03-{:02d}-2026", "{:02d}/03/26 14:05"])
def test_days_that_may_be_months_stop_the_draft_with_an_option_that_works(
    tmp_path: Path, form: str
) -> None:
    lines = ["when,p,fault", *(f"{form.format(day)},{day}.5,{day % 2}" for day in range(1, 13))]
    text = "\n".join(lines) + "\n"
    with pytest.raises(DataError, match="--day-first"):
        drafted(tmp_path, text, time_column="when")
    contract, _ = drafted(tmp_path, text, time_column="when", day_first=True)
    assert contract.csv.day_first is True


def test_lines_to_be_skipped_are_pinned_as_given(tmp_path: Path) -> None:
    lines = ["a,b,c", "p,n,fault", *(f"{m * 37 % 60}.5,{m % 7}.25,{m % 2}" for m in MINUTES)]
    contract, _ = drafted(tmp_path, "\n".join(lines) + "\n", skip=1)
    assert contract.csv.skip == 1
    assert contract.features == ("p", "n")


@pytest.mark.parametrize("names", ["machine", "site", "line"])
def test_one_sensor_of_several_machines_is_no_long_form(tmp_path: Path, names: str) -> None:
    lines = [f"time,{names},flow,fault"]
    flows = values(5, 50)
    for minute in MINUTES:
        for place, name in enumerate(("north", "south", "east")):
            lines.append(
                f"2026-03-17 14:{minute:02d}:00,{name},{flows[minute - place]},{minute % 2}"
            )
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    draft_contract([str(path)], tmp_path / "draft.yaml", label="fault")
    assert load_contract(tmp_path / "draft.yaml").long is None


@pytest.mark.parametrize("form", ["{0} rpm", "{0}l/min", "{0} kW"])
def test_whole_numbers_with_a_unit_are_readings(tmp_path: Path, form: str) -> None:
    speeds = [1400 + minute * 7 % 60 for minute in MINUTES]
    lines = ["n,fault", *(f"{form.format(n)},{m % 2}" for m, n in enumerate(speeds))]
    contract, rows = drafted(tmp_path, "\n".join(lines) + "\n")
    assert list(contract.sensors) == ["n"]
    assert not rows.findings


def test_names_that_end_like_a_unit_are_no_readings(tmp_path: Path) -> None:
    pressures = values(4, 612)
    lines = ["p,line,fault", *(f"{p},{m % 3 + 1}A,{m % 2}" for m, p in enumerate(pressures))]
    contract, _ = drafted(tmp_path, "\n".join(lines) + "\n")
    assert list(contract.sensors) == ["p"]


@pytest.mark.parametrize(
    ("columns", "separator"),
    [
        (("VarName", "TimeString", "VarValue", "Validity", "Aggregat"), ";"),
        (("what", "stamp", "x", "ok", "zz"), ","),
        (("Kanal", "Uhr", "Wert", "q", "Ort"), "\t"),
    ],
)
def test_a_machine_beside_readings_is_found_and_what_is_left_out_is_said(
    tmp_path: Path, columns: tuple[str, ...], separator: str
) -> None:
    tag, time, value, quality, machine = columns
    lines = [separator.join((machine, time, tag, value, quality, "fault", "id"))]
    tags = readings({"n": 1480, "p": 6, "T": 61})
    faults = tags.pop("fault")
    for pump in ("P7", "P8", "P9"):
        for minute in MINUTES:
            for name in tags:
                stamp = f"2026-03-17 14:{minute:02d}:00"
                row = (pump, stamp, name, tags[name][minute], "1", faults[minute], str(len(lines)))
                lines.append(separator.join(row))
    path, out = tmp_path / "a.csv", tmp_path / "draft.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = draft_contract([str(path)], out, label="fault")["columns"]
    contract = load_contract(out)
    assert contract.equipment_column == machine
    assert ("tag", tag) in [(line["role"], line["column"]) for line in said]
    assert ("left out", "id") in [(line["role"], line["column"]) for line in said]
    rows = check_files([str(path)], contract, work=None, quarantine=tmp_path / "q", labelled=True)
    assert (rows.read, rows.accepted) == (3 * len(MINUTES), 3 * len(MINUTES))
