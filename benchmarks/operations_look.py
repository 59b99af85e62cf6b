"""What a registry looks like.

Read from the database without the product, and as production uses it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations_plant import MODELS, Plant, read_rows

Digests = dict[str, str]
# Where it is not for the trial to say who is champion, or not which version.
ANYBODY, SOMEBODY = "anybody", "somebody"
_STATE = "faultxfer.state"
# MLflow writes it into every copy that it downloads.
_OF_THE_DOWNLOAD = "registered_model_meta"


@dataclass(frozen=True)
class Snapshot:
    """A database at one moment.

    Attributes:
        versions: source of each version, by name and number.
        aliases: number, by name and alias.
        shut_out: versions marked as retired or as candidates, which are not promoted.
        uploads: which uploads are active.
    """

    versions: dict[tuple[str, str], str]
    aliases: dict[tuple[str, str], str]
    shut_out: dict[tuple[str, str], str]
    uploads: frozenset[str]


def snapshot(plant: Plant) -> Snapshot | None:
    """The database as it is; None where there is none."""
    try:
        return _snapshot(plant.database)
    except sqlite3.Error:
        return None


def _snapshot(database: Path) -> Snapshot:
    kept = "current_stage != 'Deleted_Internal'"
    versions = read_rows(database, f"SELECT name, version, source FROM model_versions WHERE {kept}")
    aliases = read_rows(database, "SELECT name, alias, version FROM registered_model_aliases")
    marked = f"key = '{_STATE}' AND value IN ('retired', 'candidate')"
    question = f"SELECT name, version, value FROM model_version_tags WHERE {marked}"
    shut_out = read_rows(database, question)
    active = "lifecycle_stage != 'deleted'"
    uploads = read_rows(database, f"SELECT model_id FROM logged_models WHERE {active}")
    return Snapshot(
        {(name, str(version)): source for name, version, source in versions},
        {(name, alias): str(version) for name, alias, version in aliases},
        {(name, str(version)): state for name, version, state in shut_out},
        frozenset(upload for (upload,) in uploads),
    )


@dataclass(frozen=True)
class Originals:
    """What was registered.

    Attributes:
        files: SHA-256 of each file, by model and version.
        uploads: MLflow's id of their files.
    """

    files: dict[tuple[str, str], Digests]
    uploads: dict[tuple[str, str], str]


def originals(plant: Plant) -> Originals:
    """Read from the plant as it was prepared."""
    uploads = plant.upload_ids()
    files = {key: digests(plant.upload_folder(upload)) for key, upload in uploads.items()}
    return Originals(files, uploads)


def digests(folder: Path) -> Digests:
    """SHA-256 of each file below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != _OF_THE_DOWNLOAD:
            name = path.relative_to(folder).as_posix()
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def champions_wrong(plant: Plant, files: Originals, wanted: dict[str, str]) -> list[str]:
    """In a child: how the champions differ from those wanted.

    With the files they were registered with.
    """
    from faultxfer.errors import FaultxferError
    from faultxfer.registry.store import open_registry

    os.environ.update(plant.environment())
    os.chdir(plant.folder)
    try:
        registry = open_registry()
        judged = [model for model in MODELS if wanted[model] != ANYBODY]
        found = [_wrong(registry, model, files, wanted[model]) for model in judged]
    except FaultxferError as error:
        return [f"the registry does not open: {error}"]
    return [problem for problem in found if problem]


def _wrong(registry: Any, model: str, files: Originals, wanted: str) -> str:
    from faultxfer.errors import FaultxferError

    try:
        champion = registry.champion(model)
    except FaultxferError as error:
        return f"{model}: {error}"
    number = champion.version if champion else "nobody"
    if champion is None if wanted == SOMEBODY else number != wanted:
        return f"{model}: champion is {number}"
    if champion is None or (model, number) not in files.files:
        return ""
    with tempfile.TemporaryDirectory(prefix="operations-") as folder:
        try:
            copied = digests(registry.download_model(champion, Path(folder)))
        except (FaultxferError, OSError) as error:
            return f"{model}: version {number} does not load: {error}"
    return (
        "" if copied == files.files[model, number] else f"{model}: version {number} has other files"
    )
