"""Registered models and journals that somebody renamed in MLflow: their entries and tags say whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from faultxfer.registry import names
from faultxfer.registry.diagnosis import RESTORES, Diagnosis
from faultxfer.registry.journal import Chain, chained, parsed, read_journal, stored_entries
from faultxfer.registry.store import Registry, Version


def renamed(registry: Registry, only: str | None = None) -> list[Diagnosis]:
    """Models and journals that have another name than their entries say, where that name is free.

    Args:
        registry: where.
        only: a model, by its name of then or of now; None for all.

    Returns:
        Findings; ``model`` is its name, ``where`` the name that it, or its journal, has now.
    """
    found = [*_journals(registry), *_models(registry)]
    return [one for one in found if only in (None, one.model, one.where)]


def concerned(found: list[Diagnosis]) -> set[str]:
    """Names of models that nothing can be said of until names are back."""
    return {one.where for one in found} | {str(one.model) for one in found}


def _models(registry: Registry) -> Iterator[Diagnosis]:
    tags = registry.tags_by_name()
    for name in registry.known_names():
        now = None if name in tags else bearer(registry, name, read_journal(registry.client, name))
        if now is not None:
            back = partial(registry.client.rename_registered_model, now, name)
            message = (
                f"{name!r}, as its journal calls it, was renamed to {now!r}, where nothing finds it"
            )
            yield Diagnosis("MODEL-RENAMED", now, message, "rename it back", back, RESTORES, name)


def _journals(registry: Registry) -> Iterator[Diagnosis]:
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
            "MODEL-RENAMED",
            names.of_journal(name),
            message,
            "rename it back",
            back,
            RESTORES,
            model,
        )


def _is_todays(registry: Registry, model: str, chain: Chain) -> bool:
    """Whether a journal is whole and what the model's versions say: else somebody keeps it as evidence."""
    if chain.problems or chain.last is None:
        return False
    now = model if registry.is_registered(model) else bearer(registry, model, chain)
    if now is None:
        return False
    named = _named_entries(registry.versions(now))
    known = {entry.sha256 for entry in chain.entries.values()}
    return bool(named) and named <= known and registry.alias(now) == chain.champion


def bearer(registry: Registry, name: str, chain: Chain) -> str | None:
    """The registered model whose versions name entries of ``name``'s journal; None where there is none, or several."""
    known = {entry.sha256 for entry in chain.entries.values()}
    others = [other for other in registry.known_names() if other != name]
    found = [other for other in others if known & _named_entries(registry.versions(other))]
    return found[0] if len(found) == 1 else None


def _named_entries(versions: list[Version]) -> set[str]:
    """The entries that versions name in their tags; what was copied has the tags of the original."""
    own = [version.tags for version in versions if not version.copied]
    return {tags[key] for tags in own for key in (names.ENTRY, names.NOTE) if key in tags}


def _model_of(stored: list[tuple[int, str]]) -> str | None:
    """The model that most entries name; one that somebody added says nothing."""
    entries = [parsed(text) for _, text in stored]
    named = Counter(entry.model for entry in entries if entry is not None)
    return named.most_common(1)[0][0] if named else None
