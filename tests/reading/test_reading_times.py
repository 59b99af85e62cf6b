"""Times of every usual spelling are the same moment.

Those that could be two moments ask for the pin.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reading import read

from faultxfer.contract.schema import Contract
from faultxfer.errors import DataError
from faultxfer.reading.times import Times
from faultxfer.steps.intake import check_files

MOMENT = pd.Timestamp("2026-03-31 14:05:00", tz="UTC").timestamp()


def times(folder: Path, *cells: str, **pins: object) -> Times:
    return read(folder, "time;x\n" + "".join(f"{cell};0\n" for cell in cells), **pins).times("time")


@pytest.mark.parametrize(
    ("cell", "style"),
    [
        ("2026-03-31 14:05:00", "year first"),
        ("2026-03-31T14:05:00Z", "year first"),
        ("2026-03-31T14:05:00.000+00:00", "year first"),
        ("2026-03-31 16:05:00+02:00", "year first"),
        ("2026-03-31 14:05", "year first"),
        ("2026-03-31 14:05:00,000", "year first"),
        ("2026/03/31 14:05:00", "year first"),
        ("2026/3/31 14:05", "year first"),
        ("2026-03-31 2:05 PM", "year first"),
        ("2026-03-31 14:05:00 UTC", "year first"),
        ("31.03.2026 14:05:00", "day first"),
        ("31.03.2026 14:05", "day first"),
        ("31.3.26 14:05", "day first"),
        ("31.03.2026, 14:05:00", "day first"),
        ("31/03/2026 14:05:00", "day first"),
        ("31-03-2026 14:05", "day first"),
        ("31/03/2026 16:05:00 +0200", "day first"),
        ("03/31/2026 14:05", "month first"),
        ("3/31/2026 2:05:00 PM", "month first"),
        ("03/31/26 02:05 p.m.", "month first"),
        ("31-Mar-2026 14:05", "day first"),
        ("31-MAR-26 14:05:00", "day first"),
        ("31 March 2026 2:05 PM", "day first"),
        ("03.31.2026 14:05", "month first"),
        ("202603311405", "written as %Y%m%d%H%M"),
        ("20260331140500", "written as %Y%m%d%H%M%S"),
        ("1774965900", "seconds since 1970"),
        ("1774965900.0", "seconds since 1970"),
        ("1774965900000", "milliseconds since 1970"),
    ],
)
def test_a_moment_is_read_from_every_usual_spelling(tmp_path: Path, cell: str, style: str) -> None:
    found = times(tmp_path, cell, cell)
    assert found.seconds.tolist() == [MOMENT, MOMENT]
    assert found.style == style


@pytest.mark.parametrize(
    "cell", ["31.03.2026", "31-Mar-2026", "20260331", "2026-03-30 24:00", "30.03.2026 24:00:00"]
)
def test_a_date_alone_is_its_first_moment_and_the_end_of_the_day_before(
    tmp_path: Path, cell: str
) -> None:
    assert times(tmp_path, cell).seconds[0] == MOMENT - 14 * 3600 - 300


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "2"],
        ["0.5", "1.5"],
        ["20260331", "20260332"],
        ["19260331", "19260401"],
        ["10000000", "20000000"],
        ["99999999999999", "100000000000000"],
    ],
    ids=str,
)
def test_other_numbers_stay_the_numbers_they_are(tmp_path: Path, cells: list[str]) -> None:
    found = times(tmp_path, *cells)
    assert found.seconds.tolist() == [float(cell) for cell in cells]
    assert found.style == "a number"


@pytest.mark.parametrize(
    ("cells", "pins"),
    [
        (["2603311405", "2603311406"], ['"%y%m%d%H%M"', '"epoch_s"']),
        (["260331140500", "260331140600"], ['"%y%m%d%H%M%S"', '"epoch_ms"']),
        (["202603311459", "202603311460", "202603311500"], ['"%Y%m%d%H%M"', '"epoch_ms"']),
        (["20260331145959", "20260331146000"], ['"%Y%m%d%H%M%S"', '"number"']),
    ],
    ids=str,
)
def test_digits_that_may_be_a_date_or_a_number_ask_for_the_pin(
    tmp_path: Path, cells: list[str], pins: list[str]
) -> None:
    with pytest.raises(
        DataError, match=r"dates in digits or numbers.*a\.csv, column 'time'"
    ) as caught:
        times(tmp_path, *cells)
    assert caught.value.code == "FILE-AMBIGUOUS"
    assert all(f"csv: {{time_format: {pin}}}" in str(caught.value) for pin in pins)


def test_words_and_missing_cells_among_digits_do_not_speak_against_a_date(tmp_path: Path) -> None:
    seconds = times(tmp_path, *["202603311405"] * 3, "Bad", "", "pending").seconds
    np.testing.assert_array_equal(seconds, [MOMENT] * 3 + [float("nan")] * 3)


def test_numbers_are_read_by_the_dialect_of_the_file(tmp_path: Path) -> None:
    assert times(tmp_path, "0,5", "1,5").seconds.tolist() == [0.5, 1.5]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["03/04/2026 10:00", "04/04/2026 10:00"], "each may have"),
        (["03-04-2026"], "each may have"),
        (["13/04/2026", "04/13/2026"], "some have the day first and others the month"),
        (["13.04.2026", "04.13.2026"], "some have the day first and others the month"),
        (["10/03/26", "11/03/26"], "each may have the day or the month first"),
    ],
    ids=str,
)
def test_dates_that_can_be_read_in_two_ways_ask_for_the_pin(
    tmp_path: Path, cells: list[str], why: str
) -> None:
    with pytest.raises(
        DataError, match=rf"one way only.*{why}.*a\.csv, column 'time'.*day_first: true"
    ):
        times(tmp_path, *cells)


@pytest.mark.parametrize(
    ("cells", "pin"),
    [
        (["26-03-01", "26-03-02"], "%y-%m-%d"),
        (["26/03/31 14:05", "26/04/01 14:05"], "%y/%m/%d %H:%M"),
        (["26.03.01 14:05:00", "26.03.02 14:05:00"], "%y.%m.%d %H:%M:%S"),
        (["26-03-01", "26-03-01"], "%y-%m-%d"),
        (["26-Mar-30", "26-Mar-31"], "%y-%b-%d"),
        (["10-03-04", "10-03-05"], "%y-%m-%d"),
    ],
    ids=str,
)
def test_years_of_two_digits_that_may_stand_first_ask_for_the_pin(
    tmp_path: Path, cells: list[str], pin: str
) -> None:
    with pytest.raises(
        DataError, match=r"each may have the year first as well.*where the day does"
    ) as caught:
        times(tmp_path, *cells)
    assert f'csv: {{time_format: "{pin}"}}' in str(caught.value)
    moment = times(tmp_path, *cells, time_format=pin).seconds[0]
    assert moment == pd.to_datetime(cells[0], format=pin, utc=True).timestamp()


@pytest.mark.parametrize(
    ("cells", "date", "style"),
    [
        (["01.03.26", "02.03.26"], "2026-03-01", "day first"),
        (["01.03.26", "01.03.26"], "2026-03-01", "day first"),
        (["17/03/26", "21/03/26"], "2026-03-17", "day first"),
        (["31-12-26", "01-01-27"], "2026-12-31", "day first"),
        (["26-03-01", "32-03-01"], "2026-03-01", "year first"),
        (["26-3-1", "26-3-31"], "2026-03-01", "year first"),
        (["04.05.2026", "04.13.2026"], "2026-04-05", "month first"),
    ],
    ids=str,
)
def test_dates_that_prove_their_order_are_read(
    tmp_path: Path, cells: list[str], date: str, style: str
) -> None:
    found = times(tmp_path, *cells)
    assert (found.seconds[0], found.style) == (pd.Timestamp(date, tz="UTC").timestamp(), style)
    assert found.seconds.notna().all()


@pytest.mark.parametrize(("day_first", "date"), [(True, "2026-04-03"), (False, "2026-03-04")])
def test_a_pin_settles_days_and_months(tmp_path: Path, day_first: bool, date: str) -> None:
    found = times(tmp_path, "03/04/2026", day_first=day_first)
    assert found.seconds[0] == pd.Timestamp(date, tz="UTC").timestamp()


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "2026-02-30 10:00",
            "31.04.2026",
            "31.03.2026 24:05",
            "31.03.2026 14:65",
            "31.03.2026 24:00:01",
        ),
        *("31-Foo-2026", "13:00 PM", "yesterday", "", "-"),
    ],
)
def test_what_is_no_moment_cannot_be_read(tmp_path: Path, cell: str) -> None:
    good = "31.03.2026 14:05"
    seconds = times(tmp_path, good, cell, good).seconds
    np.testing.assert_array_equal(seconds, [MOMENT, float("nan"), MOMENT])


def test_a_time_in_another_style_than_most_cannot_be_read(tmp_path: Path) -> None:
    seconds = times(tmp_path, "31.03.2026 14:05", "31.03.2026 14:05", "2026-03-31 14:05").seconds
    assert seconds.isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    "cell", ["2026-03-31 16:05", "31.03.2026 16:05", "2026-03-31T14:05:00Z", "2026/03/31 16:05"]
)
def test_a_pinned_zone_is_that_of_times_that_name_none(tmp_path: Path, cell: str) -> None:
    assert times(tmp_path, cell, timezone="Europe/Berlin").seconds[0] == MOMENT


def test_the_hour_that_summer_time_repeats_cannot_be_read(tmp_path: Path) -> None:
    seconds = times(
        tmp_path, "25.10.2026 01:30", "25.10.2026 02:30", timezone="Europe/Berlin"
    ).seconds
    assert seconds.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("cell", "pinned"),
    [
        ("20260331140500", "%Y%m%d%H%M%S"),
        ("31-Mar-26 14:05:00", "%d-%b-%y %H:%M:%S"),
        ("2026-03-31 16:05 +0200", "%Y-%m-%d %H:%M %z"),
        ("2026-03-31 14:05", "iso"),
        ("1774965900000", "epoch_ms"),
        ("1774965900", "epoch_s"),
    ],
)
def test_a_pinned_format_is_used(tmp_path: Path, cell: str, pinned: str) -> None:
    assert times(tmp_path, cell, time_format=pinned).seconds[0] == MOMENT


def test_a_cell_that_does_not_fit_the_pinned_format_cannot_be_read(tmp_path: Path) -> None:
    assert times(tmp_path, "31.03.2026", time_format="%Y-%m-%d").seconds.isna().all()


def test_the_report_tells_the_times_of_a_machine_with_its_own_tag_for_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("TS-1;machine;flow;fault\n31.03.2026 14:05;p1;1;0\n31.03.2026 14:06;p1;2;1\n")
    contract = Contract.model_validate(
        {
            "family": "pumps",
            "label": {"column": "fault"},
            "equipment_column": "machine",
            "time_column": "time",
            "sensors": {"flow": {}},
            "equipment": {"p1": {"aliases": {"TS-1": "time"}}},
        }
    )
    rows = check_files(
        [str(path)], contract, work=None, quarantine=tmp_path / "quarantine", labelled=True
    )
    assert rows.reading[0]["times"] == "day first"
