"""Registered models and journals that somebody renamed in MLflow: their entries and tags say whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from faultxfer.registry import names
from faultxfer.registry.diagnosis import RESTORES, Diagnosis
from faultxfer.registry.journal import chained, parsed, read_journal, stored_entries
from faultxfer.registry.store import Registry


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
        now = None if name in tags else _name_now(registry, name)
        if now is not None:
            back = partial(registry.client.rename_registered_model, now, name)
            message = f"{name!r}, as its journal calls it, was renamed to {now!r}, where nothing finds it"
            yield Diagnosis("MODEL-RENAMED", now, message, "rename it back", back, RESTORES, name)


def _journals(registry: Registry) -> Iterator[Diagnosis]:
    tags = registry.tags_by_name()
    for name, tagged in tags.items():
        if not names.is_journal(name) and tagged.get(names.KIND) != names.JOURNAL_KIND:
            continue
        if not names.may_be_ours(names.of_journal(name)):
            continue  # nothing can be asked by such a name
        stored = stored_entries(registry.client, name)
        model = _model_of(stored)
        if model is None or names.journal_name(model) in (name, *tags):
            continue
        if chained(model, stored).problems:
            continue
        back = partial(registry.client.rename_registered_model, name, names.journal_name(model))
        message = f"The journal of {model!r} was renamed to {name!r}, where nothing finds it"
        yield Diagnosis("MODEL-RENAMED", names.of_journal(name), message, "rename it back", back, RESTORES, model)


def _name_now(registry: Registry, name: str) -> str | None:
    """The registered model that has the champion of ``name``'s journal, by number and entry; None where none has.

    A copy has no files of its own.
    """
    chain = read_journal(registry.client, name)
    change = chain.last_change
    for other in registry.known_names() if change else ():
        for version in registry.versions(other):
            named = change and version.tags.get(names.ENTRY) == change.sha256
            if named and version.version == chain.champion and version.model_id:
                return other
    return None


def _model_of(stored: list[tuple[int, str]]) -> str | None:
    """The model that most entries name; one that somebody added says nothing."""
    entries = [parsed(text) for _, text in stored]
    named = Counter(entry.model for entry in entries if entry is not None)
    return named.most_common(1)[0][0] if named else None
