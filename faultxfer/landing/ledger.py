"""What was done with each file, by the digest of its content: one small file for each.

Every change is written whole or not at all, so a killed process leaves the ledger as it was before
the change or after it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from faultxfer.errors import ConfigError
from faultxfer.landing.folder import LEDGER, Stamp
from faultxfer.outputs import sole_process, writing, written_whole

State = Literal["begun", "scored", "waits", "refused"]


@dataclass(frozen=True)
class Part:
    """The rows of one machine in a file, and what was done with them.

    Attributes:
        machine: whose rows they are.
        labelled: whether they have labels.
        state: ``begun``, ``scored``, ``waits`` for a version that can score, or ``refused``.
        scores: file of scores, as seen from the watched folder.
        told: what came of it, in one sentence.
        transfer: what came of the transfer that they started, in one sentence; empty where none.
    """

    machine: str
    labelled: bool
    state: State = "begun"
    scores: str = ""
    told: str = ""
    transfer: str = ""

    def but(self, **changes: Any) -> Part:
        """The same with other values."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Entry:
    """One content, and what was done with it.

    Attributes:
        digest: SHA-256 of its bytes.
        name: of the file in which it came first, as seen from the watched folder.
        since: when that was (ISO 8601).
        tries: how often work on it was begun and not ended.
        reason: why it was refused as a whole; empty elsewhere.
        parts: its machines; empty until it was looked into.
        files: every file that has this content, and how each looked; the first is ``name``.
    """

    digest: str
    name: str
    since: str
    tries: int = 0
    reason: str = ""
    parts: tuple[Part, ...] = ()
    files: dict[str, Stamp] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """That of its parts: what is not done counts first."""
        states = [part.state for part in self.parts]
        if self.reason:
            return "refused"
        for state in ("begun", "waits", "refused"):
            if state in states:
                return state
        return "scored" if states else "begun"

    def but(self, **changes: Any) -> Entry:
        """The same with other values."""
        return dataclasses.replace(self, **changes)

    def with_part(self, part: Part) -> Entry:
        """The same, with this for the part of the same machine."""
        parts = [part if one.machine == part.machine else one for one in self.parts]
        return self.but(parts=tuple(parts))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**dataclasses.asdict(self), "state": self.state}


class Ledger:
    """The entries of a watched folder, all of them in memory and each in a file.

    Args:
        landing: the watched folder.
    """

    def __init__(self, landing: Path) -> None:
        self.folder = landing / LEDGER
        with writing("landing", self.folder):
            self.folder.mkdir(exist_ok=True)
        self.entries: dict[str, Entry] = {}
        self._by_file: dict[tuple[str, Stamp], str] = {}
        for entry in self._read():
            self._note(entry)

    def entry_of(self, name: str, stamp: Stamp) -> Entry | None:
        """The entry of a file that still looks as it did when its content was read."""
        return self.entries.get(self._by_file.get((name, stamp), ""))

    def write(self, entry: Entry) -> Entry:
        """Keep an entry, in place of the former one of the same content."""
        text = json.dumps(entry.as_dict(), ensure_ascii=False, indent=1)
        with written_whole("landing", self.folder / f"{entry.digest}.json") as part:
            part.write_text(text, encoding="utf-8")
        self._note(entry)
        return entry

    def forget(self, entry: Entry) -> None:
        """Take an entry out, so that its content is new again."""
        (self.folder / f"{entry.digest}.json").unlink(missing_ok=True)
        self.entries.pop(entry.digest, None)

    def _note(self, entry: Entry) -> None:
        self.entries[entry.digest] = entry
        for name, stamp in entry.files.items():
            self._by_file[name, stamp] = entry.digest

    def _read(self) -> Iterator[Entry]:
        for path in sorted(self.folder.glob("*.json")):
            yield _entry(path)


def _entry(path: Path) -> Entry:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        kept.pop("state")
        parts = tuple(Part(**part) for part in kept.pop("parts"))
        files = {name: Stamp(**stamp) for name, stamp in kept.pop("files").items()}
        return Entry(**kept, parts=parts, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            "What was done with a watched file cannot be read",
            received={"problem": f"{type(error).__name__}: {error}"},
            where=str(path),
            remedy="Bring the file back from a backup; or delete it, and the content that it is "
            "named by is scored again",
        ) from error


@contextlib.contextmanager
def sole_watcher(landing: Path) -> Iterator[None]:
    """Keep others from watching the same folder; a killed process keeps nobody out.

    Raises:
        ConfigError: another process watches it.
    """
    folder = landing / LEDGER
    with writing("landing", folder):
        folder.mkdir(exist_ok=True)
    refused = ConfigError(
        "Another process watches this folder",
        received={"landing": str(landing)},
        remedy="Stop that one first, or let it do the work: each file is scored once anyway",
    )
    with sole_process(folder, refused):
        yield


def now() -> str:
    """The time, as entries keep it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
