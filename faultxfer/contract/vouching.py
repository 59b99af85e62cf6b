"""Rows without a label: marked as such, or as normal where somebody vouches for them.

A file may lack the label column, or leave cells of it empty. What nobody labelled is *unknown*: it
judges nothing. `--healthy` names rows of a time that somebody knows to have been in order; they
count as normal, and the journal keeps by whose word.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract import machines
from faultxfer.contract.codes import DEFAULTS
from faultxfer.contract.fault_log import LEFT_OUT, NOBODY_KNOWS
from faultxfer.contract.healthy import Healthy
from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.contract.selection import LabelCells, label_cells
from faultxfer.contract.used_rows import WITHOUT_LABEL
from faultxfer.errors import DataError
from faultxfer.findings import Finding, refusing
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable, Remark
from faultxfer.reading.times import read_times
from faultxfer.spelling import asking, meant
from faultxfer.wording import counted

NO_LABEL, NO_COLUMN, AGAINST = "LABEL-NONE", "LABEL-NO-COLUMN", "HEALTHY-FAULT"
# In the bookkeeping column of faults, of rows that nobody labelled.
UNKNOWN = -1
_NONE_LEFT = "ROWS-NONE-LEFT"
# A day without a clock ends just before the next one.
_DAY = 86_400 - 1e-3


@dataclass(frozen=True)
class Vouching:
    """That rows need no label, and who vouches for which of them.

    Attributes:
        healthy: rows that count as normal; None where nobody vouches.
    """

    healthy: Healthy | None = None

    @property
    def columns(self) -> frozenset[str]:
        """Columns of files that are looked at besides the contract's."""
        column = None if self.healthy is None else self.healthy.column
        return frozenset() if column is None else frozenset({column})


def with_states(
    tables: Sequence[RawTable], contract: Contract, vouching: Vouching, equipment: str | None
) -> list[RawTable]:
    """The same files, each with a label column that says what is known of every row.

    Args:
        tables: as read, one log of faults laid beside them where there is one.
        contract: with label and keys.
        vouching: who vouches for which rows.
        equipment: the machine asked for; of others nothing is vouched for.

    Raises:
        DataError: no row is vouched for, or the range or column cannot be read.
    """
    told = [_with_column(table, contract, equipment) for table in tables]
    healthy = vouching.healthy
    if healthy is None:
        return told
    found = [_vouched(table, contract, healthy, equipment) for table in told]
    if told and not any(rows.any() for rows in found):
        raise _no_row(told, contract, healthy)
    return [_as_normal(table, contract, rows) for table, rows in zip(told, found, strict=True)]


def without_any_label(checked: Sequence[Checked]) -> bool:
    """Whether rows are there, and none is left as none has a label."""
    reasons = {finding.code for outcome in checked for finding in refusing(outcome.findings)}
    there = sum(outcome.unused.get(WITHOUT_LABEL, 0) for outcome in checked)
    accepted = sum(len(outcome.accepted) for outcome in checked)
    return reasons == {_NONE_LEFT} and there > 0 and not accepted


def beside_labelled(checked: list[Checked]) -> list[Checked]:
    """A file without any label is no mistake beside one that has some."""
    if not any(len(outcome.accepted) for outcome in checked):
        return checked
    return [_softened(outcome) for outcome in checked]


def _softened(outcome: Checked) -> Checked:
    reasons = {finding.code for finding in refusing(outcome.findings)}
    if reasons != {_NONE_LEFT} or not outcome.unused.get(WITHOUT_LABEL):
        return outcome
    left = tuple(one for one in outcome.findings if one.code != _NONE_LEFT)
    return dataclasses.replace(outcome, findings=left)


def as_unlabelled(checked: list[Checked], contract: Contract) -> list[Checked]:
    """Rows that were checked as rows to be scored, as rows of which nobody knows what they are."""
    told = [
        dataclasses.replace(
            one,
            accepted=_unknown(one.accepted),
            findings=tuple(found for found in one.findings if found.code != NO_COLUMN),
        )
        for one in checked
    ]
    rows = sum(len(one.accepted) for one in told)
    finding = Finding(
        NO_LABEL,
        DEFAULTS[NO_LABEL],
        f"No row has a label ({counted(rows, 'row')}), so nothing is learnt from them and nothing "
        "is shown on this machine",
        column=contract.label.column,
        count=rows,
        expected="normal or fault in some rows",
        remedy="Label rows, give a log of faults with `--events`, or vouch for a time that was "
        "in order with `--healthy`",
    )
    return [told[0].with_finding(finding), *told[1:]]


def _unknown(accepted: pd.DataFrame) -> pd.DataFrame:
    if columns.REMARK in accepted:
        accepted = accepted[accepted[columns.REMARK].eq("")].drop(columns=columns.REMARK)
    state = np.full(len(accepted), UNKNOWN, dtype="int8")
    return accepted.assign(**{columns.FAULT: state}).reset_index(drop=True)


# One file


def _with_column(table: RawTable, contract: Contract, equipment: str | None) -> RawTable:
    """The file, with a label column of rows that nobody knows where it has none.

    A column that may be meant is asked about by the check, as ever.
    """
    label, own = contract.label.column, machines.translated(table, contract, equipment)
    known = machines.tags_of_columns(contract) | set(contract.ignore)
    free = [name for name in own.names if name not in known]
    if label in own.names or meant(label, free) is not None or not len(table):
        return table
    unlabelled = pa.repeat(pa.scalar(NOBODY_KNOWS, pa.large_string()), len(table))
    said = Remark(
        NO_COLUMN,
        f"The file has no column {label!r}, so none of its rows has a label",
        "Nothing, if nobody labelled them; else add the column, or name it in the contract",
        label,
        len(table),
        int(table.lines[0]),
    )
    told = table.with_text({label: unlabelled})
    return dataclasses.replace(told, remarks=(*told.remarks, said))


