"""Delete old versions and refused runs that nobody needs; nothing here loads a network."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.progress import progress
from faultxfer.registry import machines, names
from faultxfer.registry.checking import wanted_names
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.model_checks import Patient
from faultxfer.registry.pruning import (
    Rules,
    Surplus,
    Uses,
    delete_run,
    delete_version,
    surplus_runs,
    surplus_versions,
    uses_of_versions,
)
from faultxfer.registry.rights import open_to_change
from faultxfer.registry.store import Registry, open_registry


@reported("the tracking store")
def prune_registry(
    model: str | None, equipment: str | None, *, keep: int, days: float, apply: bool
) -> dict[str, Any]:
    """List what is old and what nobody needs, and delete it where that is asked for.

    Args:
        model: source model; None for everything that is registered.
        equipment: one of its machines.
        keep: newest versions and refused runs of each model that stay, and sound earlier champions to go back to.
        days: age from which the others go.
        apply: delete them; else only list them.

    Returns:
        ``versions`` and ``runs``, each with what was ``done``, and ``skipped``: models that were left alone, and why.

    Raises:
        ConfigError: the rules would keep nothing.
        RegistryError: the model is unknown, or the store does not answer.
    """
    rules = _rules(keep, days)
    registry = open_to_change() if apply else open_registry()
    refusals = _refusals(registry, model, equipment)
    wanted = _wanted(registry, model, equipment, refused_only=bool(refusals))
    progress.info("Looking for old versions of %d model(s)", len(wanted))
    uses = uses_of_versions(registry)
    result: dict[str, Any] = {"applied": apply, "versions": [], "runs": [], "skipped": []}
    for name in wanted:
        _prune(registry, name, rules, uses, result)
    for refusal in surplus_runs(refusals, rules):
        if apply:
            delete_run(registry, refusal["run_id"])
        result["runs"].append({**refusal, "done": _done(apply)})
    return result


def _refusals(registry: Registry, model: str | None, equipment: str | None) -> list[dict[str, Any]]:
    """Refused runs of everything, or of one model under its name of now and that of older releases."""
    if model is None:
        return registry.refusals(None)
    wanted = {machines.look_up(registry, model, equipment), names.registered_name(model, equipment)}
    found = [refusal for name in wanted if name for refusal in registry.refusals(name)]
    return sorted(found, key=lambda refusal: str(refusal["created"]), reverse=True)


def _rules(keep: int, days: float) -> Rules:
    if keep < 1 or days < 0:
        raise ConfigError(
            "At least one version to go back to is kept, and an age is no negative number",
            received={"keep": keep, "older-than": days},
            remedy="Type `faultxfer registry prune --keep 5 --older-than 180`",
        )
    return Rules(keep, timedelta(days=days))


def _wanted(
    registry: Registry, model: str | None, equipment: str | None, *, refused_only: bool
) -> list[str]:
    """The models asked for; none where every candidate of the one asked for was refused."""
    try:
        return wanted_names(registry, model, equipment)
    except RegistryError:
        if not refused_only:
            raise
        return []


def _prune(registry: Registry, name: str, rules: Rules, uses: Uses, result: dict[str, Any]) -> None:
    patient = Patient(registry, name, timedelta(0))
    problem = _why_not(patient)
    if problem:
        result["skipped"].append({"registered": name, "why": problem})
        return
    if patient.chain.last is None:  # nobody was champion, so nobody can say what was needed
        return
    for surplus in surplus_versions(patient, rules, uses):
        deleted = result["applied"] and delete_version(registry, surplus)
        done = (
            "kept: it became champion meanwhile"
            if result["applied"] and not deleted
            else _done(deleted)
        )
        result["versions"].append({**_as_data(surplus), "done": done})


def _why_not(patient: Patient) -> str:
    """Why a model is left alone; empty where it is not."""
    if patient.chain.problems:
        return "Its journal was changed from outside; see `faultxfer registry verify`"
    if patient.alias is not None and patient.chain.last is None:
        return "It has no journal; `faultxfer registry doctor` begins one"
    return ""


def _as_data(surplus: Surplus) -> dict[str, Any]:
    version = surplus.version
    return {
        "registered": version.name,
        "version": version.version,
        "created": version.created,
        "last_used": surplus.last_used.isoformat(timespec="seconds"),
        "reason": surplus.reason,
        "files": f"stay for {', '.join(surplus.named_by)}" if surplus.named_by else "go with it",
    }


def _done(deleted: bool) -> str:
    return "deleted" if deleted else "with --apply: delete it"
