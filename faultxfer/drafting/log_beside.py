"""Examples whose labels stand in a log of faults beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from faultxfer.contract.intervals import read_log
from faultxfer.contract.log_labels import labelled_by_log
from faultxfer.contract.schema import Contract
from faultxfer.drafting.draft import EQUIPMENT, TIME
from faultxfer.drafting.fault_logs import FoundLog, log_of, looks_like_a_log
from faultxfer.drafting.infer import keys_of
from faultxfer.errors import ContractError
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable
from faultxfer.wording import listed

# The label column that a log fills, where nobody names one.
FAULT = "fault"
# What a plant's clock and habits make of times, in a log as in sensor files.
_OF_TIMES = {"timezone", "day_first"}
# A column with more different cells than this names no machines.
_MOST_MACHINES = 500


def find_log(paths: list[Path], tables: list[RawTable], events: Path | None) -> Path | None:
    """The log of faults: the one named, or the file among others that has intervals alone.

    Raises:
        ContractError: several files look like one.
    """
    if events is not None:
        return events
    logs = [path for path, table in zip(paths, tables, strict=True) if looks_like_a_log(table)]
    if not logs or len(logs) == len(tables):
        return None
    if len(logs) > 1:
        raise ContractError(
            "Several files look like logs of faults",
            received={"files": listed([path.name for path in logs], most=5)},
            remedy="Name one with --events, and leave the others out",
        )
    return logs[0]


def _names(table: RawTable) -> Iterator[str]:
    for name in table.names:
        cells = table.stripped(name)
        if cells.head(10_000).nunique() <= _MOST_MACHINES:
            yield from map(str, cells.unique())


def labelled_examples(
    tables: list[RawTable],
    path: Path | None,
    label: str,
    family: str,
    named: dict[str, str | None],
    options: Csv,
) -> tuple[list[RawTable], FoundLog | None]:
    """The examples as if the log were complete, so that their columns can be told from labels.

    Args:
        tables: the sensor files, which name the machines.
        path: of the log; None leaves the tables as they are.
        label: the label column.
        family: name of the family.
        named: the column of each key; None where it is to be recognised.
        options: what had to be given to read the files; of it the log takes what is of times.

    Returns:
        The tables, and which columns of the log say what.

    Raises:
        DataError: the log cannot be read or shows no intervals, rows and log cannot be put on one
            clock, or the log knows none of the machines.
    """
    if path is None:
        return tables, None
    pins = options.model_dump(include=_OF_TIMES & options.model_fields_set)
    machines = {name for table in tables for name in _names(table)}
    found = log_of(read_csv(path, Csv(**pins)), machines)
    found = replace(found, how=found.how.model_copy(update={"csv": Csv(**pins)}))
    keys = keys_of(tables, label, named).keys
    how = found.how.model_copy(update={"complete": True})
    fields: dict[str, Any] = {
        "family": family,
        "label": {"column": label, "log": how.model_dump()},
        "equipment_column": keys[EQUIPMENT],
        "time_column": keys[TIME],
        "sensors": {"any reading": {}},
    }
    contract = Contract.model_validate(fields)
    return labelled_by_log(tables, contract, read_log(path, how)), found
