"""Find and prepare the tracking store."""

from __future__ import annotations

import logging
import os
import socket
from enum import Enum
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from filelock import FileLock

from faultxfer.environment import switch_telemetry_off
from faultxfer.errors import RegistryError, UnreadableError
from faultxfer.registry import database as databases
from faultxfer.registry.clients import BUSY_SECONDS, with_retries
from faultxfer.registry.database import State
from faultxfer.registry.locations import ARTIFACTS, is_there
from faultxfer.registry.mlflow_errors import NAMES_NOTHING, reported

CONNECT_SECONDS = 5.0
_MIGRATION_SECONDS = 300.0
_SQLITE = ("sqlite:///", "sqlite+pysqlite:///")
# What a path needs to stay as it is in an address of SQLAlchemy, which reads `%20` as a space and
# what follows `?` as options.
_ESCAPED = str.maketrans({"%": "%25", "?": "%3F"})

# Bundles hold no pickle, so nothing that faultxfer loads may unpickle; a dead server is said within
# seconds.
_MLFLOW_SETTINGS = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


class Access(Enum):
    """What a command needs of the registry."""

    READING = "read it; it must be there, and nothing is written"
    CHANGING = "change it; it must be there"
    REPAIRING = "change it, though its experiment may be deleted or its files lie elsewhere"
    CREATING = "change it; it is made where there is none"


def prepare_environment() -> None:
    """Quiet, pickle-free settings for MLflow; what the user has set stays."""
    switch_telemetry_off()
    # It prints a traceback for each error of a database, which is then raised too, and said in one
    # sentence.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    for name, value in _MLFLOW_SETTINGS.items():
        os.environ.setdefault(name, value)


def default_folder() -> Path:
    """Where database and artifacts lie when ``MLFLOW_TRACKING_URI`` is not set."""
    return Path.cwd() / "mlruns"


def tracking_uri() -> str:
    """``MLFLOW_TRACKING_URI``, or SQLite in ``mlruns/mlflow.db`` below the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or sqlite_uri(default_folder() / "mlflow.db")


def sqlite_uri(database: Path) -> str:
    """The address of a SQLite database, as MLFLOW_TRACKING_URI takes it."""
    return f"sqlite:///{str(database).translate(_ESCAPED)}"


def artifact_location(uri: str) -> str | None:
    """Where a new experiment keeps its artifacts; a server decides that itself."""
    database = sqlite_file(uri)
    return None if database is None else (database.parent / ARTIFACTS).as_uri()


def is_server(uri: str) -> bool:
    """Whether an MLflow server answers there, not a database."""
    return uri.lower().startswith(("http://", "https://"))


def shown(uri: str) -> str:
    """The address without user and password."""
    scheme, mark, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rsplit('@', 1)[-1]}{slash}{path}"


def without_password(uri: str) -> str:
    """An MLflow server's address without user and password; MLflow gets these by its variables.

    MLflow names the whole address in its errors, and errors end up in logs and on the pages of flow
    runs.
    """
    if not is_server(uri):
        return uri
    user, mark, password = urlsplit(uri).netloc.rpartition("@")[0].partition(":")
    if user:
        os.environ.setdefault("MLFLOW_TRACKING_USERNAME", unquote(user))
    if mark:
        os.environ.setdefault("MLFLOW_TRACKING_PASSWORD", unquote(password))
    return shown(uri)


def sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite address; None for any other store.

    A path with ``%`` in its name may be given as it is or escaped: the file that exists is meant.
    """
    prefix = next((known for known in _SQLITE if uri.startswith(known)), None)
    if prefix is None or uri == f"{prefix}:memory:":
        return None
    as_given = uri.removeprefix(prefix)
    plain = unquote(as_given.partition("?")[0]).removeprefix("file:")
    meant = [Path(path).absolute() for path in (plain, as_given)]
    return next((path for path in meant if is_there(path)), meant[0])


def mlflow_uri(uri: str, mode: str | None = None) -> str:
    """The address that MLflow is given: never one by which SQLite would make a database on the way.

    Args:
        uri: the address of the store.
        mode: of SQLite; what this user may do if left out.
    """
    database = sqlite_file(uri)
    if database is None:
        return uri
    # In this form no part of MLflow takes the address for a path whose folders it may make.
    path = quote(quote(str(database))) if _reads_escapes() else quote(str(database))
    mode = mode or databases.mode_of(database)
    return f"sqlite+pysqlite:///file:{path}?mode={mode}&timeout={BUSY_SECONDS:.0f}&uri=true"


