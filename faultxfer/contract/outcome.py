"""The outcome of a check: rows accepted, rows set aside, and the findings that say why."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from faultxfer.errors import DataError
from faultxfer.findings import Finding, absent_sensors, refusing
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable

if TYPE_CHECKING:
    from faultxfer.contract.expectations import Validation


@dataclass(frozen=True)
class Checked:
    """Outcome for one table.

    Attributes:
        accepted: sensor columns as float64 in feature order, and the bookkeeping columns of
            ``columns``.
        rejected: rows set aside, their cells as read, with the columns ``_file``, ``_line`` and
            ``_codes``.
        findings: all findings, refusing ones first.
        read: number of rows read.
        left_out: number of rows that belong to other equipment.
        unused: by reason, how many rows the contract leaves out on purpose.
        table: the rows as read.
        validation: what Great Expectations found, or None where the file was refused before.
        unscored: rows outside `where` of a file to be scored, with the reason; None elsewhere.
    """

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    findings: tuple[Finding, ...]
    read: int
    left_out: int
    table: RawTable
    validation: Validation | None = None
    unused: Mapping[str, int] = field(default_factory=dict)
    unscored: pd.DataFrame | None = None

    @property
    def refused(self) -> bool:
        """Whether the whole file was refused."""
        return bool(refusing(self.findings))

    def has(self, column: str) -> bool:
        """Whether rows were accepted, with this bookkeeping column."""
        return column in self.accepted and len(self.accepted) > 0

    def with_finding(self, finding: Finding) -> Checked:
        """The same outcome with one more finding; refusing findings stand first."""
        findings = (*self.findings, finding)
        if finding.severity == "refuse":
            findings = (finding, *self.findings)
        return dataclasses.replace(self, findings=findings)

    def without(self, places: np.ndarray, as_read: pd.DataFrame) -> Checked:
        """The outcome after more rows were set aside.

        Args:
            places: places of the rows in the file.
            as_read: the same rows as they stand in the file, with their codes.
        """
        aside = self.accepted[columns.ROW].isin(places)
        accepted = self.accepted[~aside].reset_index(drop=True)
        rejected = as_read
        if len(self.rejected):
            rejected = pd.concat([self.rejected, as_read])
        return dataclasses.replace(self, accepted=accepted, rejected=rejected)


def refusal(findings: Iterable[Finding], what: str, more: str = "") -> DataError:
    """The error for rows that are refused, by the first finding that refuses them.

    Args:
        findings: of the rows; one of them refuses.
        what: does not fit, in words.
        more: what else can be done.
    """
    reasons = refusing(findings)
    first = reasons[0]
    received: dict[str, object] = {"refusals": [reason.code for reason in reasons]}
    if first.received:
        received = {"value": first.received}
    return DataError(
        f"{what}. {first.code}: {first.message}",
        received=received,
        where=_place(first),
        remedy=". ".join(filter(None, (first.remedy, more))),
        absent=absent_sensors(reasons),
    )


def _place(finding: Finding) -> str:
    column = f"column {finding.column!r}" if finding.column else ""
    line = f"line {finding.line}" if finding.line else ""
    return ", ".join(part for part in (finding.file or "all files together", column, line) if part)
