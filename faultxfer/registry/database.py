"""Look at MLflow's SQLite database without MLflow: in milliseconds, and nothing is migrated."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import Enum
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from faultxfer.errors import RegistryError, UnreadableError
from faultxfer.registry.clients import BUSY_SECONDS, with_retries
from faultxfer.registry.locations import is_there
from faultxfer.registry.mlflow_errors import reported

# Tables that MLflow's database has from its first moment on.
_OF_MLFLOW = {"experiments", "runs"}
SERVED = ("postgresql", "mysql", "mssql")
_REVISION = re.compile(r"^(down_)?revision\b[^=\n]*=(.*)$", flags=re.MULTILINE)


class State(Enum):
    """What lies at a SQLite address."""

    ABSENT = "no file"
    EMPTY = "a database that never held anything"
    FOREIGN = "a file that is not MLflow's"
    OLDER = "written by an older MLflow"
    NEWER = "written by a newer MLflow"
    CURRENT = "ready"


def mode_of(database: Path) -> str:
    """How SQLite is to open a database: ``rw``, or ``ro`` where this user may not write it.

    For reading too: what a killed process left half written is rolled back by whoever comes next,
    if it may write.
    """
    return "rw" if may_write(database) and may_write(database.parent) else "ro"


def may_write(path: Path) -> bool:
    """Whether this process's user may write a file, or in a folder."""
    wanted = os.W_OK | (os.X_OK if os.path.isdir(path) else 0)  # noqa: PTH112  # never raises
    return os.access(path, wanted, effective_ids=os.access in os.supports_effective_ids)


@contextmanager
def opened(database: Path, mode: str | None = None) -> Iterator[sqlite3.Connection]:
    """A connection to a database that exists; transactions are the caller's.

    Args:
        database: the file.
        mode: of SQLite; what this user may do if left out.
    """
    address = f"file:{quote(str(database))}?mode={mode or mode_of(database)}"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    with closing(connection):
        yield connection


