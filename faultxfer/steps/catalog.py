"""What is registered, as plain data for the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from faultxfer.errors import RegistryError
from faultxfer.registry import names
from faultxfer.registry.store import Registry, Version, open_registry


def list_models() -> list[dict[str, Any]]:
    """Every registered model with its champion."""
    registry = open_registry()
    listed = registry.models()
    for entry in listed:
        entry["registered"] = f"{len(registry.versions(entry['name']))} version(s)"
    return listed


def show_version(model: str, equipment: str | None, number: int | None) -> dict[str, Any]:
    """One version: the champion, or the number asked for.

    Raises:
        RegistryError: the model, the machine or the version is unknown.
    """
    registry = open_registry()
    name = _known_name(registry, model, equipment)
    version = registry.version(name, number) if number is not None else registry.champion(name)
    version = version or registry.versions(name)[0]
    return {**asdict(version), "uri": version.uri}


def show_history(model: str, equipment: str | None) -> list[dict[str, Any]]:
    """Versions and refused runs, newest first.

    Raises:
        RegistryError: the model or the machine is unknown.
    """
    registry = open_registry()
    try:
        name = _known_name(registry, model, equipment)
    except RegistryError:
        # A machine whose every candidate was refused has no registered model, but it has a history.
        name = names.registered_name(model, equipment)
        if not registry.refusals(name):
            raise
    entries = [_entry(version) for version in registry.versions(name)] + [
        {"outcome": "refused", **refusal} for refusal in registry.refusals(name)
    ]
    return sorted(entries, key=lambda entry: str(entry["created"]), reverse=True)


def _known_name(registry: Registry, model: str, equipment: str | None) -> str:
    name = names.registered_name(model, equipment)
    if not registry.versions(name):
        raise RegistryError(
            "A registered model was expected",
            received={"name": name, "known": [entry["name"] for entry in registry.models()]},
            remedy="List them with `faultxfer registry list`; name a machine with --equipment",
        )
    return name


def _entry(version: Version) -> dict[str, Any]:
    tags = version.tags
    override = tags.get(names.OVERRIDE)
    return {
        "created": version.created,
        "outcome": "promoted" if names.PROMOTED in tags else "registered",
        "version": version.version,
        "champion": "champion" if version.champion else None,
        "gate": tags.get(names.GATE),
        "source version": tags.get(names.SOURCE_VERSION),
        "reason": f"overridden: {override}" if override else tags.get(names.REASON),
        "previous champion": tags.get(names.PREVIOUS),
        "run_id": version.run_id,
    }
