"""What came of each machine, by the content of its request and files: one small file for each.

Every entry is written whole or not at all, so a killed command leaves the ledger as it was before
or after a machine.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from faultxfer.digest import digest_of, digest_of_file
from faultxfer.errors import ConfigError
from faultxfer.fleet.outcomes import Outcome
from faultxfer.fleet.tasks import Request
from faultxfer.landing.ledger import now
from faultxfer.outputs import sole_process, writing, written_whole
from faultxfer.reading.read_csv import find_files
from faultxfer.registry.provenance import code

LEDGER = ".faultxfer"
# Files that decide by what stands in them.
_BESIDE = ("contract", "events")
# Fields that decide where something is written, and not what.
_PLACES = {"quarantine", "data_docs", "report_folder", "force"}


def digest_of_request(request: Request) -> str:
    """SHA-256 (hex) over all that a request asks and the bytes of its files.

    Raises:
        DataError: a file is not there.
        OSError: it cannot be read.
    """
    asked = request.model_dump(mode="json", exclude={*_PLACES, "files", *_BESIDE})
    beside = {name: getattr(request, name, None) for name in _BESIDE}
    return digest_of(
        {
            "kind": type(request).__name__,
            "asked": asked,
            "files": sorted(digest_of_file(path) for path in find_files(list(request.files))),
            **{name: digest_of_file(path) if path else None for name, path in beside.items()},
            "release": code()["release"],
        }
    )


class Ledger:
    """The entries of a fleet's folder.

    Args:
        out: the folder.
    """

    def __init__(self, out: Path) -> None:
        self.folder = out / LEDGER
        with writing("out", self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def find(self, digest: str) -> Outcome | None:
        """What came of a request before; None where it would not come to the same again.

        Raises:
            ConfigError: the entry cannot be read.
        """
        path = self._path(digest)
        try:
            found = Outcome(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(
                "What came of a machine before cannot be read",
                received={"problem": f"{type(error).__name__}: {error}"},
                where=str(path),
                remedy="Delete the file, and the machine is done again",
            ) from error
        return found if found.settled else None

    def write(self, digest: str, outcome: Outcome) -> None:
        """Keep what came of a request."""
        kept = replace(outcome, before=now()).as_dict()
        text = json.dumps(kept, ensure_ascii=False, indent=1)
        with written_whole("out", self._path(digest)) as part:
            part.write_text(text, encoding="utf-8")

    def forget(self, digest: str) -> None:
        """Have a request done again."""
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}.json"


@contextlib.contextmanager
def sole_fleet(out: Path) -> Iterator[None]:
    """Keep others from working in the same folder; a killed process keeps nobody out.

    Raises:
        ConfigError: another process works in it.
    """
    folder = out / LEDGER
    with writing("out", folder):
        folder.mkdir(parents=True, exist_ok=True)
    refused = ConfigError(
        "Another process works on a fleet in this folder",
        received={"out": str(out)},
        remedy="Wait for it or stop it first, or choose another --out",
    )
    with sole_process(folder, refused):
        yield
