"""Let a registry that was moved name its files where they are now."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from faultxfer.errors import RegistryError
from faultxfer.registry import connect, names
from faultxfer.registry import database as databases
from faultxfer.registry.clients import with_retries
from faultxfer.registry.locations import ARTIFACTS, is_beside, is_there, local_path, place_here
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.readiness import not_writable, require_room

_LOCK_SECONDS = 300.0
EXPERIMENTS, _RUNS = "experiments", "runs"
# Columns of MLflow's database that hold an address of files.
LOCATIONS = (
    (_RUNS, "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
    (EXPERIMENTS, "artifact_location"),
)
# Where the other files of a run or a model lie is read off those that are there.
HELD = {"logged_models", "model_versions"}


@dataclass(frozen=True)
class Location:
    """One address as recorded.

    Attributes:
        table, column: where it stands.
        row: SQLite's number of the row.
        recorded: the address.
        path: the folder it means.
    """

    table: str
    column: str
    row: int
    recorded: str
    path: Path


@dataclass
class Plan:
    """What is to be rewritten.

    Attributes:
        moved: new address by location.
        here: how many name files beside the database already.
        left: locations whose files are still where they are recorded, and not here.
        missing: locations of models whose files are in neither place.
    """

    moved: dict[Location, str] = field(default_factory=dict)
    here: int = 0
    left: list[Location] = field(default_factory=list)
    missing: list[Location] = field(default_factory=list)


@dataclass(frozen=True)
class Relocated:
    """What was done, or would be.

    Attributes:
        plan: the addresses.
        database: where they stand.
        copy: the database of before; None where nothing was written.
    """

    plan: Plan
    database: Path
    copy: Path | None


def relocate_registry(*, dry_run: bool) -> dict[str, Any]:
    """Let the registry name its files where they are now.

    Returns:
        ``outcome`` (``relocated``, ``unchanged`` or ``dry run``), the counts of addresses by what
        became of them, the folders that are missing or lie elsewhere still, the copy of the
        database, and the next command.

    Raises:
        RegistryError: see :func:`relocate`.
    """
    done = relocate(connect.tracking_uri(), dry_run=dry_run)
    plan = done.plan
    changed = "dry run" if dry_run else "relocated"
    return {
        "outcome": changed if plan.moved else "unchanged",
        "database": str(done.database),
        "moved": len(plan.moved),
        "here": plan.here,
        "missing": _folders(plan.missing),
        "elsewhere": _folders(plan.left),
        "copy": str(done.copy) if done.copy else None,
        "next": f"faultxfer registry {'relocate' if dry_run and plan.moved else 'verify'}",
    }


def _folders(found: Iterable[Location]) -> list[str]:
    return sorted({str(one.path) for one in found})


def relocate(uri: str, *, dry_run: bool) -> Relocated:
    """Rewrite the addresses of files that lie below the database's own folder now.

    Args:
        uri: address of the store.
        dry_run: only say what would be done.

    Raises:
        RegistryError: the store is a server's, there is no registry, none of its files are there,
            or it may not be written.
    """
    database = require_database(uri, "rewrite where a server's files lie")
    connect.require_registry(uri)
    with reported(f"the tracking store {database}"):
        if dry_run:
            return Relocated(_require_something(_plan_of(database), database), database, None)
        for path in (database, database.parent):
            if not databases.may_write(path):
                raise not_writable(path)
        require_room(database.parent, 2 * database.stat().st_size)
        with FileLock(f"{database}.lock", timeout=_LOCK_SECONDS):
            return _rewritten(database)


def require_database(uri: str, what: str) -> Path:
    """The SQLite database of an address.

    Raises:
        RegistryError: another kind of store, whose administrator has to do it.
    """
    database = connect.sqlite_file(uri)
    if database is None:
        raise RegistryError(
            f"Only who looks after the server can {what}",
            received={"tracking_uri": connect.shown(uri)},
            remedy="Ask them; `Backup and restore` in docs/registry.md says how it is done",
        )
    return database


def copied_database(database: Path, copy: Path) -> None:
    """A consistent copy of a SQLite database that may be in use."""

    def copied() -> None:
        with databases.opened(database) as source, databases.opened(copy, "rwc") as target:
            source.backup(target)

    with_retries(copied)


def locations(connection: sqlite3.Connection) -> Iterator[Location]:
    """All addresses of files on disks of this machine."""
    for table, column in LOCATIONS:
        if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            # The database is of an older MLflow.
            continue
        # The names are our own.
        query = f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
        for row, recorded in connection.execute(query).fetchall():
            path = local_path(str(recorded))
            if path is not None:
                yield Location(table, column, row, str(recorded), path)


def rewrite(connection: sqlite3.Connection, moved: dict[Location, str]) -> None:
    """Write new addresses, in the caller's transaction."""
    for one, address in moved.items():
        where = f"rowid = ? AND {one.column} = ?"
        query = f"UPDATE {one.table} SET {one.column} = ? WHERE {where}"  # noqa: S608
        connection.execute(query, (address, one.row, one.recorded))


