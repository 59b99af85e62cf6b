"""Commands to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
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


# More files than this make no command to be typed.
_MOST_FILES = 20


def typed(*words: str) -> str:
    """A command of faultxfer as it is typed.

    >>> typed("validate", "my file.csv")
    "faultxfer validate 'my file.csv'"
    """
    return shlex.join(["faultxfer", *words])


def options(name: str, values: Iterable[str]) -> list[str]:
    """An option that is given once for each value.

    >>> options("--without", ["flow", "speed"])
    ['--without', 'flow', '--without', 'speed']
    """
    return [word for value in values for word in (name, value)]


def going_on_without(command: Iterable[str], sensors: Iterable[str]) -> Next:
    """The same command, for a machine that does not have these sensors."""
    why = "Go on without, if the machine does not have " + ", ".join(sensors)
    return Next(why, typed(*command, *options("--without", sensors)))


def typed_files(files: Iterable[str]) -> tuple[str, ...]:
    """Files as they stand in a command: each, or a word for very many."""
    every = tuple(files)
    return every if len(every) <= _MOST_FILES else ("CSV...",)
