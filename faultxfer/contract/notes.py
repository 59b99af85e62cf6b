"""Findings of one table while it is checked, and which rows they set aside."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
import pandas as pd

from faultxfer.contract.codes import DEFAULTS
from faultxfer.findings import MAX_EXAMPLES, SEVERITIES, Finding, Severity, refusing, shortened
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable

# Findings of rows that the contract leaves out on purpose.
_BY_CONTRACT = frozenset({"LABEL-LEFT-OUT", "ROWS-LEFT-OUT"})


class _Cells(NamedTuple):
    """Where cells stand: (n,) files and (n,) lines."""

    files: np.ndarray
    lines: np.ndarray


@dataclass(frozen=True)
class Noted:
    """Rows that a finding is about.

    Attributes:
        places: (m,) ascending places of the rows in the table.
        column: by the contract's name.
        message: with how many rows there are.
        tail: what follows in the message where some rows have more to be said, with ``{some}`` for
            how many; places of these rows in ``some``.
    """

    code: str
    severity: Severity
    places: np.ndarray
    column: str
    message: str
    remedy: str
    expected: str
    tail: str = ""
    some: np.ndarray | None = None

    @property
    def more(self) -> int:
        """How many rows have more to be said."""
        return 0 if self.some is None else len(self.some)

    def words(self) -> tuple[str, str]:
        """The message before and after the number of rows or readings, without its tail.

        Raises:
            ValueError: it does not say once how many there are.
        """
        kind = " row(s)" if " row(s)" in self.message else " reading(s)"
        before, after = self.message.split(f"{len(self.places)}{kind}")
        return before, kind + after

    def between(self, begin: int, end: int) -> Noted:
        """The same of rows from a place on and before another; the message is as it was."""

        def kept(places: np.ndarray) -> np.ndarray:
            return places[slice(*np.searchsorted(places, (begin, end)))]

        some = None if self.some is None else kept(self.some)
        return dataclasses.replace(self, places=kept(self.places), some=some)


def with_tail(message: str, tail: str, some: int) -> str:
    """A message with what is said of some rows, where there are any."""
    return message + (tail.format(some=some) if some else "")


class Notes:
    """What has been found so far in one table."""

    def __init__(self, table: RawTable) -> None:
        self.table = table
        self.findings: list[Finding] = []
        # By sensor, (n,) bool: readings that do not count for their quality.
        self.bad: dict[str, np.ndarray] = {}
        # Of the findings those about rows, in the order found.
        self.noted: list[Noted] = []

    @property
    def refused(self) -> bool:
        """Whether a finding refuses the whole file."""
        return bool(refusing(self.findings))

    @property
    def sorted(self) -> tuple[Finding, ...]:
        """The findings, refusing ones first."""
        return tuple(sorted(self.findings, key=lambda finding: SEVERITIES.index(finding.severity)))

    def missing(self, name: str) -> np.ndarray:
        """(n,) bool: whether a sensor has no reading that counts."""
        missing: np.ndarray = self.table.missing(name).to_numpy()
        bad = self.bad.get(name)
        return missing if bad is None else missing | bad

    def remarks(self, severity: Callable[[str], Severity]) -> None:
        """Note what was found while the file was brought into its shape."""
        for remark in self.table.remarks:
            self.file(
                remark.code,
                remark.message,
                remark.remedy,
                severity=severity(remark.code),
                column=remark.column,
                count=remark.count,
                line=remark.line,
                file=remark.file or self.table.file,
            )

    def file(
        self,
        code: str,
        message: str,
        remedy: str,
        *,
        severity: Severity | None = None,
        file: str | None = None,
        **more: object,
    ) -> None:
        """Note something about a file as a whole.

        Severity and file are those of the code and of the table, if not given.
        """
        severity = severity or DEFAULTS[code]
        self.findings.append(
            Finding(
                code,
                severity,
                message,
                file=file or self.table.file,
                remedy=remedy,
                **more,  # type: ignore[arg-type]
            )
        )

    def rows(
        self,
        code: str,
        places: np.ndarray,
        column: str,
        message: str,
        remedy: str,
        *,
        expected: str,
        severity: Severity,
        tail: str = "",
        some: np.ndarray | None = None,
    ) -> None:
        """Note rows by their places in the table; severity ``quarantine`` sets them aside."""
        if not len(places):
            return
        noted = Noted(code, severity, places, column, message, remedy, expected, tail, some)
        self.noted.append(noted)
        self.findings.append(self.finding(noted))

    def finding(self, noted: Noted) -> Finding:
        """What is said of rows."""
        column, first = noted.column, noted.places[:MAX_EXAMPLES]
        lines = self.table.lines_of(column, first)
        files = self.table.files_of(column, first)
        cells = [shortened(cell) for cell in self._cells(column, first)]
        examples = []
        for file, line, cell in zip(files, lines, cells, strict=True):
            other = "" if file == files[0] else f"{file}, "
            examples.append(f"{other}line {line}: {cell!r}")
        return Finding(
            noted.code,
            noted.severity,
            with_tail(noted.message, noted.tail, noted.more),
            file=str(files[0]),
            column=self.table.tag(column),
            line=int(lines[0]),
            count=len(noted.places),
            expected=noted.expected,
            received=cells[0],
            examples=tuple(examples),
            remedy=noted.remedy,
        )

    @property
    def _aside(self) -> Iterator[tuple[str, np.ndarray, str]]:
        """Code, places and column of rows that are set aside, in the order found."""
        for noted in self.noted:
            if noted.severity == "quarantine":
                yield noted.code, noted.places, noted.column

    def _cells(self, column: str, places: np.ndarray) -> pd.Series:
        """The cells that count in some rows."""
        return self.table.cells(column, self.table.origin_of(column, places))

    def aside(self, code: str | None = None) -> np.ndarray:
        """(n,) bool: the rows set aside so far, by any code or by one."""
        found = np.zeros(len(self.table), dtype=bool)
        for name, places, _ in self._aside:
            if code in (None, name):
                found[places] = True
        return found

    def codes_aside(self) -> tuple[str, ...]:
        """The codes by which rows are set aside, in the order found."""
        return tuple(dict.fromkeys(code for code, _, _ in self._aside))

    def columns_of(self, code: str) -> set[str]:
        """Columns for which rows are set aside by a code."""
        return {column for name, _, column in self._aside if name == code}

    def none_left(self, absent: tuple[str, ...] = ()) -> None:
        """Refuse the file, and say which rules took most rows.

        Args:
            absent: sensors for want of which no row is left.
        """
        taking = [found for found in self.findings if found.severity == "quarantine"]
        by_contract = [found for found in self.findings if found.code in _BY_CONTRACT]
        most = sorted([*taking, *by_contract], key=lambda found: -found.count)
        causes = [f"{found.code} in {found.column!r}, {found.count} rows" for found in most[:3]]
        first = "Every row breaks a rule" if not by_contract else "No row is left to be used"
        self.file(
            "ROWS-NONE-LEFT",
            f"{first}: {'; '.join(causes)}",
            most[0].remedy,
            column=most[0].column,
            line=most[0].line,
            expected=most[0].expected,
            received=most[0].received,
            absent=absent,
        )

    def rejected(self) -> pd.DataFrame:
        """Rows set aside as they stand in the file, with file, line and codes beside them."""
        if not any(self._aside):
            return pd.DataFrame(columns=[columns.FILE, columns.LINE, columns.CODES])
        places, table = np.flatnonzero(self.aside()), self.table
        cells = table.rows(places) if len(places) else table.frame.iloc[:0]
        rejected = cells.rename(columns=_earlier(list(cells.columns)))
        guilty = self._guilty_cells()
        rejected[columns.FILE] = guilty.files[places]
        rejected[columns.LINE] = guilty.lines[places]
        rejected[columns.CODES] = self._codes()[places]
        return rejected

    def reasons(self) -> np.ndarray:
        """(n,) text: by which rules each row is set aside, and in which column; empty for others.

        A row is named once for each, in the order found.
        """
        reasons = np.full(len(self.table), "", dtype=object)
        for code, places, column in self._aside:
            found = f"{code} ({self.table.tag(column)})"
            reasons[places] = [f"{before}, {found}".lstrip(", ") for before in reasons[places]]
        return reasons

    def _guilty_cells(self) -> _Cells:
        """(n,) file and line of each row: those of the cell which was found first."""
        table = self.table
        found = _Cells(table.files_of(None, np.arange(len(table))), table.lines.copy())
        for _, places, column in reversed(list(self._aside)):
            found.files[places] = table.files_of(column, places)
            found.lines[places] = table.lines_of(column, places)
        return found

    def _codes(self) -> np.ndarray:
        """(n,) the codes of each row, in the order found."""
        codes = np.full(len(self.table), "", dtype=object)
        for code in self.codes_aside():
            places = self.aside(code)
            codes[places] = [f"{before} {code}".strip() for before in codes[places]]
        return codes


def _earlier(names: list[str]) -> dict[str, str]:
    """Numbered names for the notes of earlier checks, where a quarantine file is checked again.

    >>> _earlier(["flow", "_line", "_line_1"])
    {'_line': '_line_2'}
    """
    renamed = {}
    for name in (columns.FILE, columns.LINE, columns.CODES):
        if name in names:
            numbered = (f"{name}_{number}" for number in count(1))
            renamed[name] = next(free for free in numbered if free not in names)
    return renamed
