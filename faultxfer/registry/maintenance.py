"""Change what is registered, by hand; :mod:`faultxfer.registry.checking` checks it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.progress import progress
from faultxfer.registry import journal, machines, names
from faultxfer.registry.inspection import inspect_files
from faultxfer.registry.machines import wanted_names
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.model_view import ModelView
from faultxfer.registry.promotion import (
    Promotion,
    follow_journal,
    promote,
    standing,
    step_down,
    write_note,
)
from faultxfer.registry.provenance import code
from faultxfer.registry.repairs import bring_back, bring_back_champion
from faultxfer.registry.rights import open_to_change, require_rights
from faultxfer.registry.smoke import expect_smoke_test, smoke_test
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.registry.succession import (
    earlier_champions,
    ended_by_retirement,
    next_in_line,
    replaced_by_doctor,
)
from faultxfer.registry.waiting import end_expired, promotion_by_hand

_SOUND = "The files are those that were registered"


@reported("the tracking store")
def promote_version(model: str, equipment: str | None, number: int, reason: str) -> dict[str, Any]:
    """Make a registered version champion, by hand; where it waits for approval, this is it.

    Raises:
        RegistryError: there is no such version, its registration was broken off, or it was never
            approved and whoever started it would promote it.
        BundleError: as loaded from the registry it does not score as it did.
        ConfigError: no reason is given.
        ChampionMovedError: somebody else promoted meanwhile.
    """
    require_reason(reason)
    registry, name = opened(model, equipment)
    return promote_by_hand(registry, name, number, reason)


def promote_by_hand(
    registry: Registry, name: str, number: int, reason: str, *, head: str | None = None
) -> dict[str, Any]:
    """Make a version champion, smoke-tested first.

    Args:
        registry: open for a change.
        name: registered model.
        number: which version.
        reason: in a sentence.
        head: the entry that the person decided on; None where it holds whoever is champion.

    Raises:
        RegistryError, BundleError, ChampionMovedError: see :func:`promote_version`.
    """
    expect_smoke_test()
    end_expired(registry, name)
    current = standing(registry, name)
    if head not in (None, current.head):
        raise journal.moved(name)
    version = _promotable(registry, name, number)
    if current.champion and current.champion.version == version.version:
        follow_journal(registry, name)
        return _changed("unchanged", name, current.champion, version)
    chain = journal.read_journal(registry.client, name)
    why = promotion_by_hand(chain, version, reason, current.head)
    progress.info("Loading %s back from the registry", version.uri)
    smoke_test(registry, version)
    promote(registry, version, why)
    outcome = "approved" if journal.APPROVAL in why.details else "promoted"
    return _changed(outcome, name, current.champion, version)


@reported("the tracking store")
def roll_back(model: str, equipment: str | None, number: int | None, reason: str) -> dict[str, Any]:
    """Go back to the champion before the present one, or to the earlier one asked for.

    Its files are compared with what was registered, so that it scores bit for bit as it did.

    Raises:
        RegistryError: there is no earlier champion, or its files are not those that were
            registered.
        ConfigError: no reason is given.
        ChampionMovedError: somebody else promoted meanwhile.
    """
    require_reason(reason)
    registry, name = opened(model, equipment)
    current = standing(registry, name)
    chain = journal.read_journal(registry.client, name)
    version = _earlier(registry, name, chain, number)
    found = inspect_files(registry, version, chain)
    if not found.is_sound:
        raise RegistryError(
            f"Version {version.version} did not become champion: its files are {found.state}",
            received={"version": version.version, "problem": found.problem},
            remedy="Name another one with --to, or type `faultxfer registry doctor`",
        )
    promote(
        registry, version, Promotion(reason, code(), head=current.head, action=journal.ROLLBACK)
    )
    return _changed("rolled back", name, current.champion, version)


@reported("the tracking store")
def retire_version(model: str, equipment: str | None, number: int, reason: str) -> dict[str, Any]:
    """Say that a version is not to be used any more; `restore_versions` takes it back.

    Where it is the champion, the version that it took over from follows, if its files are sound, or
    nobody.

    Raises:
        RegistryError: there is no such version, or the journal was changed from outside.
        ConfigError: no reason is given.
        ChampionMovedError: somebody else promoted meanwhile.
    """
    require_reason(reason)
    registry, name = opened(model, equipment, whoever_is_champion=True)
    version = registry.version(name, number)
    view = ModelView(registry, name)
    current = standing(registry, name)
    if current.champion is None or current.champion.version != version.version:
        write_note(registry, name, journal.RETIRE, version.version, reason)
        return _retired(version, current.champion, current.champion)
    details = {**code(), journal.VERSION: version.version}
    line = next_in_line(view.chain, view.sound)
    if not line:
        step_down(registry, name, reason, current.head, details=details)
        return _retired(version, version, None)
    follower = view.versions[line[0]]
    change = Promotion(reason, details, head=current.head, action=journal.ROLLBACK)
    promote(registry, follower, change)
    write_note(registry, name, journal.RETIRE, version.version, reason)
    return _retired(version, version, follower)


def _retired(version: Version, before: Version | None, after: Version | None) -> dict[str, Any]:
    back = f"{_restore_command(version.name)} --version {version.version}"
    changed = _changed("retired", version.name, before, after)
    return {**changed, "version": version.version, "take_back": back}


@reported("the tracking store")
def restore_versions(
    model: str | None, equipment: str | None, number: int | None, reason: str
) -> dict[str, Any]:
    """Take back retirements where the files are sound, and bring back the champion they ended.

    Args:
        model: source model; None for everything that the doctor retired.
        equipment: one of its machines.
        number: the one version; None for all that are retired.
        reason: for the journal; a sentence of our own where it is empty.

    Returns:
        ``restored``: versions and champions that are back; ``left``: those that are not, each with
            the reason.
    """
    registry = open_to_change()
    wanted = wanted_names(registry, model, equipment)
    restored: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    for name in wanted:
        view = ModelView(registry, name)
        try:
            _restore_model(view, number, reason, restored, left, of_persons=model is not None)
        except RegistryError as error:  # the others go on
            refused = {
                "version": number,
                "champion": False,
                "state": "refused",
                "problem": str(error),
            }
            left.append({"registered": name, **refused})
    return {"restored": restored, "left": left}


def _restore_model(
    view: ModelView,
    number: int | None,
    reason: str,
    restored: list[dict[str, Any]],
    left: list[dict[str, Any]],
    *,
    of_persons: bool,
) -> None:
    journal.require_whole(view.chain, view.name)
    returning = _returning(view, number)
    for version in _to_restore(view, number, of_persons=of_persons):
        entry = {"registered": view.name, "version": version, "champion": False}
        found = view.files(version)
        if not found.is_sound:
            left.append({**entry, "state": found.state, "problem": found.problem})
        elif version == returning:
            bring_back_champion(view.registry, view.name, version, reason or _SOUND)
            restored.append({**entry, "champion": True})
        elif view.is_retired(version):
            bring_back(view.registry, view.name, version, reason or _SOUND)
            restored.append(entry)


def _to_restore(view: ModelView, number: int | None, *, of_persons: bool) -> list[str]:
    """Numbers of versions whose retirement is taken back, and of the champion that it ended."""
    if number is not None:
        # Raises an error where there is no such version.
        view.registry.version(view.name, number)
        return [str(number)]
    retirements = view.chain.retirements
    by_persons = {version for version, entry in retirements.items() if not entry.is_by_doctor}
    ended = replaced_by_doctor(view.chain)
    retired = {version for version in view.versions if view.is_retired(version) or version == ended}
    wanted = retired if of_persons else retired - by_persons
    return [version for version in view.versions if version in wanted]


def _returning(view: ModelView, number: int | None) -> str | None:
    """The version that is champion again: the first ended by retirement whose files are sound."""
    ended = [replaced_by_doctor(view.chain), *ended_by_retirement(view.chain)]
    asked = [
        version for version in ended if version in view.versions and number in (None, int(version))
    ]
    return next((version for version in asked if view.files(version).is_sound), None)


@reported("the tracking store")
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
            "This model has no journal",
            received={"model": name, "known": [entry["name"] for entry in registry.models()]},
            remedy="List them with `faultxfer registry list`; `faultxfer registry doctor` begins a "
            "missing journal",
        )
    entries = [
        {"entry": number, **asdict(one), "sha256": one.sha256}
        for number, one in chain.entries.items()
    ]
    return entries[::-1]


def opened(
    model: str, equipment: str | None, *, whoever_is_champion: bool = False
) -> tuple[Registry, str]:
    """The registry, open for a change of this model, and the model's registered name.

    Args:
        model: as the user named it.
        equipment: one of its machines.
        whoever_is_champion: whether a model that was merged into another may be meant, by its whole
            name.
    """
    registry = open_to_change()
    merged = whoever_is_champion and equipment is None
    name = machines.find(registry, model, equipment, changing=not merged)
    require_rights(registry, name)
    return registry, name


def _promotable(registry: Registry, name: str, number: int) -> Version:
    version = registry.version(name, number)
    state = version.tags.get(names.STATE)
    if state == names.CANDIDATE:
        raise RegistryError(
            "This version was not registered whole",
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
    remedy = "Transfer again; `faultxfer registry promote` takes any registered version"
    retired = sorted(set(versions) - set(sound), key=int)
    if earlier:
        remedy = "Name one of them with --to, even if somebody went back from it before"
    elif retired:
        remedy = f"Take back retirements, where the files are sound: `{_restore_command(name)}`"
    raise RegistryError(
        f"There is no such earlier champion of {name!r}",
        received={"to": number, "earlier champions": earlier, "retired": retired},
        remedy=remedy,
    )


def _restore_command(name: str) -> str:
    return f"faultxfer registry restore {names.as_arguments(name)}"


def require_reason(reason: str) -> None:
    """There must be one, and one that can be kept.

    Raises:
        ConfigError: it is empty, or holds bytes that are no text.
    """
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            "The reason holds characters that are no text in UTF-8",
            received={"reason": reason.encode("ascii", "backslashreplace").decode()},
            remedy="Type it again without them, or set the terminal to UTF-8",
        ) from error
    if not reason.strip():
        raise ConfigError(
            "No reason was given",
            received={"reason": reason},
            remedy="Say why in a few words: the journal keeps it",
        )


def _changed(
    outcome: str, name: str, before: Version | None, after: Version | None
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "registered": name,
        "from": before.version if before else None,
        "to": after.version if after else None,
        "uri": after.uri if after else None,
    }
