"""What is registered, as plain data for the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from faultxfer.registry import machines, names
from faultxfer.registry.identity import identity_of
from faultxfer.registry.journal import Wait, read_journal
from faultxfer.registry.machine_models import machine_named
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.store import Registry, Version, open_registry


@reported("the tracking store")
def list_models() -> list[dict[str, Any]]:
    """Every registered model with what it detects and its champion."""
    registry = open_registry()
    with registry.as_it_is_now(files=False):
        return [_listed(registry, entry) for entry in registry.models()]


@reported("the tracking store")
def show_version(model: str, equipment: str | None, number: int | None) -> dict[str, Any]:
    """One version: the champion, else the provisional one, or the number asked for.

    Raises:
        RegistryError: the model, the machine or the version is unknown.
    """
    registry = open_registry()
    version = version_meant(registry, model, equipment, number)
    name = version.name
    wait = read_journal(registry.client, name).waits.get(version.version)
    said = {"outcome": wait.outcome, "until": str(wait.until)} if wait else None
    return {**asdict(version), "uri": version.uri, "wait": said, "next": _next(name, wait)}


def version_meant(
    registry: Registry, model: str, equipment: str | None, number: int | None
) -> Version:
    """The version of that number; else the champion, the provisional one, or the newest.

    Raises:
        RegistryError: the model, the machine or the version is unknown.
    """
    name = _known_name(registry, model, equipment)
    if number is not None:
        return registry.version(name, number)
    scoring = registry.champion(name) or registry.provisional(name)
    return scoring or registry.versions(name)[0]


@reported("the tracking store")
def show_history(model: str, equipment: str | None) -> list[dict[str, Any]]:
    """Versions and refused runs, newest first.

    Raises:
        RegistryError: the model or the machine is unknown.
    """
    registry = open_registry()
    with registry.as_it_is_now(everything=False):
        return _history(registry, model, equipment)


def _history(registry: Registry, model: str, equipment: str | None) -> list[dict[str, Any]]:
    name = machines.look_up(registry, model, equipment)
    refusals = _refusals(registry, name, model, equipment)
    # A machine whose every candidate was refused has no registered model, but it has a history.
    if not refusals:
        name = _known_name(registry, model, equipment)
    versions = registry.versions(name) if name else []
    waits = read_journal(registry.client, name).waits if name else {}
    entries = [_entry(version, waits.get(version.version)) for version in versions]
    entries += [{"outcome": "refused", **refusal} for refusal in refusals]
    return sorted(entries, key=lambda entry: str(entry["created"]), reverse=True)


def _listed(registry: Registry, entry: dict[str, Any]) -> dict[str, Any]:
    """What ``registry list`` shows of a model; ``source_model`` is the champion's."""
    name = entry["name"]
    if entry["kind"] == names.TARGET_KIND:
        one = machine_named(registry, name)
        identity, count, wait = one.identity, one.versions, one.waiting
        source, merged_into = one.source or entry["source_model"], one.merged_into
    else:
        identity, count, wait = identity_of(registry, name), len(registry.versions(name)), None
        source, merged_into = entry["source_model"], None
    return {
        **entry,
        "source_model": source,
        "registered": f"{count} version(s)",
        "family": identity.family if identity else None,
        "label": identity.label if identity else None,
        "merged_into": merged_into,
        "waiting": wait.version if wait and wait.is_open else None,
        "next": _next(name, wait),
    }


def _next(name: str, wait: Wait | None) -> str | None:
    """What to type where a version waits for approval; None where a person has nothing to do."""
    if wait is None or not wait.is_open:
        return None
    return names.with_reason("approve", name, wait.version)


def _refusals(
    registry: Registry, name: str | None, model: str, equipment: str | None
) -> list[dict[str, Any]]:
    """Refused candidates, also those from before the machine had a model of this name, or any."""
    known = [name] if name else []
    if equipment is not None and names.kind_of(model) == names.SOURCE_KIND:
        known.append(names.registered_name(model, equipment))
        identity = identity_of(registry, model)
        if identity is not None:
            known.append(names.detector_name(identity.family, identity.label, equipment))
    return [refusal for one in dict.fromkeys(known) for refusal in registry.refusals(one)]


def _known_name(registry: Registry, model: str, equipment: str | None) -> str:
    name = machines.look_up(registry, model, equipment)
    if name is None:
        raise machines.not_registered(registry, model, equipment)
    if not registry.versions(name):
        raise machines.not_registered(registry, name)
    return name


def _entry(version: Version, wait: Wait | None) -> dict[str, Any]:
    tags = version.tags
    override = tags.get(names.OVERRIDE)
    return {
        "created": version.created,
        "outcome": _outcome(tags, wait),
        "version": version.version,
        "champion": "champion" if version.champion else None,
        "provisional": "provisional" if version.provisional else None,
        "waiting": "waiting" if wait and wait.is_open else None,
        "gate": tags.get(names.GATE),
        "source version": tags.get(names.SOURCE_VERSION),
        "reason": f"overridden: {override}" if override else tags.get(names.REASON),
        "previous champion": tags.get(names.PREVIOUS),
        "run_id": version.run_id,
    }


def _outcome(tags: dict[str, str], wait: Wait | None) -> str:
    """What came of a version: it counts as promoted once a person has done so."""
    if names.PROMOTED in tags:
        return "promoted"
    if wait is not None:
        return wait.outcome
    return tags.get(names.REGISTERED_AS, "registered")
