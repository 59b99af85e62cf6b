"""What the doctor finds, and what kind of repair it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# What a repair does. What restores is applied as the doctor is called; what takes away only where
# somebody asks for it.
RESTORES, TAKES_AWAY = "restores", "takes away"
# There is no repair: a person must act, or nothing could be read.
PERSON, UNCHECKED = "needs a person", "could not be checked"


@dataclass(frozen=True)
class Diagnosis:
    """One thing found.

    Attributes:
        code: stable, with a section in ``docs/registry.md``.
        where: model, version or run.
        message: what is wrong, in a sentence.
        remedy: the repair in words; what to do, where only a person can.
        repair: does it; None where only a person can.
        kind: ``restores``, ``takes away``, ``needs a person`` or ``could not be checked``.
        model: registered model that it is about; None for runs, uploads and folders.
        ends_champion: whether the repair would take a champion away.
        retires_the_last: whether all versions of the model would be retired then.
    """

    code: str
    where: str
    message: str
    remedy: str = ""
    repair: Callable[[], object] | None = None
    kind: str = PERSON
    model: str | None = None
    ends_champion: bool = False
    retires_the_last: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "code": self.code,
            "where": self.where,
            "message": self.message,
            "remedy": self.remedy,
            "kind": self.kind,
        }
