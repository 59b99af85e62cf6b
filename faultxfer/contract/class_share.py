"""The share of faults beside the source's.

Labels made by another rule look like a much sicker machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.findings import Finding
from faultxfer.reading import columns

CODE = "LABEL-SHARE"
# Where one row in ten was a fault, a share from 2 % to 36 % passes: machines of a family differ,
# labelling rules differ more.
MAX_ODDS_RATIO = 5.0


@dataclass(frozen=True)
class Classes:
    """How many labelled rows there are, and how many of them are faults."""

    rows: int
    faults: int

    @property
    def share(self) -> float:
        """Share of the faults, from 0 to 1."""
        return self.faults / self.rows

    @property
    def odds(self) -> float | None:
        """Fault rows for each normal row; None where a class has no row."""
        return self.faults / (self.rows - self.faults) if 0 < self.faults < self.rows else None


def with_class_share(
    checked: list[Checked], contract: Contract, source: Classes | None
) -> list[Checked]:
    """Report where the share of faults in all files together lies far from the source's.

    The first file carries the finding. Nothing is compared where a file was refused, or where the
    rows have no labels or one class.

    Args:
        checked: outcome of each file.
        contract: what they were checked against.
        source: classes of the rows that the source model was made from; None where there is no
            source, or where it does not record them.
    """
    labelled = [outcome for outcome in checked if outcome.has(columns.FAULT)]
    if source is None or not labelled or any(outcome.refused for outcome in checked):
        return checked
    found = _classes(labelled)
    if not _far(found, source):
        return checked
    first = labelled[0]
    finding = Finding(
        CODE,
        contract.severity(CODE),
        f"{found.share:.2%} of the rows are labelled fault, "
        f"{source.share:.2%} of the source's rows were",
        file=first.table.file if len(labelled) == 1 else None,
        column=first.table.tag(contract.label.column),
        count=found.rows,
        expected=_expected(source),
        received=f"{found.share:.2%}: {found.faults} of {found.rows} rows",
        remedy="Ask who labelled the rows and by which rule, and export whole recordings instead "
        "of the faults alone",
    )
    carrier = first.with_finding(finding)
    return [carrier if outcome is first else outcome for outcome in checked]


def _classes(labelled: list[Checked]) -> Classes:
    rows = sum(len(outcome.accepted) for outcome in labelled)
    faults = sum(int(outcome.accepted[columns.FAULT].sum()) for outcome in labelled)
    return Classes(rows, faults)


def _far(found: Classes, source: Classes) -> bool:
    if found.odds is None or source.odds is None:
        return False
    ratio = found.odds / source.odds
    return not 1 / MAX_ODDS_RATIO <= ratio <= MAX_ODDS_RATIO


def _expected(source: Classes) -> str:
    """The shares that pass, as odds can be turned back into shares."""
    odds = source.odds or 0.0
    low, high = _share(odds / MAX_ODDS_RATIO), _share(odds * MAX_ODDS_RATIO)
    return f"a share from {low:.2%} to {high:.2%}, by the source's"


def _share(odds: float) -> float:
    """The share of faults with these odds.

    >>> _share(1.0), _share(0.25)
    (0.5, 0.2)
    """
    return odds / (1 + odds)