def _vouched(
    table: RawTable, contract: Contract, healthy: Healthy, equipment: str | None
) -> np.ndarray:
    """(n,) bool: rows of the machine that somebody vouches for."""
    own = machines.translated(table, contract, equipment)
    mine: np.ndarray = np.ones(len(table), dtype=bool)
    column = contract.equipment_column
    if equipment is not None and column is not None and column in own.names:
        mine = (own.stripped(column) == equipment).to_numpy(dtype=bool)
    if healthy.column is not None:
        mine = mine & _said(own, healthy.column)
    elif healthy.first is not None and healthy.last is not None:
        mine = mine & _between(own, contract, healthy.first, healthy.last)
    return mine


def _said(table: RawTable, column: str) -> np.ndarray:
    """(n,) bool: rows of which a column says yes."""
    if column not in table.names:
        raise DataError(
            "`--healthy` names a column that the file does not have",
            received={"column": column},
            where=table.file,
            remedy=asking(column, table.names, "Name a column that says yes or no of each row"),
        )
    said = table.booleans(column)
    lost = (said.isna() & ~table.missing(column)).to_numpy(dtype=bool)
    if lost.any():
        cell = table.stripped(column).iloc[int(lost.argmax())]
        raise DataError(
            "The column that `--healthy` names says neither yes nor no in some rows",
            received={"column": column, "cell": str(cell), "rows": int(lost.sum())},
            where=f"{table.file}, line {int(table.lines[lost.argmax()])}",
            remedy="Write 1 or 0, yes or no, or leave the cell empty where nobody knows",
        )
    return said.eq(1.0).to_numpy(dtype=bool)


def _between(table: RawTable, contract: Contract, first: str, last: str) -> np.ndarray:
    """(n,) bool: rows from a time to another, both counted in."""
    column = contract.time_column
    if column is None or column not in table.names:
        raise DataError(
            "`--healthy` names a range of time, and the rows have none",
            received={"time_column": column},
            where=table.file,
            remedy="Name the time column in the contract, or use --healthy column:NAME or all",
        )
    times = table.times(column)
    if times.style == "a number":
        begin, end = _number(first), _number(last)
    else:
        begin, end = _moment(first, table), _moment(last, table)
        end += 0.0 if ":" in last else _DAY
    if np.isnan([begin, end]).any() or end < begin:
        raise DataError(
            "The range that `--healthy` names cannot be read as one of the time column",
            received={"healthy": f"{first}/{last}", "times": times.style},
            where=f"{table.file}, column {column!r}",
            remedy="Write two numbers, such as 100/400, the lower one first"
            if times.style == "a number"
            else "Write 2026-03-01/2026-03-15, or with 14:05 behind the days, the earlier first",
        )
    seconds = times.seconds.to_numpy()
    found: np.ndarray = (seconds >= begin) & (seconds <= end)
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _moment(text: str, table: RawTable) -> float:
    """Seconds of a time written year first, in the zone of the file's times."""
    iso = dataclasses.replace(table.dialect.times, format="iso")
    dialect = dataclasses.replace(table.dialect, times=iso)
    return float(read_times(pd.Series([text]), dialect, where="`--healthy`").seconds.iloc[0])


def _as_normal(table: RawTable, contract: Contract, rows: np.ndarray) -> RawTable:
    """The file with rows that somebody vouches for as normal ones.

    Those that are labelled fault are neither, and said; what is labelled or excluded stays.
    """
    if not rows.any():
        return table
    label = contract.label
    cells = label_cells(table, label)
    said = table.stripped(label.column).fillna("").to_numpy(dtype=object).copy()
    said[rows & _nobody_knows(cells)] = label.normal[0]
    against = rows & cells.of(label.faults)
    said[against] = LEFT_OUT
    told = table.with_text({table.tag(label.column): pa.array(said, pa.large_string())})
    if not against.any():
        return told
    remark = Remark(
        AGAINST,
        f"{counted(int(against.sum()), 'row')} that somebody vouches for are labelled fault: they "
        "are neither, and not used",
        "Ask which is right; correct the labels, or name another range with `--healthy`",
        label.column,
        int(against.sum()),
        int(table.lines[against.argmax()]),
        lines=table.lines[against],
    )
    return dataclasses.replace(told, remarks=(*told.remarks, remark))


def _nobody_knows(cells: LabelCells) -> np.ndarray:
    return cells.unknown | cells.spelt.eq("").to_numpy(dtype=bool)


def _no_row(tables: Sequence[RawTable], contract: Contract, healthy: Healthy) -> DataError:
    """Nothing lies in the range, or no row says yes."""
    column = healthy.column or contract.time_column
    cells = [table.stripped(column) for table in tables if column and column in table.names]
    there = [f"{one.iloc[0]} to {one.iloc[-1]}" for one in cells if len(one)]
    return DataError(
        "`--healthy` names no row of these files",
        received={"healthy": healthy.text, "files hold": there[:3]},
        where=", ".join(table.file for table in tables[:3]),
        remedy="Name a range that the files hold, or `all`",
    )
