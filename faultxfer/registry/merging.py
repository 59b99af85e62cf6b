"""Merge a machine's models: one champion stays, the others step down and can be brought back.

Two journals cannot be written at once. So the one that stays is written first, with a note that
names what shall happen to the other and on which of its entries; who finds the note alone finishes
what it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from faultxfer.errors import RegistryError
from faultxfer.progress import progress
from faultxfer.registry import journal, names
from faultxfer.registry.diagnosis import RESTORES, Diagnosis
from faultxfer.registry.inspection import inspect_files
from faultxfer.registry.journal import Chain, Entry, read_journal, read_whole
from faultxfer.registry.machine_models import MachineModel
from faultxfer.registry.machines import group_of
from faultxfer.registry.maintenance import require_reason
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.promotion import Promotion, examined_journal, note, promote, step_down
from faultxfer.registry.rights import open_to_change
from faultxfer.registry.store import Registry, Version
from faultxfer.registry.succession import next_in_line

# Keys of an entry's details. Of the note in the journal that stays: who steps down, and the last
# entry of its journal.
_MERGED, _MERGED_HEAD = "merged", "merged_head"
# Of the entry in the other's: which version, and for which model.
_VERSION, _INTO = "version", "into"
# Of the note after a champion was brought back: whose, and the entry that did it.
_RESTORED, _RESTORED_HEAD = "restored", "restored_head"


@dataclass(frozen=True)
class Merged:
    """What a merge, or taking one back, has changed.

    Attributes:
        kept: the model whose champion stays; version: the number of that champion, None where it
            has none by now.
        others: models that stepped down or came back, each with the number of its version.
    """

    kept: str
    version: str | None
    others: tuple[tuple[str, str], ...]


@reported("the tracking store")
def merge_machine(
    model: str, equipment: str | None, reason: str, *, keep: str | None = None, undo: bool = False
) -> dict[str, Any]:
    """Let all champions of a machine but one step down, or bring them back; loads no network.

    Args:
        model: a source model; or, without ``equipment``, the whole name of one of the machine's
            models.
        equipment: the machine.
        reason: in a sentence; the journals keep it.
        keep: the model that stays; with ``undo`` the one that comes back.
        undo: bring back those that stepped down.

    Raises:
        RegistryError: there is nothing to merge, or files are not as they were registered.
        ConfigError: no reason is given.
        ChampionMovedError: somebody promoted meanwhile.
    """
    require_reason(reason)
    registry = open_to_change()
    change = undo_merge if undo else merge
    merged = change(registry, model, equipment, reason, keep)
    done = "restored" if undo else "merged"
    return {
        "outcome": done if merged.others else "unchanged",
        "kept": merged.kept,
        "champion": merged.version,
        "use": _address(merged.kept),
        "models": [
            {"name": name, "version": number, "address": _address(name)}
            for name, number in merged.others
        ],
    }


def _address(name: str) -> str:
    return f"models:/{name}@champion"


def merge(
    registry: Registry, model: str, equipment: str | None, reason: str, keep: str | None = None
) -> Merged:
    """Leave a machine one champion; finishes a merge that was broken off.

    Args:
        registry: where.
        model: a source model; or, without ``equipment``, the whole name of one of the machine's
            models.
        equipment: the machine.
        reason: in a sentence; the journals keep it.
        keep: the model that stays; None for ``MODEL--EQUIPMENT`` where it is one of them, else for
            the newest.

    Raises:
        RegistryError: the machine has one champion only, or the files of the one that stays are not
            sound.
        ChampionMovedError: somebody promoted meanwhile.
    """
    group = group_of(registry, model, equipment)
    live = [one for one in group if one.champion is not None]
    kept = _kept(live, names.registered_name(model, equipment) if equipment else None, keep)
    others = [one for one in live if one.name != kept.name]
    if not others:
        if not any(one.merged_into is not None for one in group):
            raise _one_only(kept)
        return Merged(kept.name, kept.champion, ())
    _require_sound(registry, kept)
    _require_whole(registry, kept.name, *(one.name for one in others))
    for one in others:
        head = _announce(registry, kept.name, one, reason)
        _step_down(registry, one.name, kept.name, head, reason)
    return Merged(kept.name, kept.champion, tuple((one.name, str(one.champion)) for one in others))


def undo_merge(
    registry: Registry, model: str, equipment: str | None, reason: str, only: str | None = None
) -> Merged:
    """Bring back the champions that stepped down by a merge.

    Args:
        registry: where.
        model: as in :func:`merge`.
        equipment: the machine.
        reason: in a sentence; the journals keep it.
        only: the one model to bring back; None for all.

    Raises:
        RegistryError: none stepped down, or the files of one that did are not those of its journal.
        ChampionMovedError: somebody promoted meanwhile.
    """
    group = group_of(registry, model, equipment)
    merged = [one for one in group if one.merged_into is not None and only in (None, one.name)]
    if not merged:
        raise RegistryError(
            "No model of this machine has stepped down by a merge"
            if only is None
            else "This model was not merged",
            received={
                "models": sorted(one.name for one in group),
                **({"name": only} if only else {}),
            },
            remedy="See the journals with `faultxfer registry journal NAME`",
        )
    # All is checked before the first write, as two journals cannot be written at once.
    for one in merged:
        _require_whole(registry, one.name, str(one.merged_into))
        _require_champion_there(registry, str(one.merged_into))
    back = [(one, _version_to_restore(registry, one)) for one in merged]
    for one, version in back:
        into = str(one.merged_into)
        _restore(registry, version, into, reason)
        _note_restored(registry, one.name, into)
    kept = str(merged[0].merged_into)
    champion = read_journal(registry.client, kept).champion
    return Merged(kept, champion, tuple((one.name, version.version) for one, version in back))


def unfinished_merges(registry: Registry, only: str | None = None) -> Iterator[Diagnosis]:
    """Merges, and takings back, of which only one of the two journals knows.

    Args:
        registry: where.
        only: what concerns this registered model; None for everything.
    """
    machines = [name for name in registry.known_names() if names.kind_of(name) == names.TARGET_KIND]
    chains = {name: read_journal(registry.client, name) for name in machines}
    whole = {name: chain for name, chain in chains.items() if not chain.problems}
    for kept, chain in whole.items():
        for loser, reason in _announced(chain, whole):
            if only not in (None, kept, loser):
                continue
            message = (
                f"{kept!r} stays the champion, and {loser!r}, which was merged into it, has not "
                "stepped down yet"
            )
            finish = partial(_step_down, registry, loser, kept, whole[loser].head, reason)
            yield Diagnosis(
                "MERGE-UNFINISHED", loser, message, "finish the merge", finish, RESTORES, loser
            )
    for name, chain in whole.items():
        into = _restored_from(chain)
        if into not in whole or only not in (None, name, into):
            continue
        if not _is_noted(whole[into], chain.last_change):
            message = (
                f"{name!r} was brought back from its merge into {into!r}, whose journal does not "
                "say so"
            )
            finish = partial(_note_restored, registry, name, into)
            yield Diagnosis(
                "MERGE-UNFINISHED", into, message, "write the note", finish, RESTORES, into
            )


def _kept(live: list[MachineModel], legacy: str | None, keep: str | None) -> MachineModel:
    """The model that stays."""
    by_name = {one.name: one for one in live}
    if keep is not None and keep not in by_name:
        raise RegistryError(
            f"{keep!r} is none of this machine's models with a champion",
            received={"models": sorted(by_name)},
            remedy="Name one of them with --keep",
        )
    if not live:
        raise RegistryError(
            "None of this machine's models has a champion",
            remedy="Run `faultxfer registry doctor`, or transfer again",
        )
    newest = max(live, key=lambda one: (one.since, one.name))
    return by_name.get(keep or "") or by_name.get(legacy or "") or newest


def _one_only(kept: MachineModel) -> RegistryError:
    return RegistryError(
        "This machine has one champion, so there is nothing to merge",
        received={"model": kept.name, "champion": kept.champion},
        remedy="See what there is with `faultxfer registry list`",
    )


def _require_sound(registry: Registry, kept: MachineModel) -> None:
    """Nobody steps down for a champion that cannot score."""
    chain = _journal_of(registry, kept.name)
    found = inspect_files(registry, registry.version(kept.name, str(kept.champion)), chain)
    if not found.is_sound:
        raise RegistryError(
            "The files of the champion that would stay changed or cannot be read",
            received={"problem": found.problem},
            where=names.version_uri(kept.name, kept.champion),
            remedy="Repair it first, see `faultxfer registry verify`; or keep another one with "
            "--keep NAME",
        )


def _require_whole(registry: Registry, *models: str) -> None:
    """Nothing is written where one of the journals was changed from outside."""
    for name in models:
        journal.require_whole(examined_journal(registry, name), name)


def _require_champion_there(registry: Registry, name: str) -> None:
    """An entry names the champion's version, which must be there."""
    champion = read_journal(registry.client, name).champion
    if champion in (None, *(one.version for one in registry.versions(name))):
        return
    raise RegistryError(
        "A model of this machine, or its champion's version, was renamed or deleted",
        where=name,
        remedy="Type `faultxfer registry doctor`, then this command again",
    )


