"""Find and prepare the tracking store."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock

from faultxfer.environment import switch_telemetry_off
from faultxfer.errors import RegistryError

CONNECT_SECONDS = 5.0
_MIGRATION_SECONDS = 300.0

# Bundles hold no pickle, so nothing that faultxfer loads may unpickle; a dead server is said within seconds.
_MLFLOW_SETTINGS = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def prepare_environment() -> None:
    """Quiet, pickle-free settings for MLflow; what the user has set stays."""
    switch_telemetry_off()
    # It prints a traceback for each error of a database, which is then raised too, and said in one sentence.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    for name, value in _MLFLOW_SETTINGS.items():
        os.environ.setdefault(name, value)


def default_folder() -> Path:
    """Where database and artifacts lie when ``MLFLOW_TRACKING_URI`` is not set."""
    return Path.cwd() / "mlruns"


def tracking_uri() -> str:
    """``MLFLOW_TRACKING_URI``, or SQLite in ``mlruns/mlflow.db`` below the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{default_folder() / 'mlflow.db'}"


def artifact_location(uri: str) -> str | None:
    """Where a new experiment keeps its artifacts; a server decides that itself."""
    database = sqlite_file(uri)
    return None if database is None else (database.parent / "artifacts").as_uri()


def is_server(uri: str) -> bool:
    """Whether an MLflow server answers there, not a database."""
    return uri.startswith(("http://", "https://"))


def shown(uri: str) -> str:
    """The address without user and password."""
    scheme, mark, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rsplit('@', 1)[-1]}{slash}{path}"


def without_password(uri: str) -> str:
    """An MLflow server's address without user and password, which go to MLflow by its own environment variables.

    MLflow names the whole address in its errors, and errors end up in logs and on the pages of flow runs.
    """
    if not is_server(uri):
        return uri
    user, mark, password = urlsplit(uri).netloc.rpartition("@")[0].partition(":")
    if user:
        os.environ.setdefault("MLFLOW_TRACKING_USERNAME", unquote(user))
    if mark:
        os.environ.setdefault("MLFLOW_TRACKING_PASSWORD", unquote(password))
    return shown(uri)


def check_reachable(uri: str) -> None:
    """Say within seconds when there is nothing to talk to.

    Raises:
        RegistryError: the host does not answer, or the SQLite file's folder cannot be made.
    """
    database = sqlite_file(uri)
    if database is not None:
        _check_folder(database.parent, uri)
        return
    if not is_server(uri):
        return
    try:
        parts = urlsplit(uri)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise _unreachable(uri, error.strerror or str(error)) from error
    except ValueError as error:  # no address at all, as with port 99999
        raise _unreachable(uri, str(error)) from error


def migrate(uri: str) -> None:
    """Create or migrate an SQLite store once, under a lock: several processes at once would all fail."""
    database = sqlite_file(uri)
    if database is None:
        return
    from mlflow import MlflowClient

    with FileLock(f"{database}.lock", timeout=_MIGRATION_SECONDS):
        MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments(max_results=1)


def point_mlflow_at(uri: str) -> None:
    """Make ``uri`` MLflow's address in this process, and leave the environment as the user set it.

    MLflow writes the address into the environment too; the next look-up, and every process started from here, would
    then find the last store used instead of what the user asked for.
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


def sqlite_file(uri: str) -> Path | None:
    """The database's file; None for a store of another kind."""
    prefix = "sqlite:///"
    return Path(unquote(uri[len(prefix) :])).absolute() if uri.startswith(prefix) else None


def _check_folder(folder: Path, uri: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unreachable(uri, error.strerror or str(error)) from error
    if not os.access(folder, os.W_OK):
        raise _unreachable(uri, "the folder is not writable")


def _unreachable(uri: str, problem: str) -> RegistryError:
    return RegistryError(
        "A tracking store that can be reached was expected",
        received={"tracking_uri": shown(uri), "problem": problem},
        remedy="Start the server, or correct or unset MLFLOW_TRACKING_URI; nothing was registered",
    )
