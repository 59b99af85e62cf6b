"""Where files go: those the user asked for, and those that pass between steps."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faultxfer.errors import ConfigError, FaultxferError
from faultxfer.temporary import full, no_room, temporary_folder

QUARANTINE = Path("quarantine")
LEARNING_CURVE = Path("learning-curve")
DATA_DOCS = "data_docs"
DOCS_INDEX = f"{DATA_DOCS}/index.html"


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
    """
    try:
        with temporary_folder("work") as folder:
            yield folder
    except FaultxferError:
        raise
    except Exception as error:
        if not no_room(error):
            raise
        raise full(error) from error
