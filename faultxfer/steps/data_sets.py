"""The rows that a run read, as MLflow lists them: columns with units, and what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.contract.schema import Contract
from faultxfer.contract.served import MachineRows
from faultxfer.data.moments import has_dates
from faultxfer.digest import digest_of
from faultxfer.reading import columns
from faultxfer.registry.data_sets import JUDGED, DataSet
from faultxfer.steps.intake import CheckedRows, require_accepted

# What a run's files may have in all: a plant's folder may hold hundreds of them.
_MOST_COLUMNS = 20_000
_COUNTED = (columns.FILE, columns.EQUIPMENT, columns.RUN, columns.TIME, columns.FAULT)


def files_read(
    rows: CheckedRows, contract: Contract, role: str, machine: str | None = None
) -> tuple[DataSet, ...]:
    """Each file, with what its accepted rows hold; with its columns, unless there are too many.

    Args:
        rows: the accepted ones, and the files that they come from.
        contract: says what the columns are.
        role: in which the run read them.
        machine: whose tags and units the files have; None for the contract's own.
    """
    table, shown = _counted_columns(rows), columns_of(contract, machine)
    if len(shown) * len(rows.files) > _MOST_COLUMNS:
        shown = {}  # the rows that judged have them
    by_file = {str(name): part for name, part in table.groupby(columns.FILE, sort=False)}
    none = table.iloc[:0]
    return tuple(
        DataSet(name, digest, role, shown, _profile_of(by_file.get(name, none)))
        for name, digest in rows.files
    )


def rows_that_judged(
    rows: CheckedRows, contract: Contract, positions: np.ndarray, name: str, split: str
) -> DataSet:
    """The rows that the metrics of a transfer are of.

    Args:
        rows: the accepted ones.
        contract: says what the columns are.
        positions: of those that judged, among the accepted ones.
        name: what they are called.
        split: in a sentence, how the rows were divided.
    """
    profile = _profile_of(_counted_columns(rows).iloc[positions])
    return judged_data(rows, contract, name, {**profile, "split": split})


def judged_data(
    rows: CheckedRows, contract: Contract, name: str, profile: Mapping[str, Any]
) -> DataSet:
    """Rows of which the metrics are, whatever they are called; the files tell them from others."""
    content = {"files": sorted(digest for _, digest in rows.sources), "contract": contract.digest()}
    return DataSet(name, digest_of(content), JUDGED, columns_of(contract), dict(profile))


def columns_of(contract: Contract, machine: str | None = None) -> dict[str, str]:
    """Type and unit by column, as a person reads them.

    Args:
        contract: says what the columns are.
        machine: whose tags and units are meant; None for the contract's own.
    """
    if contract.long is not None and machine is not None:
        return dict.fromkeys(contract.long.columns, "text")
    rows = MachineRows(contract, machine or "")
    others = {
        contract.equipment_column: "machine",
        contract.run_column: "run",
        contract.time_column: "time",
        contract.label.column: "label",
    }
    sensors = {tag: f"double ({unit})" if unit else "double" for tag, unit in rows.units.items()}
    return {rows.tag(name): kind for name, kind in others.items() if name is not None} | sensors


def profile(faults: np.ndarray, runs: np.ndarray, time: np.ndarray) -> dict[str, Any]:
    """What is counted in rows.

    Args:
        faults: (n,) 1 where there is a fault.
        runs: (n,) name of each row's run.
        time: (n,) seconds since 1970, or sequence numbers.

    Returns:
        ``rows``, ``faults`` and ``runs``; where the rows have dates ``period``, from and to in UTC.
    """
    counted: dict[str, Any] = {
        "rows": len(faults),
        "faults": int((faults == 1).sum()),
        "runs": len(pd.unique(np.asarray(runs, dtype=object))),
    }
    if len(time) and has_dates(time):
        counted["period"] = f"{_moment(time.min())} to {_moment(time.max())} UTC"
    return counted


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(float(seconds), UTC):%Y-%m-%d %H:%M}"


def _counted_columns(rows: CheckedRows) -> pd.DataFrame:
    return pd.read_feather(require_accepted(rows), columns=list(_COUNTED))


def _profile_of(part: pd.DataFrame) -> dict[str, Any]:
    runs = part[columns.EQUIPMENT].astype(str) + "/" + part[columns.RUN].astype(str)
    time = part[columns.TIME].to_numpy(dtype=np.float64)
    return profile(part[columns.FAULT].to_numpy(), runs.to_numpy(dtype=object), time)