def _journal_of(registry: Registry, name: str) -> Chain:
    """A journal to write into; an older model may have none yet."""
    chain = read_whole(registry.client, name)
    if chain.last is None:
        raise RegistryError(
            "This model has no journal yet",
            where=name,
            remedy="Begin it with `faultxfer registry doctor`, then merge",
        )
    return chain


def _announce(registry: Registry, kept: str, other: MachineModel, reason: str) -> str:
    """Note the merge in the journal that stays; returns the entry that the other's must follow."""
    chain, head = _journal_of(registry, kept), _journal_of(registry, other.name).head
    details = {_VERSION: chain.champion, _MERGED: other.name, _MERGED_HEAD: head}
    if not any(entry.details == details for entry in _merge_notes(chain)):
        note(registry, kept, journal.MERGE, reason, chain.head, details)
    return head


def _step_down(registry: Registry, name: str, into: str, head: str, reason: str) -> None:
    """Let a champion step down, unless another one was promoted after ``head``."""
    details = {_VERSION: _journal_of(registry, name).champion, _INTO: into}
    step_down(registry, name, reason, head, action=journal.MERGE, details=details)


def _version_to_restore(registry: Registry, merged: MachineModel) -> Version:
    """The version that stepped down, or the one before it where it was deleted; files sound."""
    chain = _journal_of(registry, merged.name)
    versions = {one.version: one for one in registry.versions(merged.name)}
    if not registry.is_registered(merged.name):
        raise RegistryError(
            "The model that stepped down is not in the registry: it was renamed or deleted",
            where=merged.name,
            remedy="Type `faultxfer registry doctor`, then this command again; or transfer again",
        )
    number = str(chain.last_change.from_version) if chain.last_change else ""
    if number not in versions:
        number = _before(registry, chain, versions, number)
    version = versions[number]
    found = inspect_files(registry, version, chain)
    if not found.is_sound:
        raise RegistryError(
            "The version that stepped down cannot come back: its files changed or cannot be read",
            received={"problem": found.problem},
            where=version.uri,
            remedy="Bring the files back and run it again, or transfer again",
        )
    return version


