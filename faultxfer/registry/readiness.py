"""Before a registry of this machine's own is changed: is its database writable, and is there room?

Nothing here loads MLflow, so that it can be asked before anything else. What only a server can say
is asked in :mod:`faultxfer.registry.rights`.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from faultxfer.errors import ConfigError, DiskFullError, RegistryError
from faultxfer.registry import connect, names
from faultxfer.registry import database as databases
from faultxfer.registry.clients import with_retries
from faultxfer.registry.database import State
from faultxfer.registry.locations import (
    ARTIFACTS,
    SERVED,
    is_beside,
    is_there,
    local_path,
    place_here,
)
from faultxfer.registry.mlflow_errors import reported

KIB = 1024
# What somebody says who keeps the files away from the database on purpose.
ELSEWHERE_ON_PURPOSE = "FAULTXFER_ARTIFACTS"
_ELSEWHERE = "elsewhere"
_EXPERIMENT = """
    SELECT experiment_id, lifecycle_stage, artifact_location FROM experiments WHERE name = ?
"""
_FILES_OF_CHAMPION = """
    SELECT versions.storage_location FROM registered_model_aliases AS aliases
    JOIN model_versions AS versions ON versions.name = aliases.name AND versions.version =
    aliases.version WHERE aliases.name = ? AND aliases.alias = ?
"""


@dataclass(frozen=True)
class RoomNeeded:
    """Room that some work needs at least, in bytes: less than this, and it cannot succeed."""

    store: int = 64 * KIB
    temporary: int = 64 * KIB


def require_ready(uri: str, need: RoomNeeded | None = None, *, repairing: bool = False) -> None:
    """All that can stand in the way of writing to a SQLite registry, what to mend first in front.

    Args:
        uri: address of the store; a server's is passed over.
        need: room for the work.
        repairing: whether the experiment may be deleted, and the files lie elsewhere: nothing is
            added to them.

    Raises:
        RegistryError: files elsewhere than the database, a deleted experiment, or no right to
            write.
        DiskFullError: the work cannot fit.
    """
    database = connect.sqlite_file(uri)
    if database is None:
        return
    with reported(f"the tracking store {connect.shown(uri)}"):
        _require_all(database, uri, (need or RoomNeeded()).store, repairing=repairing)


def require_room_for_files(need: RoomNeeded) -> None:
    """Room in the folder for temporary files.

    Raises:
        DiskFullError: there is too little.
    """
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise _full("No folder for temporary files can be written", str(error), "TMPDIR") from error
    free = _free(folder)
    if free < need.temporary:
        problem = (
            f"{free // KIB:.0f} KiB free in {folder}, {need.temporary // KIB} KiB needed at least"
        )
        raise _full("The temporary files' disk is full, or nearly so", problem, "TMPDIR")


def champion_bytes(uri: str, name: str) -> int:
    """Bytes of the files of a registered model's champion; 0 where that cannot be told here."""
    database = connect.sqlite_file(uri)
    if database is None or databases.state_of(database) is not State.CURRENT:
        return 0
    found = databases.rows(database, _FILES_OF_CHAMPION, (name, names.CHAMPION))
    path = local_path(str(found[0][0])) if found and found[0][0] else None
    if path is None:
        return 0
    folder = path if is_beside(path, database) else place_here(path, database.parent) or path
    try:
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError:
        # The step that reads them reports what is wrong with them.
        return 0


def require_own_files(database: Path | None, location: str) -> None:
    """New files must go to their database's folder, not to that of the registry it was copied from.

    Args:
        database: the SQLite database; None for any other store.
        location: where the experiment keeps its files.

    Raises:
        RegistryError: that is elsewhere, and nobody said that it is meant.
        ConfigError: FAULTXFER_ARTIFACTS has a value that means nothing.
    """
    if database is not None and location.startswith(SERVED):
        raise _only_over_its_server(database, location)
    path = local_path(location)
    if database is None or path is None or is_beside(path, database):
        return
    said = os.environ.get(ELSEWHERE_ON_PURPOSE, "")
    if said not in ("", _ELSEWHERE):
        raise ConfigError(
            f"{ELSEWHERE_ON_PURPOSE} may only be {_ELSEWHERE!r}, or not set",
            received={ELSEWHERE_ON_PURPOSE: said},
            remedy="Correct or unset the environment variable",
        )
    possible = path.is_dir() and not _has_a_database(path.parent)
    if possible and said == _ELSEWHERE:
        return
    remedy = "Run `faultxfer registry relocate`, which lets it name the files beside its database"
    if possible:
        remedy += f"; or, if that is meant, set {ELSEWHERE_ON_PURPOSE}={_ELSEWHERE}"
    raise RegistryError(
        "The registry's files lie elsewhere than its database, so new ones would be written there",
        received={"database": str(database), "files": str(path)},
        remedy=remedy,
    )


