"""What a watcher says of a file: once, and in one sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from faultxfer.following import Next
from faultxfer.wording import counted

Outcome = Literal["scored", "transferred", "refused", "copy", "waits", "unfinished", "delayed"]

# In the order in which they are counted.
_COUNTED: dict[Outcome, tuple[str, str]] = {
    "scored": ("file scored", "files scored"),
    "transferred": ("transfer", "transfers"),
    "refused": ("refused", "refused"),
    "copy": ("copy of a file that was there", "copies of files that were there"),
    "waits": ("waits for a version that can score it", "wait for a version that can score them"),
    "unfinished": ("still being written", "still being written"),
    "delayed": ("put off", "put off"),
}


@dataclass(frozen=True)
class Event:
    """Something that happened to a file.

    Attributes:
        outcome: ``scored``, ``transferred``, ``refused``, ``copy`` of a known content, ``waits``
            for a version that can score it, ``unfinished``, or ``delayed`` by what is no fault of
            the file.
        file: its name, as seen from the watched folder.
        message: one sentence.
        machine: whose rows; None where the whole file is meant.
        next: what to type now; None where nothing is to be done.
    """

    outcome: Outcome
    file: str
    message: str
    machine: str | None = None
    next: Next | None = None

    @property
    def sentence(self) -> str:
        """File, machine and message in a line."""
        whose = f" ({self.machine})" if self.machine else ""
        return f"{self.file}{whose}: {self.message}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "outcome": self.outcome,
            "file": self.file,
            "machine": self.machine,
            "message": self.message,
            "next": self.next.as_dict() if self.next else None,
        }


@dataclass(frozen=True)
class Watched:
    """All that a watcher said until it ended."""

    landing: str
    events: tuple[Event, ...]

    @property
    def bad(self) -> tuple[Event, ...]:
        """What a person has to look at: refused files, and work that could not be done."""
        return tuple(one for one in self.events if one.outcome in ("refused", "delayed"))

    @property
    def headline(self) -> str:
        """How many files of each outcome there were.

        >>> Watched("in", (Event("scored", "a.csv", "Done."),)).headline
        'watched in: 1 file scored'
        """
        done = {(one.file, one.machine) for one in self.events if one.outcome == "scored"}
        counts = Counter(
            one.outcome
            for one in self.events
            if one.outcome != "waits" or (one.file, one.machine) not in done
        )
        said = [counted(counts[kind], *words) for kind, words in _COUNTED.items() if counts[kind]]
        return f"watched {self.landing}: {', '.join(said) or 'nothing new'}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "outcome": "watched",
            "landing": self.landing,
            "headline": self.headline,
            "files": [one.as_dict() for one in self.events],
        }
