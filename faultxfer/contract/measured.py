"""Sensors of a contract that are no measurements, by their content in all files together.

The rules are those by which a contract is drafted: :mod:`faultxfer.column_kinds`. A contract may
have been written by hand, or before a column became what it is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from faultxfer.column_kinds.found import Found, Kind
from faultxfer.column_kinds.kinds import find_kinds
from faultxfer.column_kinds.rows import ColumnRows
from faultxfer.column_kinds.worth import gain_of
from faultxfer.contract.across import Stack, files_with
from faultxfer.contract.outcome import Checked
from faultxfer.contract.rules.protocol import TableRows
from faultxfer.contract.schema import Contract
from faultxfer.findings import Finding, Severity
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable

_LEAK = "LABEL-LEAK"
# One line for each kind that is found again in data under a contract.
_CODES: dict[Kind, str] = {
    "leak": _LEAK,
    "counter": "COLUMN-COUNTS",
    "clock": "COLUMN-CLOCK",
    "quality": "COLUMN-QUALITY",
    "name": "COLUMN-NAME",
    "copy": "COLUMN-COPY",
}
# A leak decides where PR-AUC on runs left out moves by more than this without it.
_DECIDES = 0.05
_FEWEST_MACHINES = 3
# Of more rows than this, evenly some are looked at.
_ROWS = 50_000
_REMEDY = (
    "Move the column from `sensors` to `ignore` and pretrain again; if it is a measurement, "
    "say so at the sensor: `keep: why it is one`"
)


def with_no_measurements(checked: list[Checked], stack: Stack, *, training: bool) -> list[Checked]:
    """The files, with sensors that are no measurements; the first file carries the findings.

    Args:
        checked: the outcome of each file; where one is refused nothing is looked at.
        stack: their rows, and what they were checked against.
        training: whether a model is made of the rows: then a leak by which it would look better
            than it is refuses the file.
    """
    files = files_with(checked, columns.RUN)
    if not files:
        return checked
    rows = stack.of([checked[file] for file in files])
    some = rows.only(np.arange(0, len(rows), every_so_many(len(rows))))
    file = checked[files[0]].table.file if len(files) == 1 else None
    known = {(finding.code, finding.column) for outcome in checked for finding in outcome.findings}
    checked = list(checked)
    first = files[0]
    for finding in findings_of(some, checked[first].table, training=training, file=file):
        if (finding.code, finding.column) not in known:
            checked[first] = checked[first].with_finding(finding)
    return checked


def every_so_many(rows: int) -> int:
    """The distance between the rows that are looked at."""
    return rows // _ROWS + 1


def findings_of(
    some: TableRows, table: RawTable, *, training: bool, file: str | None
) -> Iterator[Finding]:
    """What is said of sensors that are no measurements.

    Args:
        some: the rows to look at.
        table: a file of them.
        training: as in :func:`with_no_measurements`.
        file: that the findings are about; None where there are several.
    """
    rows = _column_rows(some)
    look = _Look(rows, some.contract, find_kinds(rows), training, file)
    for found in look.found:
        finding = look.finding(found, table)
        if finding is not None:
            yield finding


def _column_rows(rows: TableRows) -> ColumnRows:
    """The rows as rules of columns see them, without sensors that are kept on purpose."""
    asked = [name for name in rows.values if not rows.contract.sensors[name].keep]
    fault = None if rows.fault is None else rows.fault.astype(np.float64)
    return ColumnRows(
        {name: rows.values[name] for name in asked}, rows.machine, rows.run, fault, rows.seconds
    )


@dataclass(frozen=True)
class _Look:
    """What was found in the rows, and what it means under the contract."""

    rows: ColumnRows
    contract: Contract
    found: list[Found]
    training: bool
    file: str | None

    def finding(self, found: Found, table: RawTable) -> Finding | None:
        """The finding of a column; None where the kind has none."""
        code = _CODES.get(found.kind)
        if code is None:
            return None
        severity, measured = self._weighed(found, code)
        return Finding(
            code,
            severity,
            f"Sensor {found.column!r} {found.reason}{measured}",
            file=self.file,
            column=table.tag(found.column),
            expected="a measurement",
            remedy=_REMEDY,
        )

    def _weighed(self, found: Found, code: str) -> tuple[Severity, str]:
        """What happens, and what was measured of the column's worth, in words."""
        if found.kind == "leak":
            return self._leak(found)
        usual = self.contract.severity(code)
        machines = len(np.unique(self.rows.machine))
        if found.kind != "counter" or not self.training or machines < _FEWEST_MACHINES:
            return usual, ""
        gain = self._gain(found.column, self.rows.machine)
        if gain is None:
            return usual, ""
        return usual, f"; with it PR-AUC on machines left out moves by {gain:+.3f}"

    def _leak(self, found: Found) -> tuple[Severity, str]:
        """A warning, unless the contract says otherwise or a model would be judged by the leak."""
        own = self.contract.rules.get(_LEAK)
        gain = self._gain(found.column, self.rows.recording) if self.training else None
        if gain is None:
            return own or "warn", ""
        words = f"; without it PR-AUC on runs left out is lower by {gain:.3f}"
        return own or ("refuse" if gain > _DECIDES else "warn"), words

    def _gain(self, column: str, group: np.ndarray) -> float | None:
        """What the column is worth beside all that do not leak."""
        leaks = {each.column for each in self.found if each.kind == "leak"}
        others = {
            name: values
            for name, values in self.rows.values.items()
            if name != column and name not in leaks
        }
        return gain_of(self.rows.values[column], others, self.rows.labels, group)
