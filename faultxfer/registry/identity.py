"""What a registered model detects, as in the contract of its bundle; its tags repeat it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.bundle.manifest import MANIFEST, contract_in
from faultxfer.bundle.plain_files import MANIFEST_BYTES, UNREADABLE, read_text
from faultxfer.errors import BundleError, RegistryError
from faultxfer.registry import names
from faultxfer.registry.journal import Chain, read_journal
from faultxfer.registry.locations import local_path
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.model_files import BUNDLE_IN_MODEL
from faultxfer.registry.store import Registry, Version
from faultxfer.temporary import temporary_folder

# A version's files never change, so its manifest is read once in a process: by store, model,
# version and files.
_read: dict[tuple[str, str, str, str | None], Identity | None] = {}
# A store that took longer than this to say nothing is not asked for the next machine's, but left
# alone for a while.
_SLOW_SECONDS, _PAUSE_SECONDS = 3.0, 60.0
_paused_until: dict[str, float] = {}


@dataclass(frozen=True)
class Identity:
    """Rows of which equipment family, faults of which label column."""

    family: str
    label: str

    def tags(self) -> dict[str, str]:
        """As a registered model and its versions repeat it."""
        return {names.FAMILY: self.family, names.LABEL: self.label}

    def __str__(self) -> str:
        return f"family {self.family!r}, label {self.label!r}"


def identity_in(contract: dict[str, Any] | None) -> Identity | None:
    """What a contract, as plain data, is for; None where it lacks a family or a label column."""
    match contract:
        case {"family": str(family), "label": {"column": str(column)}}:
            return Identity(family, column)
    return None


def identity_of(registry: Registry, name: str) -> Identity | None:
    """What a registered model detects; None where neither its files nor its tags can say."""
    version = telling_version(registry.versions(name), read_journal(registry.client, name))
    return known_identity(registry, name, version)


def known_identity(registry: Registry, name: str, version: Version | None) -> Identity | None:
    """What the version's bundle says; else the model's name, the version's or the model's tags."""
    if version is None:
        return _told(registry, name, version)
    return told_or_read(registry, version) or _told(registry, name, version)


def told_or_read(registry: Registry, version: Version) -> Identity | None:
    """What a version's bundle says, by all that repeats it where the bundle is not to be read.

    That is the model's name, or tags of version and model that agree. None where the bundle has to
    say it, and cannot be read.
    """
    if not registry.may_read(version):
        tags = (version.tags, registry.model_tags(version.name))
        named = names.detected(version.name)
        by_version, by_model = map(identity_in_tags, tags)
        if named is not None or (by_version is not None and by_version == by_model):
            return Identity(*named) if named is not None else by_version
    return read_identity(registry, version)


def _told(registry: Registry, name: str, version: Version | None) -> Identity | None:
    """What name and tags say, where the bundle cannot be read."""
    named = names.detected(name)
    if named is not None:
        return Identity(*named)
    found = identity_in_tags(version.tags) if version is not None else None
    return found or identity_in_tags(registry.model_tags(name))


def telling_version(versions: list[Version], chain: Chain) -> Version | None:
    """The version whose bundle says what a model detects.

    It is the champion, else the provisional version, else the newest version that is registered
    whole, else the newest.

    Args:
        versions: of the model, newest first.
        chain: its journal.
    """
    number = chain.champion if chain.last else None
    whole = [one for one in versions if one.tags.get(names.STATE) != names.CANDIDATE]
    champions = [
        one for one in versions if one.version == number or (chain.last is None and one.champion)
    ]
    provisional = [one for one in versions if one.version == chain.provisional]
    return next(iter([*champions, *provisional, *whole, *versions]), None)


def read_identity(registry: Registry, version: Version) -> Identity | None:
    """What the bundle of a version says; None where it cannot be read or does not say.

    Only the manifest is read. It is compared with the SHA-256 that it holds of itself.
    """
    key = (registry.uri, version.name, version.version, version.model_id)
    if key in _read:
        return _read[key]
    begun = time.monotonic()
    if begun < _paused_until.get(registry.uri, 0.0):
        return None
    try:
        found = identity_in(contract_in(_manifest(registry, version)))
    except (RegistryError, BundleError, *UNREADABLE):
        if time.monotonic() - begun > _SLOW_SECONDS:
            _paused_until[registry.uri] = time.monotonic() + _PAUSE_SECONDS
        return None
    _read[key] = found
    return found


def _manifest(registry: Registry, version: Version) -> str:
    """Text of the manifest, downloaded alone."""
    import mlflow.artifacts

    manifest = f"{BUNDLE_IN_MODEL.as_posix()}/{MANIFEST}"
    location = registry.files_location(version)
    local = local_path(location)
    if local is not None:
        return read_text(local / manifest, MANIFEST_BYTES)
    address = f"{location}/{manifest}"
    with temporary_folder("manifest") as folder, reported(f"the files of {version.uri}"):
        copied = mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=str(folder))
        return read_text(Path(copied), MANIFEST_BYTES)


def identity_in_tags(tags: dict[str, str]) -> Identity | None:
    """What tags of a model or a version say; None where they do not."""
    if names.FAMILY in tags and names.LABEL in tags:
        return Identity(tags[names.FAMILY], tags[names.LABEL])
    return None
