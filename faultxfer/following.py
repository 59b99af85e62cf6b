"""Commands to type next."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Next:
    """A command to type, and what it is good for."""

    why: str
    command: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


# What stands in a command for what only the reader knows.
NEW_FILES, NEW_MACHINE, CONTRACT = "NEW.csv", "NEW", "contract.yaml"
# Where the lineage of a bundle says what its transfer was asked, for the command that repeats it.
ASKED = "asked"
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


def with_log(events: Path | str | None) -> list[str]:
    """The option of a log of faults, where there is one."""
    return [] if events is None else ["--events", str(events)]


def going_on_without(command: Iterable[str], sensors: Iterable[str]) -> Next:
    """The same command, for a machine that does not have these sensors."""
    why = "Go on without, if the machine does not have " + ", ".join(sensors)
    return Next(why, typed(*command, *options("--without", sensors)))


def typed_files(files: Iterable[str]) -> tuple[str, ...]:
    """Files as they stand in a command: each, or a word for very many."""
    every = tuple(files)
    return every if len(every) <= _MOST_FILES else ("CSV...",)


def transfer_without(
    sensors: Iterable[str],
    asked: Mapping[str, Any],
    model: str | None = None,
    equipment: str | None = None,
) -> Next:
    """The transfer that makes a version which does without some sensors.

    The labelled rows of then do for it: what they have of the sensors is not used.

    Args:
        sensors: to go on without.
        asked: what the transfer of then was asked (:data:`ASKED`); empty where it is not known.
        model: source model, where that is not known.
        equipment: the machine, likewise.
    """
    files, contract = asked.get("files") or (), asked.get("contract", "")
    there = bool(files) and all(glob.glob(name) for name in (*files, contract))  # noqa: PTH207
    why = f"Make a version without {', '.join(sensors)}, from the labelled rows of then or newer"
    if not there:
        files, contract = (NEW_FILES,), CONTRACT
        why = f"Make a version without {', '.join(sensors)}; put labelled files for {NEW_FILES}"
    of = asked.get("model") or model or NEW_MACHINE, asked.get("equipment") or equipment
    machine = ("--model", of[0], "--equipment", of[1] or NEW_MACHINE)
    without = options("--without", dict.fromkeys((*asked.get("without", ()), *sensors)))
    log = with_log(asked.get("events") if there else None)
    return Next(why, typed("transfer", *files, "--contract", contract, *log, *machine, *without))
