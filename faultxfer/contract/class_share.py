"""The share of faults beside the source's: labels made by another rule look like a much sicker machine."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.findings import Finding
from faultxfer.reading import columns

CODE = "LABEL-SHARE"
# Where one row in ten was a fault, a share from 2 % to 36 % passes: machines of a family differ, labelling rules more.
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
    """Say where the share of faults in all files together lies far from the source's; the first file carries it.

    Args:
        checked: outcome of each file.
        contract: what they were checked against.
        source: classes of the rows that the source model was made from; None where there is no source, or it does not
            say. Then nothing is compared, nor where a file was refused, or where the rows have no labels or one class.
    """
    labelled = [
        outcome
        for outcome in checked
        if columns.FAULT in outcome.accepted and len(outcome.accepted)
    ]
    if source is None or not labelled or any(outcome.refused for outcome in checked):
        return checked
    found = _classes(labelled)
    if not _far(found, source):
        return checked
    finding = _finding(found, source, contract, labelled)
    carrier = dataclasses.replace(labelled[0], findings=_with(labelled[0].findings, finding))
    return [carrier if outcome is labelled[0] else outcome for outcome in checked]


def _classes(labelled: list[Checked]) -> Classes:
    rows = sum(len(outcome.accepted) for outcome in labelled)
    return Classes(rows, sum(int(outcome.accepted[columns.FAULT].sum()) for outcome in labelled))


def _far(found: Classes, source: Classes) -> bool:
    if found.odds is None or source.odds is None:
        return False
    return not 1 / MAX_ODDS_RATIO <= found.odds / source.odds <= MAX_ODDS_RATIO


def _with(findings: tuple[Finding, ...], finding: Finding) -> tuple[Finding, ...]:
    """Refusing findings stand first."""
    return (finding, *findings) if finding.severity == "refuse" else (*findings, finding)


def _finding(
    found: Classes, source: Classes, contract: Contract, labelled: list[Checked]
) -> Finding:
    return Finding(
        CODE,
        contract.severity(CODE),
        f"{found.share:.2%} of the rows are labelled fault, {source.share:.2%} of the source's rows were",
        file=labelled[0].table.file if len(labelled) == 1 else None,
        column=labelled[0].table.tag(contract.label.column),
        count=found.rows,
        expected=_expected(source),
        received=f"{found.share:.2%}: {found.faults} of {found.rows} rows",
        remedy="Ask who labelled the rows and by which rule, and export whole recordings instead of the faults alone",
    )


def _expected(source: Classes) -> str:
    """The shares that pass, as odds can be turned back into shares."""
    odds = source.odds or 0.0
    low, high = (scaled / (1 + scaled) for scaled in (odds / MAX_ODDS_RATIO, odds * MAX_ODDS_RATIO))
    return f"a share from {low:.2%} to {high:.2%}, by the source's"
