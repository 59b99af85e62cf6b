"""Find files that were moved since MLflow recorded their absolute addresses."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

ARTIFACTS = "artifacts"
# How a server names the files that it hands out itself: as `faultxfer up` did until release 0.2.0.
SERVED = "mlflow-artifacts:/"
# The end of an address that shows whose files they are: the id of a run or of a model, and
# `artifacts`.
_TELLING = 2


def local_path(recorded: str) -> Path | None:
    """The folder that an address means, as MLflow reads it; None if it is on no disk here."""
    parts = urlsplit(recorded)
    if parts.scheme == "file":
        path = Path(url2pathname(parts.path))
    elif "://" in recorded or parts.scheme:
        return None
    else:
        path = Path(url2pathname(recorded))
    return path if path.is_absolute() else None


def is_below(path: Path, folder: Path) -> bool:
    """Whether a path lies in a folder, by its name or by where links lead."""
    return path.is_relative_to(folder) or path.resolve().is_relative_to(folder.resolve())


def is_beside(path: Path, database: Path) -> bool:
    """Whether a path lies in a database's folder; the database's name may be a link."""
    return any(is_below(path, folder) for folder in {database.parent, database.resolve().parent})


def place_here(path: Path, folder: Path) -> Path | None:
    """The same files below another folder: what a copied or moved registry has of its own.

    Args:
        path: where they were when their address was written.
        folder: the database's.

    Returns:
        None where there are none.
    """
    parts = path.parts[1:]
    if ".." in parts:
        return None
    for root in (folder, folder / ARTIFACTS):
        for start in range(len(parts) - _TELLING + 1):
            here = root.joinpath(*parts[start:])
            if is_there(here):
                return here
    return None


def is_there(path: Path) -> bool:
    """Whether something lies there, even if this user may not look at it."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def resolved_location(recorded: str, database: Path | None) -> str:
    """Where to read what lies at a recorded address.

    Args:
        recorded: MLflow's address of a run's or a model's files.
        database: the SQLite database that has it; None for any other store.

    Returns:
        The same files below the database's own folder where they are there, also if the original
        still exists, or if a server handed them out; else the address as it is.
    """
    if database is not None and recorded.startswith(SERVED):
        return _served_from(recorded, database.parent / ARTIFACTS)
    path = local_path(recorded)
    if database is None or path is None or is_beside(path, database):
        return recorded
    here = place_here(path, database.parent)
    return recorded if here is None else here.as_uri()


def _served_from(recorded: str, folder: Path) -> str:
    """Where the files lie that a server names by their place below its folder."""
    path = folder / url2pathname(recorded.removeprefix(SERVED)).lstrip("/")
    return path.as_uri() if ".." not in path.parts and is_there(path) else recorded
