"""A copy of a registry that is in use, by which it can be restored."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.errors import ConfigError
from faultxfer.registry import connect
from faultxfer.registry import database as databases
from faultxfer.registry.database import State
from faultxfer.registry.locations import ARTIFACTS, is_beside, is_there, place_here
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.readiness import require_room
from faultxfer.registry.relocate import (
    EXPERIMENTS,
    HELD,
    Location,
    copied_database,
    locations,
    require_database,
    rewrite,
)

# The last parts of a path, which show whose files they are where no folder above is known.
_TELLING = 3
_COPYS = "copy's"


@dataclass(frozen=True)
class BackedUp:
    """What was copied.

    Attributes:
        database: the copied database.
        files, size: number of files copied, and their bytes.
        missing: folders that the registry names and that do not exist.
    """

    database: Path
    files: int
    size: int
    missing: tuple[Path, ...]


def back_up_registry(folder: Path) -> dict[str, Any]:
    """Copy the registry into a folder, while it is in use.

    Returns:
        The copied database, the number of files and their bytes, the folders that the registry
        names and that do not exist, and how to restore.

    Raises:
        UserError: see :func:`back_up`.
    """
    done = back_up(connect.tracking_uri(), folder)
    copied, address = done.database.parent, connect.sqlite_uri(done.database)
    return {
        "outcome": "backed up",
        "database": str(done.database),
        "files": done.files,
        "bytes": done.size,
        "missing": [str(path) for path in done.missing],
        "tracking_uri": address,
        "look": f"MLFLOW_TRACKING_URI={shlex.quote(address)} faultxfer registry list",
        "restore": [
            f"cp -a {shlex.quote(str(copied))} mlruns",
            "faultxfer registry relocate",
            "faultxfer registry verify",
        ],
    }


def back_up(uri: str, folder: Path) -> BackedUp:
    """Copy a registry: first its database, then every file that the copied database names.

    The registry may be in use meanwhile. A version is registered after its files, so what the copy
    of the database names is there. The copy names its own files, and is complete when its database
    has its name.

    Args:
        uri: address of the store.
        folder: where to; must be empty or not exist.

    Raises:
        RegistryError: the store is a server's, or it cannot be read.
        ConfigError: the folder holds something, or cannot be written.
        DiskFullError: the copy does not fit.
    """
    database = require_database(uri, "copy what a server keeps")
    # The database of another MLflow is copied as it is.
    if databases.state_of(database) in (State.ABSENT, State.EMPTY, State.FOREIGN):
        connect.require_registry(uri)
    folder = folder.absolute()
    _require_outside(folder, database)
    _require_empty(folder)
    _make(folder)
    with reported(f"the copy in {folder}"):
        require_room(folder, 2 * database.stat().st_size, _COPYS)
        unfinished = folder / f"{database.name}.unfinished"
        copied_database(database, unfinished)
        done = _with_files(database, unfinished, folder)
        unfinished.rename(folder / database.name)
    return done


def _require_outside(folder: Path, database: Path) -> None:
    artifacts = database.parent / ARTIFACTS
    if folder.resolve().is_relative_to(artifacts.resolve()):
        raise ConfigError(
            "A backup cannot lie among the files that it copies",
            received={"folder": str(folder)},
            remedy=f"Name a folder outside {artifacts}, best on another disk",
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            "The folder for the backup cannot be made",
            received={"folder": str(folder), "problem": error.strerror or str(error)},
            remedy="Name another folder",
        ) from error


def _require_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        raise ConfigError(
            "The folder for the backup is not empty",
            received={"folder": str(folder)},
            remedy="Name an empty folder, or a new one, such as one with the date in its name",
        )


def _with_files(database: Path, copy: Path, folder: Path) -> BackedUp:
    """Copy the files that the copied database names, and let it name the copies."""
    with databases.opened(copy) as connection:
        found = list(locations(connection))
        roots = [one.path for one in found if one.table == EXPERIMENTS]
        targets = {one: _target(one, database, roots, folder) for one in found}
        files, size, missing = _copy_all(targets, database, folder)
        connection.execute("BEGIN IMMEDIATE")
        rewrite(connection, {one: target.as_uri() for one, target in targets.items()})
        connection.execute("COMMIT")
    return BackedUp(folder / database.name, files, size, missing)


def _copy_all(
    targets: dict[Location, Path], database: Path, folder: Path
) -> tuple[int, int, tuple[Path, ...]]:
    """Copy each folder once; returns the number of files, their bytes, and what is missing."""
    sources: dict[Path, Path] = {}
    missing: set[Path] = set()
    for one, target in targets.items():
        source = _source(one, database)
        if one.table in HELD and not is_there(source):
            missing.add(source)
        elif one.table != EXPERIMENTS and is_there(source):
            sources[source] = target
    require_room(folder, sum(_size(source) for source in sources), _COPYS)
    files = size = 0
    for source, target in sources.items():
        count, length = _copied(source, target)
        files, size = files + count, size + length
    return files, size, tuple(sorted(missing))


def _source(one: Location, database: Path) -> Path:
    """Where the files are now, whether or not the registry was moved."""
    if is_beside(one.path, database):
        return one.path
    return place_here(one.path, database.parent) or one.path


def _target(one: Location, database: Path, roots: list[Path], folder: Path) -> Path:
    """Where the copy keeps them: as they lie beside the database, or below their experiment."""
    for base in (database.parent, database.resolve().parent):
        if one.path.is_relative_to(base):
            return folder / one.path.relative_to(base)
    if one.table == EXPERIMENTS:
        return folder / ARTIFACTS
    for root in roots:
        if one.path.is_relative_to(root):
            return folder / ARTIFACTS / one.path.relative_to(root)
    return (folder / ARTIFACTS).joinpath(*one.path.parts[-_TELLING:])


def _copied(source: Path, target: Path) -> tuple[int, int]:
    """Copy a folder; a file that goes away meanwhile belonged to nothing that is registered."""
    files = size = 0
    for path in _files(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(path, copy)
        except FileNotFoundError:
            continue
        files, size = files + 1, size + copy.stat().st_size
    return files, size


def _size(folder: Path) -> int:
    size = 0
    for path in _files(folder):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder.

    Raises:
        OSError: a folder that is there cannot be read: a copy without it would be none.
    """
    for parent, _, found in os.walk(folder, onerror=_unless_gone):
        yield from (Path(parent) / name for name in sorted(found))


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
