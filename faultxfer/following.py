"""Commands to type next."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Next:
    """A command to type, and what it is good for."""

    why: str
    command: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def typed(*words: str) -> str:
    """A command of faultxfer as it is typed.

    >>> typed("validate", "my file.csv")
    "faultxfer validate 'my file.csv'"
    """
    return shlex.join(["faultxfer", *words])
