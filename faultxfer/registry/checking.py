"""Check what is registered, and mend what can be mended; nothing here loads a network."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from faultxfer.errors import RegistryError
from faultxfer.registry import doctor, machines, names
from faultxfer.registry.inspection import CHANGED
from faultxfer.registry.machine_tags import tag_findings
from faultxfer.registry.merging import half_done
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.model_checks import Patient, edited_tags
from faultxfer.registry.pending import pending_deletions
from faultxfer.registry.renamed import concerned, renamed
from faultxfer.registry.rights import open_to_change
from faultxfer.registry.store import Registry, open_registry
from faultxfer.registry.succession import replaced_by_doctor


@reported("the tracking store")
def verify_registry(model: str | None, equipment: str | None, head: str | None) -> dict[str, Any]:
    """Whether each journal is whole, and each champion is the one that its journal names, with the files it names.

    Args:
        model: source model; None for everything that is registered.
        equipment: one of its machines.
        head: SHA-256 of the newest entry, as kept elsewhere; the journal, or one of them all, must hold that entry.

    Returns:
        ``sound``: nothing is wrong and all was read; ``models``: for each its ``problems``, and under ``unchecked``
        what could not be read.

    Raises:
        RegistryError: the model is unknown.
    """
    registry = open_registry()
    with registry.as_it_is_now():
        checked = _all_verified(registry, model, equipment, head)
    wrong = any(one["problems"] for one in checked)
    unread = any(one["unchecked"] for one in checked)
    return {
        "sound": not wrong and not unread,
        "wrong": wrong,
        "unchecked": unread,
        "models": checked,
    }


def _all_verified(
    registry: Registry, model: str | None, equipment: str | None, head: str | None
) -> list[dict[str, Any]]:
    patients = [
        Patient(registry, name, timedelta(0)) for name in wanted_names(registry, model, equipment)
    ]
    only = patients[0].name if model is not None else None
    elsewhere = renamed(registry, only)
    tags = tag_findings(registry, only, concerned(elsewhere))
    checked = [_verified(patient) for patient in patients]
    if head and not any(_holds(patient, head) for patient in patients):
        _add_missing_head(checked, head, one_model=model is not None)
    others = (*half_done(registry, only), *machines.twice(registry, only))
    for one in (*elsewhere, *tags, *others):
        checked.append(_about(one.where, f"{one.message}: {one.remedy}"))
    return checked


def _holds(patient: Patient, head: str) -> bool:
    return head in {entry.sha256 for entry in patient.chain.entries.values()}


def _add_missing_head(checked: list[dict[str, Any]], head: str, *, one_model: bool) -> None:
    lacks = f"no entry has SHA-256 {head[:12]}…"
    if one_model:
        checked[0]["problems"].append(lacks)
        return
    checked.append(_about("every journal", lacks))


def _about(name: str, problem: str) -> dict[str, Any]:
    """A problem that is not one of a single journal."""
    return {
        "name": name,
        "champion": None,
        "entries": 0,
        "head": None,
        "problems": [problem],
        "unchecked": [],
    }


def wanted_names(registry: Registry, model: str | None, equipment: str | None) -> list[str]:
    """Names of everything known, or of the one model asked for.

    Raises:
        RegistryError: there is none of that name.
    """
    known = registry.known_names()
    if model is None:
        return known
    name = machines.find(registry, model, equipment)
    if name not in known:
        raise RegistryError(
            "There is no registered model of that name",
            received={"name": name, "known": known},
            remedy="List them with `faultxfer registry list`; name a machine with --equipment",
        )
    return [name]


def _verified(patient: Patient) -> dict[str, Any]:
    problems = [*patient.chain.problems, *_alias_problems(patient)]
    unchecked: list[str] = []
    number = patient.champion
    if number is not None and number in patient.versions:
        found = patient.files(number)
        if found.state == CHANGED:
            problems.append(found.problem)
        elif not found.is_sound:
            unchecked.append(found.problem)
        problems += _pending(patient, number)
    problems += [f"{one.where}: {one.message}" for one in edited_tags(patient)]
    problems += _replaced(patient)
    return {
        "name": patient.name,
        "champion": patient.alias,
        "entries": len(patient.chain.entries),
        "head": patient.chain.head if patient.chain.last else None,
        "problems": problems,
        "unchecked": unchecked,
    }


def _alias_problems(patient: Patient) -> list[str]:
    last, alias, number = patient.chain.last, patient.alias, patient.champion
    if not patient.registry.is_registered(patient.name):
        if number is None:
            return []
        return [f"there is a journal with champion {number}, and its model is not in the list"]
    problems = []
    if last is None and alias is not None:
        problems.append("there is a champion and no journal")
    if last and alias != last.to_version:
        problems.append(
            f"the journal names version {last.to_version or 'none'}, the alias {alias or 'none'}"
        )
    if number is not None and number not in patient.versions:
        problems.append(f"version {number} does not exist")
    return problems


def _pending(patient: Patient, number: str) -> list[str]:
    found = pending_deletions(patient.registry, patient.versions[number])
    return [f"{one.message}: {one.remedy}" for one in found]


def _replaced(patient: Patient) -> list[str]:
    """A champion that the doctor took away, and whose files are there again."""
    number = replaced_by_doctor(patient.chain)
    if number is None or number not in patient.versions or not patient.files(number).is_sound:
        return []
    command = f"`faultxfer registry restore {names.as_arguments(patient.name)}`"
    return [
        f"version {number} was champion until its files were changed, and they are sound again: {command}"
    ]


@reported("the tracking store")
def repair_registry(
    model: str | None,
    equipment: str | None,
    *,
    dry_run: bool = False,
    apply: bool = False,
    minutes: float = 60.0,
    upload_days: float = 7.0,
) -> dict[str, Any]:
    """Find what is half done or damaged, and mend it.

    Args:
        model: source model; None for everything that is registered.
        equipment: one of its machines.
        dry_run: only say what would be done.
        apply: also do what takes away: retire, go back to an earlier champion, delete.
        minutes: how old a registration by another host must be to count as broken off.
        upload_days: how long uploads that nothing names are kept.

    Raises:
        RegistryError: the store does not answer, or the model is unknown.
    """
    registry = open_registry() if dry_run else open_to_change(repairing=True)
    name = None if model is None else wanted_names(registry, model, equipment)[0]
    grace, kept = timedelta(minutes=minutes), timedelta(days=upload_days)
    orders = doctor.Orders(name, apply=apply, dry_run=dry_run, grace=grace, kept=kept)
    done = doctor.repair(registry, orders)
    return {"dry_run": dry_run, "apply": apply, **doctor.as_data(done)}
