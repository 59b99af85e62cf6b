"""The hour that clocks repeat in autumn, in files whose times say nothing of a zone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from check_rows import check, check_csv, only

from faultxfer.contract.schema import Contract, parse_contract


def contract(**pins: str) -> Contract:
    content = {"family": "fans", "label": {"column": "state"}, "sensors": {"flow": {}}}
    return parse_contract(content | {"time_column": "at", "csv": pins}, where="x")


def rows(first: str, minutes: int, count: int, zone: str | None) -> pd.DataFrame:
    """Rows of one recording, with the times that a clock on the wall of the zone shows."""
    moments = pd.date_range(first, periods=count, freq=f"{minutes}min", tz="UTC")
    local = moments.tz_convert(zone).tz_localize(None) if zone else moments.tz_localize(None)
    flow = [f"{50 + place % 7}.{place:03d}" for place in range(count)]
    label = ["0" if place < count * 0.8 else "1" for place in range(count)]
    return pd.DataFrame({"flow": flow, "state": label, "at": local.strftime("%Y-%m-%d %H:%M:%S")})


TWINS = [
    ("2026-10-24 22:03", 10, 60, "Europe/Berlin"),
    ("2027-11-07 03:00", 5, 90, "America/New_York"),
    ("2026-04-04 12:00", 30, 24, "Australia/Sydney"),
]


@pytest.mark.parametrize(("first", "minutes", "count", "zone"), TWINS)
def test_rows_of_the_repeated_hour_are_called_so_and_the_pin_accepts_them(
    tmp_path: Path, first: str, minutes: int, count: int, zone: str
) -> None:
    frame = rows(first, minutes, count, zone)
    finding = only(check(frame, contract()))
    assert finding.code == "TIME-DUPLICATE"
    assert finding.count == 60 // minutes
    assert "the hour that clocks repeat in autumn" in finding.message
    assert "repeated_hour: in_order" in str(finding.remedy)
    frame.to_csv(tmp_path / "week.csv", index=False)
    pinned = contract(timezone=zone, repeated_hour="in_order")
    checked = check_csv(tmp_path, pinned, [tmp_path / "week.csv"])
    assert (list(checked.findings), checked.accepted) == ([], count)


def test_a_clock_that_goes_back_between_two_readings_is_told_too() -> None:
    frame = rows("2026-10-24 22:03", 7, 60, "Europe/Berlin")
    finding = only(check(frame, contract()))
    assert finding.code == "TIME-BACKWARDS"
    assert "the hour that clocks repeat in autumn" in finding.message


def test_a_time_twice_on_another_day_is_no_change_of_the_clocks() -> None:
    frame = rows("2026-10-20 01:00", 10, 20, None)
    frame.loc[10, "at"] = frame.loc[9, "at"]
    finding = only(check(frame, contract()))
    assert "autumn" not in finding.message
