"""Check what is registered; nothing here loads a network or changes anything."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from faultxfer.registry import names
from faultxfer.registry.diagnosis import Diagnosis
from faultxfer.registry.doctor import findings_across_models
from faultxfer.registry.inspection import CHANGED
from faultxfer.registry.machines import wanted_names
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.model_checks import edited_tags
from faultxfer.registry.model_view import ModelView
from faultxfer.registry.pending import pending_deletions
from faultxfer.registry.store import Registry, Version, open_registry


@reported("the tracking store")
def verify_registry(
    model: str | None, equipment: str | None, head: str | None, *, files: bool = False
) -> dict[str, Any]:
    """Whether journals are whole, and champions are those of their journals, with their files.

    Args:
        model: source model; None for everything that is registered.
        equipment: one of its machines.
        head: SHA-256 of the newest entry, as kept elsewhere; the journal, or one of them all, must
            hold that entry.
        files: also read the files of every champion that a server hands out; of one model that is
            asked for by name they are always read.

    Returns:
        ``sound``: nothing is wrong and all that was wanted was read; ``models``: for each its
        ``problems``, and under ``unchecked`` what could not be read; ``files_not_read``: of how
        many champions a server has the files, and nobody wanted them read.

    Raises:
        RegistryError: the model is unknown.
    """
    registry = open_registry()
    with registry.as_it_is_now(files=files or model is not None):
        checked = _all_verified(registry, model, equipment, head)
    wrong = any(one["problems"] for one in checked)
    unread = any(one["unchecked"] for one in checked)
    return {
        "sound": not wrong and not unread,
        "wrong": wrong,
        "unchecked": unread,
        "files_not_read": sum(one.pop("not_read") for one in checked),
        "models": checked,
    }


def _all_verified(
    registry: Registry, model: str | None, equipment: str | None, head: str | None
) -> list[dict[str, Any]]:
    views = [ModelView(registry, name) for name in wanted_names(registry, model, equipment)]
    only = views[0].name if model is not None else None
    across = findings_across_models(registry, only)
    pending = _pending(registry, views)
    checked = [_verified(view, pending.get(view.name, [])) for view in views]
    if head and not any(_holds(view, head) for view in views):
        _add_missing_head(checked, head, one_model=model is not None)
    checked += [_about(one.where, f"{one.message}: {one.remedy}") for one in across]
    return checked


def _holds(view: ModelView, head: str) -> bool:
    return any(entry.sha256 == head for entry in view.chain.entries.values())


def _add_missing_head(checked: list[dict[str, Any]], head: str, *, one_model: bool) -> None:
    lacks = f"no entry has SHA-256 {head[:12]}…"
    if one_model:
        checked[0]["problems"].append(lacks)
    else:
        checked.append(_about("every journal", lacks))


def _about(name: str, problem: str) -> dict[str, Any]:
    """A problem that is not one of a single journal."""
    return {
        "name": name,
        "champion": None,
        "provisional": None,
        "waiting": None,
        "entries": 0,
        "head": None,
        "problems": [problem],
        "unchecked": [],
        "not_read": 0,
    }


def _scoring(view: ModelView) -> Version | None:
    """The champion; of a machine without one, the provisional version is what scores."""
    return view.versions.get(view.champion or view.chain.provisional or "")


def _pending(registry: Registry, views: list[ModelView]) -> dict[str, list[Diagnosis]]:
    """What somebody deleted and those that score need, by name of their model."""
    found: dict[str, list[Diagnosis]] = defaultdict(list)
    scoring = [version for view in views if (version := _scoring(view)) is not None]
    for one in pending_deletions(registry, scoring):
        found[str(one.model)].append(one)
    return found


def _verified(view: ModelView, pending: list[Diagnosis]) -> dict[str, Any]:
    problems = [*view.chain.problems, *_alias_problems(view), *_provisional_problems(view)]
    problems += _waiting_problems(view)
    unchecked: list[str] = []
    scoring = _scoring(view)
    if scoring is not None:
        found = view.survey(scoring.version)
        if found.state == CHANGED:
            problems.append(found.problem)
        elif found.problem:
            unchecked.append(found.problem)
    problems += [f"{one.message}: {one.remedy}" for one in pending]
    problems += [f"{one.where}: {one.message}" for one in edited_tags(view)]
    problems += _replaced(view)
    return {
        "name": view.name,
        "champion": view.alias,
        "provisional": view.provisional_alias,
        "waiting": view.waiting_alias,
        "entries": len(view.chain.entries),
        "head": view.chain.head if view.chain.last else None,
        "problems": problems,
        "unchecked": unchecked,
        "not_read": len(view.not_read),
    }


def _alias_problems(view: ModelView) -> list[str]:
    """Whether journal, alias and versions agree on who is champion."""
    alias, number = view.alias, view.champion
    if not view.registry.is_registered(view.name):
        if number is None:
            return []
        return [f"there is a journal with champion {number}, and its model is not in the list"]
    problems = []
    if view.chain.last is None and alias is not None:
        problems.append("there is a champion and no journal")
    # Without a journal the champion is the alias's.
    if alias != number:
        problems.append(
            f"the journal names version {number or 'none'}, the alias {alias or 'none'}"
        )
    if number is not None and number not in view.versions:
        problems.append(f"version {number} does not exist")
    return problems


def _provisional_problems(view: ModelView) -> list[str]:
    """Whether journal, alias and versions agree on which version is provisional."""
    alias, number = view.provisional_alias, view.chain.provisional
    if number is not None and not view.registry.is_registered(view.name):
        return [
            f"there is a journal with provisional version {number}, and its model is not "
            "in the list"
        ]
    if number is not None and number not in view.versions:
        return [f"the provisional version {number} does not exist"]
    if alias == number:
        return []
    named, shown = number or "none", alias or "none"
    return [f"the journal names version {named} as provisional, the alias {shown}"]


def _waiting_problems(view: ModelView) -> list[str]:
    """Whether journal, alias and versions agree on which version waits for approval."""
    alias, number = view.waiting_alias, view.chain.waiting
    if number is not None and number not in view.versions:
        return [f"version {number}, which waits for approval, does not exist"]
    if alias == number:
        return []
    named, shown = number or "none", alias or "none"
    return [f"by the journal version {named} waits for approval, by the alias {shown}"]


def _replaced(view: ModelView) -> list[str]:
    """A champion that the doctor took away, and whose files are there again."""
    number = view.replaced_champion
    if number is None:
        return []
    command = f"`faultxfer registry restore {names.as_arguments(view.name)}`"
    return [
        f"version {number} was champion until its files were changed, and they are sound again: "
        f"{command}"
    ]
