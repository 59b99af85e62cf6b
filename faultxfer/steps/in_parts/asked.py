"""What is asked of a large file that is checked in parts, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from faultxfer.contract.schema import Contract
from faultxfer.findings import Finding
from faultxfer.reading.table import RawTable
from faultxfer.reading.transcoded import Transcoded
from faultxfer.steps.in_parts.kept_values import KeptValues
from faultxfer.steps.in_parts.key_count import Again

UNSCORED = "unscored.arrow"

if TYPE_CHECKING:
    from faultxfer.steps.completing import Completing


@dataclass(frozen=True)
class Asked:
    """How a file is checked; see :func:`faultxfer.steps.intake.check_files`.

    Its rows are kept where it is to be scored, ``labelled`` being False, and there alone.
    ``text`` is what is read in place of the file, if anything is; ``several`` is whether the file
    is one of several, of which more is said together.
    """

    contract: Contract
    equipment: str | None
    completing: Completing | None
    without: frozenset[str]
    lacks: frozenset[str]
    labelled: bool | None = False
    text: Transcoded | None = None
    several: bool = False

    def of(self, text: Transcoded) -> Asked:
        """The same of a file that is read in place of the one that is asked about."""
        contract = self.contract.model_copy(update={"csv": text.options})
        return self if text.encoding is None else replace(self, contract=contract, text=text)

    def with_days(self, day_first: bool | None) -> Asked:
        """The same where it is known whether dates begin with the day."""
        if day_first is None:
            return self
        options = self.contract.csv.model_copy(update={"day_first": day_first})
        return replace(self, contract=self.contract.model_copy(update={"csv": options}))

    @property
    def scoring(self) -> bool:
        """Whether the rows are to be scored."""
        return self.labelled is False


@dataclass(frozen=True)
class Accepted:
    """What came of a file.

    Attributes:
        rows: how many were read.
        accepted: how many of them are accepted.
        quarantined: how many of them are set aside.
        rejected: CSV of these; None where there are none.
        left_out: how many are of other machines.
        again: what of it may be there again in other files.
        absent: whether it has no row of the machine asked for, and is refused for that.
        unused: by reason, how many rows the contract leaves out on purpose.
        unscored: Arrow file of the rows outside `where`; None where there are none.
        values: of the accepted rows, where they are only checked.
        imputed: of these, how many have readings that were missing and are filled in.
        completed: whether any reading was filled in.
        findings: of the file as a whole.
        table: a part of the rows as read, and how they are written.
        times: how times are written; None without them.
        sha256: of the file.
    """

    rows: int
    accepted: int
    imputed: int
    completed: bool
    findings: tuple[Finding, ...]
    table: RawTable
    times: str | None
    sha256: str
    quarantined: int = 0
    rejected: Path | None = None
    left_out: int = 0
    again: Again | None = None
    absent: bool = False
    unused: Mapping[str, int] = field(default_factory=dict)
    unscored: Path | None = None
    values: KeptValues | None = None

    @property
    def header(self) -> list[str]:
        """Names of the columns of the rows set aside."""
        return (
            []
            if self.rejected is None
            else list(map(str, pd.read_csv(self.rejected, nrows=0, dtype=str)))
        )
