"""What ``validate`` shows: the check, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultxfer.contract.schema import Contract, load_contract
from faultxfer.findings import absent_sensors
from faultxfer.following import Next, going_on_without, options, typed, with_log

if TYPE_CHECKING:
    from faultxfer.steps.intake import CheckedRows


@dataclass(frozen=True)
class Validated:
    """A check of files, and what was asked.

    Attributes:
        rows: the outcome.
        files: paths, folders and patterns, as they were typed.
        contract: the contract's file.
        equipment: the machine asked for; None for all.
        details: whether each finding is shown.
        without: sensors to go on without, as they were typed.
        events: the log of faults, where there is one.
    """

    rows: CheckedRows
    files: tuple[str, ...]
    contract: Path
    equipment: str | None
    details: bool
    without: tuple[str, ...] = ()
    events: Path | None = None

    @property
    def refused(self) -> bool:
        """Whether a file was refused."""
        return self.rows.refused

    @property
    def next(self) -> tuple[Next, ...]:
        """Commands to type, the likeliest last."""
        if self.refused:
            why = "Mend the files or the contract as said above, then check again"
            again = Next(why, typed("validate", *self._asked()))
            absent = absent_sensors(self.rows.findings)
            if not absent:
                return (again,)
            return (again, going_on_without(("validate", *self._asked()), absent))
        return (*self._accepting(), self._using(load_contract(self.contract)))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return self.rows.as_dict()

    def _asked(self) -> list[str]:
        machine = ["--equipment", self.equipment] if self.equipment else []
        without = options("--without", self.without)
        log = with_log(self.events)
        return [*self.files, "--contract", str(self.contract), *log, *machine, *without]

    def _accepting(self) -> Iterator[Next]:
        """Whose limits were found too narrow, and nobody has accepted them."""
        if any(finding.severity == "info" for finding in self.rows.findings):
            why = "Accept the drafted limits, once they are what the instruments can read"
            yield Next(why, typed("contract", "accept", str(self.contract)))

    def _using(self, contract: Contract) -> Next:
        """The machine's transfer, or the source model of all machines."""
        model = ("--model", contract.family)
        if self.equipment:
            why = "Move a source model to this machine"
            return Next(why, typed("transfer", *self._asked(), *model))
        why = "Train a source model on these files, if they are the history"
        return Next(why, typed("pretrain", *self._asked(), *model))
