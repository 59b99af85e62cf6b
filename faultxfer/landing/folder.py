"""What lies in a watched folder, and which files nobody writes to any more."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from faultxfer.errors import ConfigError

# What is written here by ourselves, beside the files that arrive.
SCORES, REFUSED, QUARANTINE, LEDGER = "scores", "refused", "quarantine", ".faultxfer"
_OWN = frozenset({SCORES, REFUSED, QUARANTINE})
# As programs that copy, download or export call a file that they have not finished.
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".download", "~")
_OF_DESKTOPS = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class Stamp:
    """What changes whenever somebody writes to a file: bytes, and times in nanoseconds."""

    size: int
    changed: int
    noted: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """That of a file.

        Raises:
            OSError: it is not there, or not to be looked at.
        """
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(frozen=True)
class Arrival:
    """A file that lies in the folder.

    Attributes:
        path: where.
        name: the same as seen from the watched folder, with ``/`` between folders.
        stamp: as it was when it was looked at.
    """

    path: Path
    name: str
    stamp: Stamp

    @property
    def folder(self) -> str | None:
        """The sub-folder in which it lies, the uppermost of several; None for the folder itself."""
        first, _, rest = self.name.partition("/")
        return first if rest else None

    @property
    def is_unfinished(self) -> bool:
        """Whether its name says that somebody is still going to rename it."""
        return self.name.lower().endswith(_UNFINISHED)

    @property
    def is_unchanged(self) -> bool:
        """Whether nobody has written to it since it was looked at."""
        try:
            return Stamp.of(self.path) == self.stamp
        except OSError:
            return False


def arrivals(landing: Path) -> list[Arrival]:
    """Every file that arrived, also in sub-folders, the oldest first.

    Hidden ones, and what was written here by ourselves, are not among them.

    Raises:
        ConfigError: there is no such folder, or it cannot be looked at.
    """
    found = [arrival for path in _files(landing) if (arrival := _arrival(path, landing))]
    return sorted(found, key=lambda one: (one.stamp.changed, one.name))


def _files(landing: Path) -> list[Path]:
    if not landing.is_dir():
        raise ConfigError(
            "There is no such folder to watch",
            received={"landing": str(landing)},
            remedy=f"Make it with `mkdir -p {landing}`, or name another one",
        )
    found: list[Path] = []
    for folder, below, names in os.walk(landing, onerror=_refuse):
        own = _OWN if Path(folder) == landing else frozenset()
        below[:] = [name for name in below if not name.startswith(".") and name not in own]
        found += [Path(folder, name) for name in names if _is_meant(name)]
    return found


def _refuse(error: OSError) -> None:
    raise ConfigError(
        "A watched folder cannot be looked at",
        received={"problem": error.strerror or str(error)},
        where=str(error.filename),
        remedy="Let the user that runs this read it",
    ) from error


def _is_meant(name: str) -> bool:
    return not name.startswith((".", "~")) and name.lower() not in _OF_DESKTOPS


def _arrival(path: Path, landing: Path) -> Arrival | None:
    """None where it went away meanwhile, or is no plain file."""
    try:
        stamp = Stamp.of(path)
    except OSError:
        return None
    return Arrival(path, path.relative_to(landing).as_posix(), stamp) if path.is_file() else None


@dataclass
class Patience:
    """Waits until nobody writes to a file any more.

    A file has settled where it looked the same for this many seconds, no program of this machine
    has it open for writing, and its name is a final one.

    Attributes:
        seconds: for how long.
    """

    seconds: float
    _since: dict[str, tuple[Stamp, float]] = field(default_factory=dict)

    def settled(self, found: Iterable[Arrival]) -> list[Arrival]:
        """Those of the files that have settled; the others are looked at again next time."""
        now = time.monotonic()
        listed = list(found)
        before = self._since
        self._since = {one.name: _unchanged_since(one, before, now) for one in listed}
        quiet = [one for one in listed if now - self._since[one.name][1] >= self.seconds]
        final = [one for one in quiet if not one.is_unfinished]
        written = _written(final)
        return [one for one in final if one.path.resolve() not in written]


def _unchanged_since(
    one: Arrival, before: dict[str, tuple[Stamp, float]], now: float
) -> tuple[Stamp, float]:
    stamp, since = before.get(one.name, (one.stamp, now))
    return (one.stamp, since if stamp == one.stamp else now)


def _written(files: list[Arrival]) -> set[Path]:
    """Those that a process of this machine has open for writing, as far as it may be seen."""
    if not files:
        return set()
    wanted = {one.path.resolve() for one in files}
    found: set[Path] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            found |= {
                Path(opened.path)
                for opened in process.open_files()
                if Path(opened.path) in wanted and getattr(opened, "mode", "r") != "r"
            }
    return found