@cache
def _reads_escapes() -> bool:
    """Whether SQLAlchemy reads ``%20`` in a database's name as a space, as it does since 2.1."""
    from sqlalchemy.engine import make_url

    return make_url("sqlite:///%20").database == " "


def require_address(uri: str) -> None:
    """It must be the address of a store that a registry can be kept in.

    MLflow takes others: folders of files, databases in memory, and stores that never served a
    registry of faultxfer.

    Raises:
        RegistryError: it is not.
    """
    known = is_server(uri) or uri.startswith(databases.SERVED)
    if "\0" not in uri and (known or sqlite_file(uri) is not None):
        return
    raise UnreadableError(
        "This is no address that a registry can have",
        received={"tracking_uri": shown(uri)},
        remedy="Name a database's file (`sqlite:////path/to/mlruns/mlflow.db`), an MLflow server "
        "(`http://HOST:PORT`) or a database server (`postgresql://…`) in MLFLOW_TRACKING_URI; "
        "or unset it",
    )


# Ports that are meant where an address names none.
_PORTS = {
    "http": 80,
    "https": 443,
    "postgresql": 5432,
    "postgres": 5432,
    "mysql": 3306,
    "mssql": 1433,
}


def check_reachable(uri: str) -> None:
    """Say within seconds when there is no server to talk to; a file is looked at when opened.

    MLflow itself asks a database that does not answer ten times, for minutes.

    Raises:
        RegistryError: the host does not answer, or nothing here can talk to such a database.
    """
    _require_driver(uri)
    try:
        place = _place_of(uri)
        if place is not None:
            socket.create_connection(place, timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise _unreachable(uri, error.strerror or str(error)) from error
    except ValueError as error:  # no address at all, as with port 99999
        raise _unreachable(uri, str(error)) from error


def _require_driver(uri: str) -> None:
    """A driver that is missing stays missing when the database answers: it is said first."""
    if not uri.startswith(databases.SERVED):
        return
    from sqlalchemy.engine import make_url

    with reported(NAMES_NOTHING):
        make_url(uri).get_dialect().import_dbapi()


def _place_of(uri: str) -> tuple[str, int] | None:
    """Host and port that an address names; None for a file, a socket file and several hosts.

    Raises:
        ValueError: it names no port that there is.
    """
    parts = urlsplit(uri)
    usual = _PORTS.get(parts.scheme.partition("+")[0])
    host = parts.hostname or ""
    is_database_without_host = not is_server(uri) and not host
    if usual is None or is_database_without_host or "," in parts.netloc:
        return None
    return host, parts.port or usual


def require_registry(uri: str) -> None:
    """There must be a registry, made by the MLflow that is used here; a server is only knocked at.

    Raises:
        RegistryError: there is none; names the address and what to type.
    """
    require_address(uri)
    check_reachable(uri)
    database = sqlite_file(uri)
    if database is not None:
        databases.require_registry(database, shown(uri))
    elif not is_server(uri):
        with reported(f"the tracking store {shown(uri)}"):
            databases.require_served_registry(uri, shown(uri))


def migrate(uri: str) -> None:
    """Create a SQLite store once, under a lock: several processes at once would all fail.

    One that is there stays as it is.

    Raises:
        RegistryError: it cannot be made, or was written by another MLflow.
    """
    database = sqlite_file(uri)
    if database is None or databases.state_of(database) is State.CURRENT:
        return
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unreachable(uri, error.strerror or str(error)) from error
    if not databases.may_write(database.parent):
        raise _unreachable(uri, "the folder is not writable")
    with FileLock(f"{database}.lock", timeout=_MIGRATION_SECONDS):
        if databases.state_of(database) in (State.ABSENT, State.EMPTY):
            _make(mlflow_uri(uri, "rwc"))
        databases.require_registry(database, shown(uri))


def _make(uri: str) -> None:
    from mlflow import MlflowClient

    client = partial(MlflowClient, tracking_uri=uri, registry_uri=uri)
    with_retries(lambda: client().search_experiments(max_results=1))


def point_mlflow_at(uri: str) -> None:
    """Make ``uri`` MLflow's address in this process, and leave the environment as the user set it.

    MLflow writes the address into the environment too; the next look-up, and every process started
    from here, would then find the last store used instead of what the user asked for.
    """
    import mlflow

    asked = {name: os.environ.get(name) for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")}
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    for name, value in asked.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _unreachable(uri: str, problem: str) -> RegistryError:
    return UnreadableError(
        "Nothing answers at the registry's address",
        received={"tracking_uri": shown(uri), "problem": problem},
        remedy="Start the server, or correct or unset MLFLOW_TRACKING_URI; nothing was registered",
    )
