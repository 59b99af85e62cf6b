"""`contract infer` of files beside which a log of faults lies: found, drafted, and read as drafted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faultxfer.contract.schema import load_contract
from faultxfer.drafting.contracts import draft_contract
from faultxfer.errors import ContractError, DataError
from faultxfer.steps.intake import check_files

LOGS = {
    "start and end": (
        "unit;begin;finish;reason\n"
        "K-1;2026-03-01 02:00;2026-03-01 04:00;valve leaks\n"
        "K-1;2026-03-01 08:00;2026-03-01 09:00;planned service\n",
        {"start": "begin", "end": "finish", "exclude": ("planned service",)},
    ),
    "German, with a duration": (
        "Anlage;Beginn;Dauer_min;Grund\n"
        "K-1;01.03.2026 02:00;120;Ventil undicht\n"
        "K-1;31.03.2026 08:00;60;Wartung\n",
        {"start": "Beginn", "duration": "Dauer_min", "exclude": ("Wartung",)},
    ),
    "seconds since 1970, without a reason": (
        "asset,id,raised_at,cleared_at\nK-1,7,1772326800,1772334000\nK-9,8,1772326800,1772334000\n",
        {"start": "raised_at", "end": "cleared_at", "exclude": ()},
    ),
}


@pytest.fixture
def week(tmp_path: Path) -> Path:
    """A reading each half hour of two days."""
    random = np.random.default_rng(0)
    rows = [
        f"2026-03-{1 + place // 48:02d} {place % 48 // 2:02d}:{place % 2 * 30:02d}:00,K-1,"
        f"{random.normal(40, 3):.2f},{random.normal(7, 1):.3f}\n"
        for place in range(96)
    ]
    path = tmp_path / "week.csv"
    path.write_text("timestamp,machine,flow_m3h,pressure_bar\n" + "".join(rows))
    return path


def drafted(folder: Path, files: list[Path], **given: Any) -> dict[str, Any]:
    out = folder / "compressors.yaml"
    return draft_contract([str(file) for file in files], out, label=None, **given)


@pytest.mark.parametrize("name", LOGS)
def test_a_log_among_the_examples_is_drafted_and_read_as_drafted(
    name: str, week: Path, tmp_path: Path
) -> None:
    text, wanted = LOGS[name]
    log = tmp_path / "log.csv"
    log.write_text(text)

    if name.startswith("seconds"):
        with pytest.raises(DataError, match='--timezone "Europe/Berlin"'):
            drafted(tmp_path, [week, log])
    zone = "Europe/Berlin" if name.startswith("seconds") else None
    said = drafted(tmp_path, [week, log], timezone=zone)

    how = load_contract(said["out"]).label.log
    assert how is not None
    assert {key: getattr(how, key) for key in wanted} == wanted
    assert how.equipment == text.split("\n")[0].replace(";", ",").split(",")[0]
    assert (said["files"], said["events"]) == ([str(week)], str(log))
    assert any("Is every fault" in question for question in said["questions"])
    rows = check_files(
        [str(week)],
        load_contract(said["out"]),
        work=None,
        quarantine=tmp_path,
        labelled=None,
        events=log,
    )
    assert rows.accepted == 5  # from two to four o'clock; of the others nobody knows


def test_two_logs_are_asked_about(week: Path, tmp_path: Path) -> None:
    text, _ = LOGS["start and end"]
    logs = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for log in logs:
        log.write_text(text)

    with pytest.raises(ContractError, match="Several files look like logs"):
        drafted(tmp_path, [week, *logs])
    assert drafted(tmp_path, [week], events=logs[0])["events"] == str(logs[0])


def test_a_table_without_intervals_is_no_log(week: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("machine,note\nK-1,runs well\n")

    with pytest.raises(DataError, match="shows no intervals"):
        drafted(tmp_path, [week], events=log)
