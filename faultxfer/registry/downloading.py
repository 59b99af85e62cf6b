"""Copy a version's files from where they lie, and say whether they are not there or cannot be read.

On this machine's disks the files are copied here and not by MLflow: it takes a folder that may not
be entered for an empty one, and an empty one for a download that succeeded.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from faultxfer.errors import BundleError, FilesAbsentError, RegistryError, UnreadableError
from faultxfer.registry import names
from faultxfer.registry.locations import local_path
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.model_files import check_amount, file_hashes, hashes_by_name
from faultxfer.temporary import temporary_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

# A copy of a copy, and so on: more than anybody makes.
_MOST_HOPS = 20
# How MLflow's clients say that a server or a store has no such file.
_NOT_THERE = re.compile(r"No such artifact|No such file|404 Client Error|error code 404|Not Found")


def recorded_location(client: MlflowClient, name: str, number: str) -> str:
    """MLflow's address of a version's files.

    A version may have been made from another one, or from MLflow's model: then the address names
    that, and is followed.
    """
    found = str(client.get_model_version_download_uri(name, number))
    for _ in range(_MOST_HOPS):
        if not found.startswith(names.MODELS):
            break
        source, _, version = found.removeprefix(names.MODELS).partition("/")
        if version:
            found = str(client.get_model_version_download_uri(unquote(source), version))
        else:
            found = str(client.get_logged_model(source).artifact_location)
    return found


def fetch_files(location: str, folder: Path) -> Path:
    """Copy all files of a model into ``folder``; returns the folder that holds them.

    Args:
        location: a path or ``file:`` address on this machine, or any artifact address that MLflow
            reads.
        folder: where to; made if it does not exist.

    Raises:
        FilesAbsentError: there is nothing, or not all that a listing names.
        UnreadableError: there may be something, and it cannot be read.
        BundleError: there are more or larger files than a bundle has, or what is no file.
    """
    local = local_path(location)
    if local is None:
        return _downloaded(location, folder)
    return _copied(local, folder)


@contextmanager
def hashed_files(location: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A model's files, read where they lie if that is on this machine, and SHA-256 of each.

    Args:
        location: as for :func:`fetch_files`.

    Yields:
        The folder that holds them, and the hashes as :func:`~.model_files.file_hashes` gives them.

    Raises:
        FilesAbsentError, UnreadableError, BundleError: see :func:`fetch_files`.
    """
    local = local_path(location)
    if local is not None:
        yield local, _hashes_of(local)
        return
    with temporary_folder("doctor") as folder:
        fetched = _downloaded(location, folder / "model")
        yield fetched, file_hashes(fetched)


def _hashes_of(folder: Path) -> dict[str, str]:
    try:
        return hashes_by_name(folder, _files_of(folder))
    except OSError as error:
        raise _not_read(folder, error) from error


def _files_of(source: Path) -> list[Path]:
    try:
        files = list(_regular_files(source))
        check_amount(len(files), sum(path.stat().st_size for path in files))
    except OSError as error:
        raise _not_read(source, error) from error
    if not files:
        raise absent(str(source))
    return files


def _copied(source: Path, folder: Path) -> Path:
    files = _files_of(source)
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        _copy_file(path, folder / path.relative_to(source))
    return folder


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as copy:
        try:
            original = source.open("rb")
        except OSError as error:
            raise _not_read(source, error) from error
        with original:
            shutil.copyfileobj(original, copy)


def _regular_files(root: Path) -> Iterator[Path]:
    """All files below ``root``.

    Raises:
        OSError: a folder cannot be listed.
        BundleError: something is neither a folder nor a file, and reading it might never end.
    """

    def refuse(error: OSError) -> None:
        raise error

    for folder, _, files in os.walk(root, onerror=refuse):
        for name in sorted(files):
            path = Path(folder) / name
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                raise BundleError(
                    "A model's folder holds something that is no regular file",
                    received={"mode": stat.filemode(mode)},
                    where=str(path),
                    remedy="Find out who put it there; do not load this model",
                )
            yield path


def _not_read(path: Path, error: OSError) -> RegistryError:
    """Only what the file system itself says is not there counts as not there."""
    where = error.filename or str(path)
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return absent(str(where))
    return UnreadableError(
        "The files cannot be read",
        received={"problem": error.strerror or str(error)},
        where=str(where),
        remedy="Give the user who runs this the right to read them, or mount the disk again; then "
        "run it again",
    )


def _downloaded(location: str, folder: Path) -> Path:
    import mlflow.artifacts

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with reported(f"the files at {location}"):
            copied = mlflow.artifacts.download_artifacts(
                artifact_uri=location, dst_path=str(folder)
            )
    except RegistryError as error:
        if _NOT_THERE.search(str(error.__cause__ or error)):
            raise absent(location) from error
        raise _as_unreadable(error) from error
    if not any(path.is_file() for path in Path(copied).rglob("*")):
        raise absent(location)
    return Path(copied)


def absent(location: str) -> FilesAbsentError:
    """The error for files that are not where the registry says."""
    return FilesAbsentError(
        f"No files at {location}. Was the folder moved, or is it not mounted?",
        remedy="Bring the files back and run it again; if the whole registry was moved, type "
        "`faultxfer registry relocate`",
    )


def _as_unreadable(error: RegistryError) -> UnreadableError:
    if isinstance(error, UnreadableError):
        return error
    return UnreadableError(
        error.expected, received=error.received, where=error.where, remedy=error.remedy
    )
