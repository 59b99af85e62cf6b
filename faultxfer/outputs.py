"""Where files go: those the user asked for, and those that pass between steps."""

from __future__ import annotations

import glob
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from faultxfer.errors import ConfigError, FaultxferError, OutOfMemoryError
from faultxfer.temporary import full, no_room, temporary_folder

QUARANTINE = Path("quarantine")
LEARNING_CURVE = Path("learning-curve")
FLEET = Path("fleet")
DATA_DOCS = "data_docs"
DOCS_INDEX = f"{DATA_DOCS}/index.html"
_PART_SECONDS = 86_400
# What Python says where a thread is refused memory for its stack.
_NO_THREAD = "can't start new thread"


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """Say which option to change where ``path`` cannot be written.

    Raises:
        ConfigError: the file system refused.
    """
    try:
        yield
    except OSError as error:
        raise ConfigError(
            "Cannot write to this place",
            received={option: str(path), "problem": error.strerror or str(error)},
            remedy=f"Choose another --{option}",
        ) from error


@contextmanager
def written_whole(option: str, path: Path) -> Iterator[Path]:
    """A place to write a file in, which takes the name ``path`` at the end, whole or not at all.

    It is on the disk before it has its name, so that neither a kill nor a power cut leaves half of
    it. Readers see the file of before or this one. A link of that name is replaced by the file.

    Args:
        option: to change where it cannot be written.
        path: of the file; its folder is made if it does not exist.

    Raises:
        ConfigError: the file system refused.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with writing(option, path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_parts_of_killed_processes(path)
            yield part
            _flush(part)
            part.replace(path)
            # Windows opens no folder; there the name may be lost in a power cut, and the file not.
            with suppress(OSError):
                _flush(path.parent)
    finally:
        with suppress(OSError):  # the folder itself may be the problem
            part.unlink(missing_ok=True)


@contextmanager
def sole_process(folder: Path, refused: ConfigError) -> Iterator[None]:
    """Keep other processes from working in a folder; a killed one keeps nobody out.

    Raises:
        ConfigError: ``refused``, where another process works in it.
    """
    lock = filelock.FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise refused from error
    try:
        yield
    finally:
        lock.release()


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove_parts_of_killed_processes(path: Path) -> None:
    """Half-written files beside it: nobody writes one for a day, on this host or another."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _PART_SECONDS:
                part.unlink()


def quarantine_of_scores(asked: Path | str, out: Path | str) -> Path:
    """Where scoring keeps rows set aside.

    Beside the scores, where nobody named a folder and none can be made in the current one.
    """
    folder = Path(asked)
    usable = folder if folder.exists() else Path.cwd()
    if folder != QUARANTINE or os.access(usable, os.W_OK | os.X_OK):
        return folder
    return Path(out).parent / folder


def alarms_beside(out: Path) -> Path:
    """Where the stretches of alarms of a file of scores are written.

    >>> alarms_beside(Path("week.csv")).name
    'week-alarms.csv'
    """
    return out.with_name(f"{out.stem}-alarms.csv")


def docs_folder(asked: Path | str | None, work: Path) -> Path:
    """Where training writes its Data Docs: the folder asked for, or one in the run's workspace."""
    return Path(asked) if asked else work / DATA_DOCS


def keep_docs(docs: str | None, files: Path) -> None:
    """Copy the Data Docs to the files that a run logs."""
    if docs:
        shutil.copytree(Path(docs).parent, files / DATA_DOCS)


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder for what passes between steps; gone afterwards.

    Raises:
        DiskFullError: something that a step wrote found no room.
        OutOfMemoryError: a step was refused memory.
    """
    try:
        with temporary_folder("work") as folder:
            yield folder
    except FaultxferError:
        raise
    except Exception as error:
        if isinstance(error, MemoryError) or _NO_THREAD in str(error):
            raise OutOfMemoryError(
                "There is not enough memory for this",
                received={"problem": " ".join(str(error).split())[:300] or "out of memory"},
                remedy="Give the process more memory, as its limit (`ulimit -v`) or its container "
                "has it, or split the files by period",
            ) from error
        if not no_room(error):
            raise
        raise full(error) from error
