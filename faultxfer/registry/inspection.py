"""Read a version's files and say how they are: sound, changed, absent, or unreadable.

Only bytes that were read and differ are changed. What is absent or unreadable is not judged: see
``docs/decisions/0012``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faultxfer.bundle.plain_files import MANIFEST_BYTES, UNREADABLE, read_text
from faultxfer.errors import BundleError, FilesAbsentError, RegistryError
from faultxfer.registry import names
from faultxfer.registry.downloading import hashed_files
from faultxfer.registry.model_files import BUNDLE_IN_MODEL, digest_of, file_hashes

if TYPE_CHECKING:
    from faultxfer.registry.journal import Chain
    from faultxfer.registry.store import Registry, Version

SOUND, CHANGED, ABSENT, NOT_READ = "sound", "changed", "absent", "unreadable"
NOT_ASKED = "not asked for"  # a server hands them out, and nobody asked to read them

# What MLflow writes around a bundle. Older versions have no listing of their files, so this is
# taken for it.
_AROUND = (
    *("MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt"),
    *("input_example.json", "serving_input_example.json"),
)
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Inspection:
    """How a version's files are.

    Attributes:
        state: ``sound``, ``changed``, ``absent``, ``unreadable`` or ``not asked for``.
        problem: in whole sentences; empty where they are sound.
        sha256: over the files, where all of them were read.
    """

    state: str
    problem: str = ""
    sha256: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether they were read and are those registered."""
        return self.state == SOUND


def is_promoted(version: Version, chain: Chain) -> bool:
    """Whether the journal's entries of that number are about this version.

    Where a whole model was deleted its numbers begin anew, and older entries are about another
    version.
    """
    number = version.version
    if number in chain.registered or chain.recorded_files(number) == version.tags.get(
        names.FILES, ""
    ):
        return True
    entries = {entry.sha256 for entry in chain.changes if entry.to_version == number}
    if number in chain.provisionals:
        entries.add(chain.provisionals[number].sha256)
    if number in chain.waits:
        wait = chain.waits[number]
        entries |= {entry.sha256 for entry in (wait.entry, wait.end) if entry is not None}
    return bool(entries & {version.tags.get(names.ENTRY), version.tags.get(names.NOTE)})


def registered_sha256(version: Version, chain: Chain) -> str | None:
    """SHA-256 that a version's files must have: by the journal, else by the version's tag.

    None where an older release registered it and the journal does not say.
    """
    recorded = chain.recorded_files(version.version) if is_promoted(version, chain) else None
    return recorded or version.tags.get(names.FILES)


def inspect_files(registry: Registry, version: Version, chain: Chain) -> Inspection:
    """Read all files of a version and compare them with what was registered.

    Args:
        registry: where.
        version: which.
        chain: the journal of its model.
    """
    try:
        with hashed_files(registry.files_location(version)) as (model, hashes):
            found = _judged(model, hashes, version, registered_sha256(version, chain))
    except FilesAbsentError as error:
        return Inspection(ABSENT, error.problem)
    except RegistryError as error:
        return Inspection(NOT_READ, error.problem)
    except BundleError as error:
        return Inspection(CHANGED, error.problem)
    # Whatever the tags say: the journal names these very bytes.
    if found.sha256 is not None and found.sha256 == chain.recorded_files(version.version):
        return Inspection(SOUND, sha256=found.sha256)
    return found


def require_registered(model: Path, version: Version, registered: str | None) -> None:
    """Compare a model as downloaded with what was registered, before anything in it is parsed.

    Args:
        model: its files.
        version: which.
        registered: what :func:`registered_sha256` gave.

    Raises:
        FilesAbsentError: some files are missing.
        BundleError: the files are not the same.
    """
    found = _judged(model, file_hashes(model), version, registered)
    if found.state == ABSENT:
        raise FilesAbsentError(
            found.problem, where=version.uri, remedy="Bring them back and run it again"
        )
    if not found.is_sound:
        raise BundleError(
            found.problem,
            received={"sha256": f"{found.sha256 or ''}"[:12] + "…"},
            where=version.uri,
            remedy="Type `faultxfer registry doctor`: it says which version is sound and how to go "
            "back to it",
        )


def _judged(
    model: Path, hashes: dict[str, str], version: Version, registered: str | None
) -> Inspection:
    found = digest_of(hashes)
    if registered is None or registered == found:
        return _with_bundle(model, version, found)
    missing = _missing(model, hashes, version)
    if missing:
        shown = ", ".join(missing[:3])
        return Inspection(
            ABSENT, f"{len(missing)} of the version's files are missing ({shown})", found
        )
    return Inspection(
        CHANGED, f"The files are not those registered, with SHA-256 {registered[:12]}…", found
    )


def _with_bundle(model: Path, version: Version, found: str) -> Inspection:
    if (model / BUNDLE_IN_MODEL).is_dir():
        return Inspection(SOUND, sha256=found)
    return Inspection(CHANGED, f"{version.uri} has no bundle", found)


def _missing(model: Path, hashes: dict[str, str], version: Version) -> list[str]:
    """Files that are not there, where all that are there are as they were; else empty.

    A version of an older release has no listing: its bundle's manifest names the bundle's files.
    """
    listed = _listing(version) or _from_manifest(model)
    if any(sha256 and hashes.get(name, sha256) != sha256 for name, sha256 in listed.items()):
        return []
    return [name for name in listed if name not in hashes]


def _listing(version: Version) -> dict[str, str]:
    try:
        listed = json.loads(version.tags.get(names.LISTING, ""))
        return {str(name): str(sha256) for name, sha256 in listed.items()}
    except (ValueError, AttributeError):
        return {}


def _from_manifest(model: Path) -> dict[str, str]:
    """File names with hashes, empty for those that nobody recorded."""
    listed = dict.fromkeys(_AROUND, "")
    inside = BUNDLE_IN_MODEL.as_posix()
    try:
        manifest = json.loads(read_text(model / BUNDLE_IN_MODEL / _MANIFEST, MANIFEST_BYTES))
        recorded = dict(manifest.get("sha256", {}))
    except FileNotFoundError:
        return {**listed, f"{inside}/{_MANIFEST}": ""}
    except (BundleError, *UNREADABLE):
        # A manifest that cannot be parsed was changed, so nothing counts as missing.
        return {}
    recorded.pop(_MANIFEST, None)
    return listed | {f"{inside}/{name}": str(sha256) for name, sha256 in recorded.items()}