def _rewritten(database: Path) -> Relocated:
    if not _require_something(_plan_of(database), database).moved:
        return Relocated(_plan_of(database), database, None)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    copy = database.with_name(f"{database.name}.before-relocate-{now}")
    copied_database(database, copy)

    def transaction() -> Plan:
        with databases.opened(database) as connection:
            connection.execute("BEGIN IMMEDIATE")
            plan = _plan(connection, database)
            rewrite(connection, plan.moved)
            connection.execute("COMMIT")
            return plan

    return Relocated(with_retries(transaction), database, copy)


def _plan_of(database: Path) -> Plan:
    def read() -> Plan:
        with databases.opened(database) as connection:
            return _plan(connection, database)

    return with_retries(read)


def _require_something(plan: Plan, database: Path) -> Plan:
    absent = (*plan.missing, *plan.left)
    if absent and not plan.moved and not plan.here:
        raise RegistryError(
            "None of the registry's files lie beside its database",
            received={"database": str(database), "recorded": str(absent[0].path)},
            remedy=f"Put its folder `{ARTIFACTS}` beside the database, or mount it, and run again",
        )
    return plan


def _plan(connection: sqlite3.Connection, database: Path) -> Plan:
    plan = Plan()
    prefixes: Counter[tuple[Path, Path]] = Counter()
    without_files: list[Location] = []
    for one in locations(connection):
        if is_beside(one.path, database):
            plan.here += one.table in HELD and is_there(one.path)
            continue
        here = None if one.table == EXPERIMENTS else place_here(one.path, database.parent)
        if here is not None:
            plan.moved[one] = here.as_uri()
            prefixes[_prefixes(one.path, here, database.parent)] += 1
        else:
            without_files.append(one)
    for one in without_files:
        _place_by_others(one, plan, prefixes, database, connection)
    return plan


def _prefixes(old: Path, new: Path, folder: Path) -> tuple[Path, Path]:
    """The database's folder as it was and as it is, or else what differs in the two paths."""
    while old.name == new.name and new != folder:
        old, new = old.parent, new.parent
    return old, new


def _place_by_others(
    one: Location,
    plan: Plan,
    prefixes: Counter[tuple[Path, Path]],
    database: Path,
    connection: sqlite3.Connection,
) -> None:
    """Place an experiment's root, a run that logged nothing, or files that are lost."""
    is_root = one.table == EXPERIMENTS
    if not is_root and is_there(one.path):
        plan.left.append(one)
        return
    if one.table in HELD:
        plan.missing.append(one)
        return
    for old, new in dict(prefixes.most_common()):
        if one.path.is_relative_to(old):
            plan.moved[one] = (new / one.path.relative_to(old)).as_uri()
            return
    if is_root and _is_ours(one, connection) and not _has_files_elsewhere(one, plan):
        plan.moved[one] = (database.parent / ARTIFACTS).as_uri()


def _is_ours(one: Location, connection: sqlite3.Connection) -> bool:
    query = "SELECT name FROM experiments WHERE rowid = ?"
    found = connection.execute(query, (one.row,)).fetchone()
    return bool(found) and found[0] == names.EXPERIMENT


def _has_files_elsewhere(one: Location, plan: Plan) -> bool:
    return any(other.path.is_relative_to(one.path) for other in (*plan.left, *plan.missing))
