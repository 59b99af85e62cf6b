"""May this user do what a command will do? A server is asked by writing what is there already."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import environ
from typing import TYPE_CHECKING, Any

from faultxfer.errors import RegistryError, UnreadableError
from faultxfer.registry import connect, names
from faultxfer.registry.connect import Access
from faultxfer.registry.locations import local_path
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.readiness import (
    KIB,
    RoomNeeded,
    champion_bytes,
    require_alive,
    require_ready,
    require_room_for_files,
)
from faultxfer.registry.store import Registry, open_registry

if TYPE_CHECKING:
    from mlflow.entities import Experiment

# When a server last said yes, and to what.
_granted: dict[tuple[object, ...], float] = {}
_HOLDS_SECONDS = 60.0
# Least room for a run with its report and a version, beside the files of the model itself.
_RUN, _WORK = 192 * KIB, 512 * KIB
_NAME_REFUSED = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
_UNKNOWN, _FORBIDDEN = "RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED"


def open_to_change(*registered: str, repairing: bool = False) -> Registry:
    """Open the registry for a command that changes models, once nothing stands in its way.

    Args:
        registered: names of the registered models that it may change.
        repairing: whether it is what mends a deleted experiment and the like.

    Raises:
        RegistryError: no registry, no right to write, a deleted experiment, or files elsewhere than
            the database.
        DiskFullError: there is no room for it.
    """
    require_room_for_files(RoomNeeded())
    registry = open_registry(access=Access.REPAIRING if repairing else Access.CHANGING)
    require_rights(registry, *registered, repairing=repairing)
    return registry


def require_before_work(
    *registered: str,
    source: str | None = None,
    creating: bool = False,
) -> None:
    """All that a transfer or a training will need of the registry, asked before it begins.

    Over a database of this machine's own it loads no MLflow.

    Args:
        registered: names of the registered models that it will write.
        source: registered model that it starts from; its size tells the room that is needed.
        creating: whether a registry is made where there is none.

    Raises:
        RegistryError: as :func:`open_to_change`.
        DiskFullError: the work cannot fit.
    """
    uri = connect.tracking_uri()
    if connect.sqlite_file(uri) is None:
        require_room_for_files(RoomNeeded(temporary=_WORK))
        _ask_once(uri, registered, Access.CREATING if creating else Access.CHANGING)
        return
    if not creating:
        connect.require_registry(uri)
    size = champion_bytes(uri, source) if source else 0
    # The source is downloaded whole; of what is made from it, some strategies keep a small part.
    need = RoomNeeded(store=_RUN + size // 8, temporary=_WORK + size)
    require_ready(uri, need)
    require_room_for_files(need)


def _ask_once(uri: str, registered: tuple[str, ...], access: Access) -> None:
    """A server's yes holds for a minute: the command line asks, and then the flow that it runs."""
    key = (uri, registered, access, environ.get("MLFLOW_TRACKING_USERNAME"))
    if time.monotonic() - _granted.get(key, -math.inf) < _HOLDS_SECONDS:
        return
    require_rights(open_registry(access=access), *registered)
    _granted[key] = time.monotonic()


def require_rights(registry: Registry, *registered: str, repairing: bool = False) -> None:
    """Ask a server for the right to write, by writing values that are there already.

    A SQLite database was asked when it was opened.

    Raises:
        RegistryError: the user may not, or the experiment is deleted.
    """
    if registry.database is not None:
        return
    with reported(f"the tracking store {registry.address}"):
        _require_experiment(registry, repairing=repairing)
        for name in registered:
            for one in (name, names.journal_name(name)):
                _require_model(registry, one)


def _require_experiment(registry: Registry, *, repairing: bool) -> None:
    client = registry.client
    permission = "EDIT on the experiment `faultxfer`"
    with _allowed("read the experiment `faultxfer`", permission, UnreadableError):
        experiment = client.get_experiment_by_name(names.EXPERIMENT)
    if experiment is None:
        # A name that no experiment can have: who may make one hears that the name is wrong.
        _require_making(lambda: client.create_experiment(""), "make the experiment `faultxfer`")
        return
    if repairing and experiment.lifecycle_stage != "active":
        # MLflow refuses every tag on it; it is restored first.
        return
    require_alive(experiment.experiment_id, experiment.lifecycle_stage, registry.address)
    _require_reachable_files(experiment)
    key, value = next(
        iter(_fixed_first(experiment.tags)), next(iter(names.EXPERIMENT_TAGS.items()))
    )
    with _allowed("write to the experiment `faultxfer`", permission):
        client.set_experiment_tag(experiment.experiment_id, key, value)


def _require_model(registry: Registry, name: str) -> None:
    from mlflow.exceptions import MlflowException

    client = registry.client
    try:
        permission = f"EDIT on the registered model {name!r}"
        with _allowed(f"read the registered model {name!r}", permission, UnreadableError):
            model = client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != _UNKNOWN:
            raise
        what = f"make the registered model {name!r}"
        _require_making(lambda: client.create_registered_model(""), what)
        return
    with _allowed(f"change the registered model {name!r}", permission):
        for key, value in list(_fixed_first(model.tags))[:1]:
            client.set_registered_model_tag(name, key, value)
        if not model.tags:
            client.update_registered_model(name, description=model.description or "")


def _fixed_first(tags: dict[str, str] | None) -> Iterator[tuple[str, str]]:
    """Tags, those first that nobody changes: writing them again undoes nobody's work."""
    known = tags or {}
    fixed = (names.KIND, *names.EXPERIMENT_TAGS)
    yield from ((key, known[key]) for key in fixed if key in known)
    yield from ((key, value) for key, value in known.items() if key not in fixed)


def _require_making(make: Callable[[], Any], what: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        with _allowed(what, "the right to make experiments and registered models"):
            make()
    except MlflowException as error:
        # That the name is refused shows that the user has the right.
        if error.error_code not in _NAME_REFUSED:
            raise


def _require_reachable_files(experiment: Experiment) -> None:
    """A server without a proxy for artifacts names a folder: it must be one of this machine's."""
    path = local_path(experiment.artifact_location or "")
    if path is None or path.exists() or path.parent.exists():
        return
    raise RegistryError(
        "The MLflow server keeps its files in a folder that this machine does not have",
        received={"files": str(path)},
        remedy="Mount that folder here, work on the server's machine, or let the server hand out "
        "the files (`--artifacts-destination`) and move the experiment's location to it",
    )


@contextmanager
def _allowed(
    what: str,
    permission: str,
    kind: type[RegistryError] = RegistryError,
) -> Iterator[None]:
    """Say which permission is wanting where a server refuses."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != _FORBIDDEN:
            raise
        user = environ.get("MLFLOW_TRACKING_USERNAME")
        raise kind(
            f"The MLflow server does not allow this user to {what}",
            received={"user": user} if user else {},
            remedy=f"Ask who looks after the server for {permission}, or name another user in "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; nothing was changed",
        ) from error
