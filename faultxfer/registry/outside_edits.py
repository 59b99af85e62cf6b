"""What somebody changed in MLflow of a registered model or a journal: its name, or its tags.

Entries and tags say whose a renamed model or journal is. Tags repeat what names, versions and
bundles say, so they can be put back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial

from faultxfer.registry import names
from faultxfer.registry.diagnosis import RESTORES, Diagnosis
from faultxfer.registry.identity import telling_version, told_or_read
from faultxfer.registry.journal import (
    Chain,
    chained,
    is_stored_journal,
    parsed,
    read_journal,
    stored_entries,
)
from faultxfer.registry.promotion import examined_journal, tag_version
from faultxfer.registry.store import Registry, Version

_CODE = "MODEL-RENAMED"


def renamed_models(registry: Registry, only: str | None = None) -> list[Diagnosis]:
    """Models and journals that have another name than their entries say, where that name is free.

    Args:
        registry: where.
        only: a model, by its former or its present name; None for all.

    Returns:
        Findings; ``model`` is its name, ``where`` the name that it, or its journal, has now.
    """
    found = [*_renamed_journals(registry), *_renamed_models(registry)]
    return [one for one in found if only in (None, one.model, one.where)]


def left_alone(found: list[Diagnosis]) -> set[str]:
    """Names of models of which nothing more can be said until they have their names back."""
    of_names = [one for one in found if one.code == _CODE]
    return {name for one in of_names for name in (one.where, str(one.model))}


def _renamed_models(registry: Registry) -> Iterator[Diagnosis]:
    tags = registry.tags_by_name()
    for name in registry.known_names():
        now = (
            None
            if name in tags
            else renamed_to(registry, name, read_journal(registry.client, name))
        )
        if now is not None:
            back = partial(registry.client.rename_registered_model, now, name)
            message = (
                f"{name!r}, as its journal calls it, was renamed to {now!r}, where nothing finds it"
            )
            yield Diagnosis(_CODE, now, message, "rename it back", back, RESTORES, name)


def _renamed_journals(registry: Registry) -> Iterator[Diagnosis]:
    tags = registry.tags_by_name()
    for name, tagged in tags.items():
        if not names.is_journal(name) and tagged.get(names.KIND) != names.JOURNAL_KIND:
            continue
        stored = stored_entries(registry.client, name)
        model = _model_of(stored)
        if model is None or names.journal_name(model) in (name, *tags):
            continue
        if not _is_todays(registry, model, chained(model, stored)):
            continue
        back = partial(registry.client.rename_registered_model, name, names.journal_name(model))
        message = f"The journal of {model!r} was renamed to {name!r}, where nothing finds it"
        yield Diagnosis(
            _CODE,
            names.of_journal(name),
            message,
            "rename it back",
            back,
            RESTORES,
            model,
        )


def _is_todays(registry: Registry, model: str, chain: Chain) -> bool:
    """Whether a journal is whole and its model's: another one is a copy kept as evidence."""
    if chain.problems or chain.last is None:
        return False
    now = model if registry.is_registered(model) else renamed_to(registry, model, chain)
    if now is None:
        return False
    named = _named_entries(registry.versions(now))
    known = {entry.sha256 for entry in chain.entries.values()}
    return bool(named) and named <= known and registry.alias(now) == chain.champion


def renamed_to(registry: Registry, name: str, chain: Chain) -> str | None:
    """The one model whose versions name entries of ``name``'s journal; None for none or several."""
    known = {entry.sha256 for entry in chain.entries.values()}
    others = [other for other in registry.known_names() if other != name]
    found = [other for other in others if known & _named_entries(registry.versions(other))]
    return found[0] if len(found) == 1 else None


def _named_entries(versions: list[Version]) -> set[str]:
    """The entries that versions name in their tags; a copy has those of the original."""
    own = [version.tags for version in versions if not version.copied]
    return {tags[key] for tags in own for key in (names.ENTRY, names.NOTE) if key in tags}


def _model_of(stored: list[tuple[int, str]]) -> str | None:
    """The model that most entries name; one that somebody added says nothing."""
    entries = [parsed(text) for _, text in stored]
    named = Counter(entry.model for entry in entries if entry is not None)
    return named.most_common(1)[0][0] if named else None


def edited_machine_tags(
    registry: Registry, only: str | None = None, besides: Collection[str] = frozenset()
) -> Iterator[Diagnosis]:
    """Wrong tags of registered models, of their journals and of their champions.

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
            # Somebody keeps copies there, and may tag them freely.
            continue
        chain = examined_journal(registry, name)
        if chain.problems or is_stored_journal(registry.client, name):
            # Its name does not show whose it is.
            continue
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
    # A new name does not show which source the first version had, so the tag is believed.
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
    """Family and label as the bundle has them; nothing where nothing says it."""
    identity = told_or_read(registry, version) if version is not None else None
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
    """Tags of a version that were edited; a missing one may be of an older release."""
    wrong = {key: value for key, value in wanted.items() if version.tags.get(key, value) != value}
    if wrong:
        put_back = partial(tag_version, registry, version, wrong)
        yield _edited(version.name, version.uri, _message(version.tags, wrong), put_back)


def _edited(name: str, where: str, message: str, put_back: partial[None]) -> Diagnosis:
    model = names.of_journal(name)
    return Diagnosis("TAG-CHANGED", where, message, "put them back", put_back, RESTORES, model)


def _tag_model(registry: Registry, name: str, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        registry.client.set_registered_model_tag(name, key, value)


def _message(found: dict[str, str], wanted: dict[str, str]) -> str:
    said = []
    for key, value in wanted.items():
        now = f"says {found[key]!r}" if key in found else "is missing"
        said.append(f"{key} {now}, and is {value!r}")
    return "Tags were edited or deleted: " + "; ".join(said)
