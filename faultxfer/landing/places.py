"""Where a watcher writes: scores by machine, and the reason of a refusal beside the others."""

from __future__ import annotations

from pathlib import Path

from faultxfer.landing.folder import REFUSED, SCORES
from faultxfer.landing.ledger import Entry, Ledger
from faultxfer.outputs import alarms_beside, written_whole
from faultxfer.reading.endings import TABLES


def scores_of(name: str, digest: str, machine: str, ledger: Ledger, landing: Path) -> str:
    """The file of scores of a machine's rows, as seen from the watched folder.

    It is called as the file itself, unless another content of that name came before, or one of a
    name that its alarms would share: those of ``week.csv`` are written to ``week-alarms.csv``.
    """
    stem = _stem(Path(name).name)
    plain = f"{SCORES}/{machine}/{stem}.csv"
    parts = [part for entry in ledger.entries.values() for part in entry.parts]
    taken = {path for part in parts if part.scores for path in _written(part.scores)}
    if any(path in taken or (landing / path).exists() for path in _written(plain)):
        return f"{SCORES}/{machine}/{stem}-{digest[:8]}.csv"
    return plain


def _written(scores: str) -> tuple[str, str]:
    """The files that scoring writes: the scores, and the alarms beside them."""
    return scores, alarms_beside(Path(scores)).as_posix()


def _stem(name: str) -> str:
    suffix = next((one for one in TABLES if name.lower().endswith(one)), "")
    return name[: len(name) - len(suffix)]


def write_reason(landing: Path, entry: Entry, reasons: list[str]) -> Path:
    """Keep why a file was refused: ``refused/NAME.txt``, written whole."""
    path = _reason_of(landing, entry.name)
    with written_whole("landing", path) as part:
        part.write_text("\n".join([*reasons, f"SHA-256 {entry.digest}", ""]), encoding="utf-8")
    return path


def remove_reason(landing: Path, name: str) -> None:
    """Take the reason away where a mended file of that name was scored."""
    _reason_of(landing, name).unlink(missing_ok=True)


def _reason_of(landing: Path, name: str) -> Path:
    return landing / REFUSED / f"{name}.txt"