def require_alive(experiment_id: str, stage: str, address: str) -> None:
    """The experiment must not be deleted.

    Raises:
        RegistryError: it is; names the command that restores it.
    """
    if stage != "active":
        raise RegistryError(
            f"The experiment {names.EXPERIMENT!r} is deleted, so that no run can be made in it",
            received={"experiment_id": experiment_id},
            where=address,
            remedy="Restore it: `MLFLOW_TRACKING_URI='"
            f"{address}' mlflow experiments restore --experiment-id {experiment_id}`, then run "
            f"again",
        )


def require_room(folder: Path, need: int, whose: str = "registry's") -> None:
    """Room for ``need`` bytes on a folder's disk.

    Raises:
        DiskFullError: there is less.
    """
    free = _free(folder)
    if free < need:
        problem = f"{free // KIB:.0f} KiB free in {folder}, {need // KIB} KiB needed at least"
        raise _full(f"The {whose} disk is full, or nearly so", problem)


def _only_over_its_server(database: Path, location: str) -> RegistryError:
    """The error where the experiment was made over a server that takes its files itself."""
    return RegistryError(
        "New files of this registry go to an MLflow server, and none is named",
        received={"database": str(database), "files": location},
        remedy="Start `faultxfer up`, or the server that this registry has, and name its address "
        "in MLFLOW_TRACKING_URI; reading and scoring go on without it",
    )


def not_writable(path: Path) -> RegistryError:
    """The error for a file or a folder of the registry that this user may not write."""
    return RegistryError(
        "This user may not write to the registry",
        received={"may not be written": str(path)},
        remedy="Run this as the user who owns these files, ask them for the right to write, or "
        "correct MLFLOW_TRACKING_URI; reading and scoring go on without it",
    )


def _require_all(database: Path, uri: str, room: int, *, repairing: bool) -> None:
    if databases.state_of(database) is State.CURRENT:
        if not repairing:
            _require_experiment(database, uri)
        _require_rights(database)
    else:
        _require_folder(database.parent)
    # Either may be a disk of its own.
    for folder in (database.parent, database.parent / ARTIFACTS):
        require_room(_existing(folder), room)


def _require_experiment(database: Path, uri: str) -> None:
    for number, stage, location in databases.rows(database, _EXPERIMENT, (names.EXPERIMENT,)):
        require_own_files(database, str(location or ""))
        require_alive(str(number), str(stage), connect.shown(uri))
        _require_artifacts(local_path(str(location or "")))


def _require_rights(database: Path) -> None:
    """The right to write is asked for by taking SQLite's lock for writing, and giving it back."""
    for path in (database, database.parent):
        if not databases.may_write(path):
            raise not_writable(path)

    def lock() -> None:
        with databases.opened(database) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    with reported(f"the tracking store {database}"):
        with_retries(lock)


def _require_artifacts(folder: Path | None) -> None:
    if folder is None:
        return
    for path in (folder, folder / "models"):
        if not databases.may_write(_existing(path)):
            raise not_writable(_existing(path))


def _require_folder(folder: Path) -> None:
    """The folder of a registry that is still to be made."""
    existing = _existing(folder)
    if not existing.is_dir() or not databases.may_write(existing):
        raise not_writable(existing)
    # Some file systems say that everything may be written, and then refuse to make anything.
    try:
        with tempfile.TemporaryDirectory(prefix=".faultxfer-", dir=existing):
            pass
    except OSError as error:
        raise not_writable(existing) from error


def _free(folder: Path) -> float:
    """Bytes that may still be written; without end where a file system does not say its size."""
    usage = shutil.disk_usage(folder)
    return usage.free if usage.total else math.inf


def _full(sentence: str, problem: str, variable: str | None = None) -> DiskFullError:
    other = f", or name another folder in the environment variable {variable}" if variable else ""
    return DiskFullError(
        sentence,
        received={"problem": problem},
        remedy=f"Make free space there{other}, then run again; nothing was changed",
    )


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that there is."""
    return next(known for known in (path, *path.parents) if is_there(known))


def _has_a_database(folder: Path) -> bool:
    """Whether files beside which they lie belong to another registry."""
    return any(databases.state_of(found) is not State.FOREIGN for found in folder.glob("*.db"))