def _before(registry: Registry, chain: Chain, versions: dict[str, Version], deleted: str) -> str:
    """The version that a deleted one took over from, and whose files are sound."""
    usable = [number for number, one in versions.items() if not one.is_retired]
    sound = [
        number for number in usable if inspect_files(registry, versions[number], chain).is_sound
    ]
    line = next_in_line(chain, sound)
    if not line:
        raise RegistryError(
            "The version that stepped down was deleted, and none of those before it can come back",
            received={"version": deleted, "versions": sorted(versions, key=int)},
            where=chain.last.model if chain.last else "",
            remedy="Transfer again; the present champion stays as it is",
        )
    progress.info(
        "Version %s was deleted; version %s, which it took over from, comes back", deleted, line[0]
    )
    return line[0]


def _restore(registry: Registry, version: Version, into: str, reason: str) -> None:
    head = _journal_of(registry, version.name).head
    details = {_VERSION: version.version, _INTO: into}
    promote(registry, version, Promotion(reason, details, head=head, action=journal.RESTORE))


def _note_restored(registry: Registry, name: str, into: str) -> None:
    """The note in the other journal, if there is one to write into."""
    change, chain = read_whole(registry.client, name).last_change, read_whole(registry.client, into)
    if change is not None and chain.last is not None and not _is_noted(chain, change):
        details = {_VERSION: chain.champion, _RESTORED: name, _RESTORED_HEAD: change.sha256}
        note(registry, into, journal.RESTORE, change.reason, chain.head, details)


def _merge_notes(chain: Chain) -> list[Entry]:
    return [
        entry for entry in chain.entries.values() if entry.is_note and entry.action == journal.MERGE
    ]


def _announced(chain: Chain, whole: dict[str, Chain]) -> Iterator[tuple[str, str]]:
    """Models that a journal says are merged, and that have not changed since; with the reason."""
    for entry in _merge_notes(chain):
        loser = whole.get(str(entry.details.get(_MERGED)))
        if loser is None or loser.last is None or loser.champion is None or chain.champion is None:
            continue
        if loser.head == entry.details.get(_MERGED_HEAD):
            yield loser.last.model, entry.reason


def _restored_from(chain: Chain) -> str | None:
    """The model that the champion of a journal came back from, if that was the last change."""
    change = chain.last_change
    if change is None or change.action != journal.RESTORE or _INTO not in change.details:
        return None
    return str(change.details[_INTO])


def _is_noted(chain: Chain, change: Entry | None) -> bool:
    """Whether a journal has the note on a champion's coming back."""
    wanted = change.sha256 if change else None
    return not chain.entries or any(
        entry.details.get(_RESTORED_HEAD) == wanted for entry in chain.entries.values()
    )