def rows(database: Path, query: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Answer a query, waiting for a locked database as long as every call to MLflow does.

    Raises:
        RegistryError: the database does not answer; says why.
    """

    def asked() -> list[tuple[object, ...]]:
        with opened(database) as connection:
            return connection.execute(query, values).fetchall()

    with reported(f"the tracking store {database}"):
        return with_retries(asked)


def state_of(database: Path) -> State:
    """What lies there.

    Raises:
        RegistryError: it cannot be read, or is locked for longer than anybody waits.
    """
    with reported(f"the tracking store {database}"):
        if not database.is_file():
            return State.ABSENT
        try:
            tables, revision = with_retries(partial(_tables, database))
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error):
                return State.FOREIGN
            raise
    if not tables:
        return State.EMPTY
    return _state(database, tables, revision)


def require_registry(database: Path, address: str) -> None:
    """The database must be there, and of the MLflow that is used here.

    Args:
        database: the file.
        address: as MLFLOW_TRACKING_URI takes it, for what is said.

    Raises:
        RegistryError: it is not; says what to type.
    """
    found = state_of(database)
    if found is State.CURRENT:
        return
    if found in (State.ABSENT, State.EMPTY):
        raise no_registry(address, database)
    if found is State.FOREIGN:
        raise RegistryError(
            "The file at this address is not an MLflow database",
            received={"tracking_uri": address},
            remedy="Correct or unset MLFLOW_TRACKING_URI",
        )
    raise _of_another_mlflow(found, _tables(database)[1], address)


def require_served_registry(uri: str, address: str) -> None:
    """The same for a database with a server of its own, such as PostgreSQL.

    Args:
        uri: for SQLAlchemy, with the password.
        address: without it.

    Raises:
        RegistryError: there is no registry of this MLflow.
    """
    if not uri.startswith(SERVED):
        return
    from sqlalchemy import create_engine, inspect, text

    engine = create_engine(uri)
    try:
        tables = set(inspect(engine).get_table_names())
        if not tables >= _OF_MLFLOW:
            raise _no_tables(address)
        with engine.connect() as connection:
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    finally:
        engine.dispose()
    known, newest = _revisions()
    if revision not in newest:
        found = State.OLDER if revision in known else State.NEWER
        raise _of_another_mlflow(found, revision, address)


def no_registry(address: str, database: Path | None = None) -> RegistryError:
    """The error for an address without a registry."""
    received: dict[str, object] = {"tracking_uri": address}
    remedy = (
        "Correct or unset MLFLOW_TRACKING_URI, go to the folder that holds `mlruns`, or make a "
        "registry with "
        "`faultxfer pretrain` or `faultxfer demo`"
    )
    above = _above(database)
    if above is not None:
        received["registry above"] = str(above)
        remedy = f"Run it again in {above.parent}: there is one; or correct MLFLOW_TRACKING_URI"
    return UnreadableError("There is no registry at this address", received=received, remedy=remedy)


def _no_tables(address: str) -> RegistryError:
    """The error for a database on a server in which MLflow has no tables yet."""
    return UnreadableError(
        "There is no registry in this database",
        received={"tracking_uri": address},
        remedy="Start an MLflow server on it, which makes its tables "
        f"(`mlflow server --backend-store-uri '{address}'`, with its user and password), or "
        "correct MLFLOW_TRACKING_URI",
    )


def _above(database: Path | None) -> Path | None:
    """A registry's folder in a folder above the current one."""
    if database is None:
        return None
    for folder in Path.cwd().parents:
        if is_there(folder / "mlruns" / database.name):
            return folder / "mlruns"
    return None


def _of_another_mlflow(found: State, revision: str | None, address: str) -> RegistryError:
    age = "an older"
    remedy = (
        "Make a copy with `faultxfer registry backup FOLDER`, then run "
        f"`mlflow db upgrade '{address}'`: it adds what this MLflow needs"
    )
    if found is State.NEWER:
        age = "a newer"
        remedy = (
            "Work with the environment whose MLflow wrote it, or bring this one up to date: "
            "`pip install --upgrade mlflow`"
        )
    here = version("mlflow")
    return RegistryError(
        f"The registry's database was written by {age} MLflow than this one",
        received={"tracking_uri": address, "revision": revision, "MLflow here": here},
        remedy=remedy,
    )


def _tables(database: Path) -> tuple[set[str], str | None]:
    """Names of all tables, and the revision of MLflow's schema."""
    with opened(database) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in found}
        if "alembic_version" not in tables:
            return tables, None
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return tables, str(revision[0]) if revision else None


def _state(database: Path, tables: set[str], revision: str | None) -> State:
    known, newest = _revisions()
    if not tables >= _OF_MLFLOW:
        return State.FOREIGN
    if revision in newest:
        return State.CURRENT
    if revision is not None and revision not in known:
        return State.NEWER
    # It is being made, or that was broken off: nothing can be registered there.
    return State.OLDER if _was_used(database, tables) else State.EMPTY


def _was_used(database: Path, tables: set[str]) -> bool:
    return "experiments" in tables and bool(rows(database, "SELECT 1 FROM experiments LIMIT 1"))


@cache
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """All revisions of its schema that the installed MLflow knows, and the newest.

    Read from its migrations as text: Alembic would load MLflow for it, which takes seconds.
    """
    found = find_spec("mlflow")
    package = Path(str(found.origin)).parent if found else Path()
    folder = package / "store" / "db_migrations" / "versions"
    known: set[str] = set()
    followed: set[str] = set()
    for file in folder.glob("*.py"):
        for down, value in _REVISION.findall(file.read_text(encoding="utf-8")):
            (followed if down else known).update(re.findall(r"[\"'](\w+)[\"']", value))
    return frozenset(known), frozenset(known - followed)
