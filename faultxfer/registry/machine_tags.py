"""Tags that repeat what a registered model is: found where somebody deleted or edited them, and put back."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from faultxfer.registry import names
from faultxfer.registry.diagnosis import RESTORES, Diagnosis
from faultxfer.registry.identity import read_identity, telling_version
from faultxfer.registry.journal import is_stored_journal
from faultxfer.registry.promotion import examined_journal
from faultxfer.registry.store import Registry, Version


def tag_findings(
    registry: Registry, only: str | None = None, besides: Collection[str] = frozenset()
) -> Iterator[Diagnosis]:
    """Tags of registered models, of their journals and of their champions that are not what they should be.

    Args:
        registry: where.
        only: one registered model; None for all.
        besides: models to leave alone, as their journals have another name for now.
    """
    for name, tags in registry.tags_by_name().items():
        if only not in (None, names.of_journal(name)) or names.of_journal(name) in besides:
            continue
        if names.is_journal(name):
            yield from _of_model(registry, name, tags, {names.KIND: names.JOURNAL_KIND})
            continue
        versions = registry.versions(name)
        if versions and all(version.copied for version in versions):
            continue  # somebody keeps copies there, and tags it as he likes
        chain = examined_journal(registry, name)
        if chain.problems or is_stored_journal(registry.client, name):
            continue  # whose it is, its name does not say
        telling = telling_version(versions, chain)
        of_bundle = _of_bundle(registry, telling)
        # Release 0.1.0 gave none of these tags, and a model without them is as it was made.
        known = tags if telling is None else {**tags, **telling.tags}
        repeated = {key: value for key, value in of_bundle.items() if key in known}
        yield from _of_model(registry, name, tags, _wanted(name, tags, versions) | repeated)
        if telling is not None:
            yield from _of_version(registry, telling, of_bundle)


def _wanted(name: str, tags: dict[str, str], versions: list[Version]) -> dict[str, str]:
    """What the name and the versions' tags say of a model."""
    wanted = {names.KIND: names.kind_of(name)}
    if wanted[names.KIND] != names.TARGET_KIND or not versions:
        return wanted
    equipment = names.equipment_of(name) or _oldest(versions, names.EQUIPMENT)
    # Which source the first version had, the name of today does not say; any that stands there is believed.
    source = (
        names.source_in(name)
        or tags.get(names.SOURCE_MODEL)
        or _oldest(versions, names.SOURCE_MODEL)
    )
    found = {names.EQUIPMENT: equipment, names.SOURCE_MODEL: source}
    return wanted | {key: value for key, value in found.items() if value}


def _oldest(versions: list[Version], key: str) -> str | None:
    """A tag of the oldest version that has it: a model's own tags were given when it was made."""
    return next((one.tags[key] for one in reversed(versions) if key in one.tags), None)


def _of_bundle(registry: Registry, version: Version | None) -> dict[str, str]:
    """Family and label as the bundle has them; nothing where it cannot be read."""
    identity = read_identity(registry, version) if version is not None else None
    return identity.tags() if identity is not None else {}


def _of_model(
    registry: Registry, name: str, found: dict[str, str], wanted: dict[str, str]
) -> Iterator[Diagnosis]:
    wrong = {key: value for key, value in wanted.items() if found.get(key) != value}
    if wrong:
        put_back = partial(_tag_model, registry, name, wrong)
        yield _edited(name, name, _message(found, wrong), put_back)


def _of_version(
    registry: Registry, version: Version, wanted: dict[str, str]
) -> Iterator[Diagnosis]:
    """Of a version only what was edited: older releases did not give it these tags."""
    wrong = {key: value for key, value in wanted.items() if version.tags.get(key, value) != value}
    if wrong:
        put_back = partial(_tag_version, registry, version, wrong)
        yield _edited(version.name, version.uri, _message(version.tags, wrong), put_back)


def _edited(name: str, where: str, message: str, put_back: partial[None]) -> Diagnosis:
    model = names.of_journal(name)
    return Diagnosis("TAG-CHANGED", where, message, "put them back", put_back, RESTORES, model)


def _tag_model(registry: Registry, name: str, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        registry.client.set_registered_model_tag(name, key, value)


def _tag_version(registry: Registry, version: Version, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        registry.client.set_model_version_tag(version.name, version.version, key, value)


def _message(found: dict[str, str], wanted: dict[str, str]) -> str:
    said = []
    for key, value in wanted.items():
        now = f"says {found[key]!r}" if key in found else "is missing"
        said.append(f"{key} {now}, and is {value!r}")
    return "Tags were edited or deleted: " + "; ".join(said)
