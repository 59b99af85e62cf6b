"""Whether a source model is there, asked before anything is loaded for it."""

from __future__ import annotations

from faultxfer.errors import RegistryError
from faultxfer.registry import connect, names
from faultxfer.registry import database as databases
from faultxfer.spelling import asking

_WITH_CHAMPION = "SELECT name FROM registered_model_aliases WHERE alias = ?"


def require_source(uri: str, model: str) -> None:
    """A source model of this name must have a champion.

    A database of this machine's own is asked in milliseconds, without MLflow. A server is asked by
    the step that loads the model.

    Args:
        uri: of a registry that is there.
        model: the source model.

    Raises:
        RegistryError: it has none; names those that have.
    """
    database = connect.sqlite_file(uri)
    if database is None:
        return
    found = [str(row[0]) for row in databases.rows(database, _WITH_CHAMPION, (names.CHAMPION,))]
    if model not in found:
        sources = sorted(name for name in found if names.kind_of(name) == names.SOURCE_KIND)
        raise no_source(model, sources, connect.shown(uri))


def no_source(model: str, known: list[str], address: str) -> RegistryError:
    """The error for a source model that is not there."""
    return RegistryError(
        "There is no source model of this name in the registry",
        received={"model": model, "known": known},
        where=address,
        remedy=asking(
            model,
            known,
            "See what is there with `faultxfer registry list`, train one with `faultxfer "
            "pretrain`, or check MLFLOW_TRACKING_URI",
        ),
    )
