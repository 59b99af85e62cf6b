"""Change, check and mend what is registered; nothing here loads a network."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from itertools import chain as chain_of
from typing import Any

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.registry import journal, machines, merging, names
from faultxfer.registry.asking import reported
from faultxfer.registry.doctor import Ill, examine, files_problem
from faultxfer.registry.machine_tags import tag_findings
from faultxfer.registry.promotion import Promotion, examined_journal, promote, require_recorded_files, settle, standing
from faultxfer.registry.provenance import code
from faultxfer.registry.smoke import smoke_test
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.registry.succession import earlier_champions, next_in_line
from faultxfer.steps.progress import progress


def promote_version(model: str, equipment: str | None, number: int, reason: str) -> dict[str, Any]:
    """Make a registered version champion, by hand.

    Raises:
        RegistryError: there is no such version, or it is retired.
        BundleError: as loaded from the registry it does not score as it did.
        ConfigError: no reason is given.
        ChampionMovedError: somebody else promoted meanwhile.
    """
    _require_reason(reason)
    registry = open_registry()
    name = machines.find(registry, model, equipment, changing=True)
    stands = standing(registry, name)
    version = _promotable(registry, name, number)
    if stands.champion and stands.champion.version == version.version:
        settle(registry, name)
        return _changed("unchanged", name, stands.champion, version)
    require_recorded_files(journal.read_journal(registry.client, name), version)  # before anything is parsed
    progress.info("Loading %s back from the registry", version.uri)
    smoke_test(registry, version)
    promote(registry, version, Promotion(reason, code(), head=stands.head))
    return _changed("promoted", name, stands.champion, version)


def roll_back(model: str, equipment: str | None, number: int | None, reason: str) -> dict[str, Any]:
    """Go back to the champion before the present one, or to the earlier one asked for.

    Its files are compared with what was registered, so that it scores bit for bit as it did.

    Raises:
        RegistryError: there is no earlier champion, or its files are not those that were registered.
        ConfigError: no reason is given.
        ChampionMovedError: somebody else promoted meanwhile.
    """
    _require_reason(reason)
    registry = open_registry()
    name = machines.find(registry, model, equipment, changing=True)
    stands = standing(registry, name)
    chain = journal.read_journal(registry.client, name)
    version = _earlier(registry, name, chain, number)
    problem = files_problem(registry, version, chain)
    if problem:
        raise RegistryError(
            "An earlier champion with the files that were registered was expected",
            received={"version": version.version, "problem": problem},
            remedy="Name another one with --to, or run `faultxfer registry doctor`",
        )
    promote(registry, version, Promotion(reason, code(), head=stands.head, action=journal.ROLLBACK))
    return _changed("rolled back", name, stands.champion, version)


def read_entries(model: str, equipment: str | None) -> list[dict[str, Any]]:
    """The journal, newest first.

    Raises:
        RegistryError: there is none.
    """
    registry = open_registry()
    name = machines.find(registry, model, equipment)
    chain = journal.read_journal(registry.client, name)
    if not chain.entries and not chain.problems:
        raise RegistryError(
            "A model with a journal was expected",
            received={"model": name, "known": [entry["name"] for entry in registry.models()]},
            remedy="List them with `faultxfer registry list`; `faultxfer registry doctor` begins a missing journal",
        )
    entries = [{"entry": number, **asdict(one), "sha256": one.sha256} for number, one in chain.entries.items()]
    return entries[::-1]


def verify_registry(model: str | None, equipment: str | None, head: str | None) -> dict[str, Any]:
    """Whether each journal is whole, and each champion is the one that its journal names, with the files it names.

    Args:
        model: source model; None for everything that is registered.
        equipment: one of its machines.
        head: SHA-256 of the newest entry, as kept elsewhere; the journal, or one of them all, must hold that entry.

    Raises:
        RegistryError: the model is unknown.
    """
    registry = open_registry()
    chains = {name: examined_journal(registry, name) for name in _wanted(registry, model, equipment)}
    checked = [_verified(registry, name, chain) for name, chain in chains.items()]
    if head and head not in {entry.sha256 for chain in chains.values() for entry in chain.entries.values()}:
        lacks = f"no entry has SHA-256 {head[:12]}…"
        if model:
            checked[0]["problems"].append(lacks)
        else:
            checked.append(_about("every journal", lacks))
    only = next(iter(chains)) if model else None
    checked += [_about(one.where, one.message) for one in machines.twice(registry, only)]
    return {"sound": all(not one["problems"] for one in checked), "models": checked}


def _about(name: str, problem: str) -> dict[str, Any]:
    """A problem that is not one of a single model."""
    return {"name": name, "champion": None, "entries": 0, "head": None, "problems": [problem]}


def _wanted(registry: Registry, model: str | None, equipment: str | None) -> list[str]:
    """Everything known, or the one model asked for."""
    known = registry.known_names()
    if model is None:
        return known
    name = machines.find(registry, model, equipment)
    if name not in known:
        raise RegistryError(
            "A registered model was expected",
            received={"name": name, "known": known},
            remedy="List them with `faultxfer registry list`; name a machine with --equipment",
        )
    return [name]


def _verified(registry: Registry, name: str, chain: journal.Chain) -> dict[str, Any]:
    problems = list(chain.problems)
    versions = {version.version: version for version in registry.versions(name)}
    alias, last = registry.alias(name), chain.last
    number = last.to_version if last else alias
    if last is None and alias is not None:
        problems.append("there is a champion and no journal")
    if last and alias != last.to_version:
        problems.append(f"the journal names version {last.to_version or 'none'}, the alias {alias or 'none'}")
    if number is not None and number not in versions:
        problems.append(f"version {number} does not exist")
    elif number is not None:
        problem = files_problem(registry, versions[number], chain)
        problems += [problem] if problem else []
    return {
        "name": name,
        "champion": alias,
        "entries": len(chain.entries),
        "head": chain.head if last else None,
        "problems": problems,
    }


def heal_registry(model: str | None, equipment: str | None, *, dry_run: bool, minutes: float) -> dict[str, Any]:
    """Find what is half done or damaged, and finish it or take it back.

    Args:
        model: source model; None for everything that is registered.
        equipment: one of its machines.
        dry_run: only say what would be done.
        minutes: how old a registration by another host must be to count as broken off.

    Raises:
        RegistryError: the store does not answer, or the model is unknown.
    """
    registry = open_registry()
    name = None if model is None else _wanted(registry, model, equipment)[0]
    with reported("the tracking store"):
        ills = chain_of(
            tag_findings(registry, name),
            merging.half_done(registry, name),
            examine(registry, name, timedelta(minutes=minutes)),
            machines.twice(registry, name),
        )
        found = [{**ill.as_dict(), "done": _mended(ill, dry_run=dry_run)} for ill in ills]
    return {"dry_run": dry_run, "found": found, "sound": all(one["done"].startswith("done") for one in found)}


def _mended(ill: Ill, *, dry_run: bool) -> str:
    if ill.mend is None:
        return "needs a person"
    if dry_run:
        return "would " + ill.remedy
    ill.mend()
    return "done: " + ill.remedy


def _promotable(registry: Registry, name: str, number: int) -> Version:
    version = registry.version(name, number)
    state = version.tags.get(names.STATE)
    if state in (names.RETIRED, names.CANDIDATE):
        raise RegistryError(
            "A version that was registered whole was expected",
            received={"version": version.version, "state": state},
            remedy="Choose another version, or transfer again",
        )
    return version


def _earlier(registry: Registry, name: str, chain: journal.Chain, number: int | None) -> Version:
    versions = {version.version: version for version in registry.versions(name)}
    sound = [key for key, one in versions.items() if not one.is_retired]
    earlier, after = earlier_champions(chain, sound), next_in_line(chain, sound)
    if number is None and after:
        return versions[after[0]]
    if number is not None and str(number) in earlier:
        return versions[str(number)]
    raise RegistryError(
        f"An earlier champion of {name!r} was expected",
        received={"to": number, "earlier champions": earlier},
        remedy="Name one of them with --to, even if somebody went back from it before"
        if earlier
        else "Transfer again; `faultxfer registry promote` takes any registered version",
    )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ConfigError(
            "A reason was expected", received={"reason": reason}, remedy="Say why in a few words: the journal keeps it"
        )


def _changed(outcome: str, name: str, before: Version | None, after: Version) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "registered": name,
        "from": before.version if before else None,
        "to": after.version,
        "uri": after.uri,
    }
