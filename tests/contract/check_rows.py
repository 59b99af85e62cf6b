"""Good rows, ways to break them, and the contract they are checked against."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.contract.check import begin_check
from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract, Sensor
from faultxfer.findings import Finding
from faultxfer.reading.table import RawTable
from faultxfer.steps.intake import CheckedRows, check_files

CONTRACT = Contract.model_validate(
    {
        "family": "pumps",
        "label": {"column": "fault"},
        "equipment_column": "pump",
        "run_column": "run",
        "time_column": "time",
        "sensors": {
            "flow": {"unit": "m3/h", "min": 0, "max": 100, "max_missing": 0.3},
            "speed": {"max_missing": 0.3},
        },
        "ignore": ["note"],
    }
)
ROWS = 20


def cells(rows: int = ROWS) -> pd.DataFrame:
    """Good rows."""
    number = np.arange(rows)
    return pd.DataFrame(
        {
            "time": [f"2026-01-01 00:{minute:02d}:00" for minute in number],
            "pump": "p1",
            "run": "r1",
            "flow": [str(50 + value) for value in number],
            "speed": [f" {value}.5 " for value in number],
            "fault": [str(value % 2) for value in number],
            "note": "",
        },
        dtype="str",
    )


def as_table(frame: pd.DataFrame) -> RawTable:
    """The file has a blank line behind its header, so that row n stands on line n + 3."""
    return RawTable("a.csv", frame.reset_index(drop=True), np.arange(len(frame)) + 3, "0" * 64)


def check(frame: pd.DataFrame, contract: Contract = CONTRACT, **options: object) -> Checked:
    return check_table(as_table(frame), contract, **{"labelled": True, **options})  # type: ignore[arg-type]


def check_table(table: RawTable, contract: Contract, **options: Any) -> Checked:
    """One table by itself; ``options`` are those of ``begin_check``."""
    return begin_check(table, contract, **options).ended()


def check_csv(
    folder: Path, contract: Contract, paths: Iterable[Path], *, labelled: bool | None = True
) -> CheckedRows:
    """Files as a command checks them, with the accepted rows kept in the folder."""
    return check_files(
        [str(path) for path in paths],
        contract,
        work=folder,
        quarantine=folder / "quarantine",
        labelled=labelled,
    )


def broken(column: str, **by_row: str) -> pd.DataFrame:
    """Good rows but for the cells named: ``broken("flow", _3="x")``."""
    frame = cells()
    for row, cell in by_row.items():
        frame.loc[int(row[1:]), column] = cell
    return frame


def with_sensor(**fields: object) -> Contract:
    flow = Sensor.model_validate(
        {"unit": "m3/h", "min": 0, "max": 100, "max_missing": 0.3, **fields}
    )
    return CONTRACT.model_copy(update={"sensors": {**CONTRACT.sensors, "flow": flow}})


def only(checked: Checked) -> Finding:
    (finding,) = checked.findings
    return finding


def blank_flow(rows: int) -> pd.DataFrame:
    return broken("flow", **{f"_{row}": "" for row in range(rows)})
