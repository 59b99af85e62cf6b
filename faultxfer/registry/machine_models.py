"""Registered models of machines: what each detects, and where a machine has two champions."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from faultxfer.registry import names
from faultxfer.registry.diagnosis import Diagnosis
from faultxfer.registry.identity import Identity, identity_of, known_identity, telling_version
from faultxfer.registry.journal import Chain, Wait, read_journal
from faultxfer.registry.store import Registry, Version


@dataclass(frozen=True)
class MachineModel:
    """A machine's registered model.

    Attributes:
        name: of the registered model.
        equipment: the machine.
        identity: what it detects; None where neither files nor tags can say.
        champion: number of the champion's version by the journal, or by the alias where there is no
            journal.
        provisional: number of the version that it is scored with while nobody is champion.
        waiting: the version that waits for a person's approval; None where none does.
        since: when it became champion (ISO 8601); empty where nobody is.
        source: the source model of the champion, else of the newest version.
        sources: source models of all its versions.
        merged_into: the model that its champion stepped down for.
        versions: how many there are.
    """

    name: str
    equipment: str
    identity: Identity | None
    champion: str | None
    provisional: str | None
    waiting: Wait | None
    since: str
    source: str | None
    sources: frozenset[str]
    merged_into: str | None
    versions: int


def machine_named(registry: Registry, name: str) -> MachineModel:
    """What is known of a machine's registered model, also where only its journal is left."""
    versions, chain = registry.versions(name), read_journal(registry.client, name)
    version = telling_version(versions, chain)
    tags = version.tags if version else {}
    of_name = names.source_in(name)
    sources = {of_name, *(one.tags.get(names.SOURCE_MODEL) for one in versions)}
    number = chain.champion if chain.last else registry.alias(name)
    return MachineModel(
        name=name,
        equipment=names.equipment_of(name) or tags.get(names.EQUIPMENT) or name,
        identity=known_identity(registry, name, version),
        champion=number,
        provisional=chain.provisional,
        waiting=chain.waits.get(chain.waiting or ""),
        since=_since(chain, version) if number else "",
        source=tags.get(names.SOURCE_MODEL) or of_name,
        sources=frozenset(source for source in sources if source),
        merged_into=chain.merged_into,
        versions=len(versions),
    )


def _since(chain: Chain, version: Version | None) -> str:
    """When the champion became it; without a journal, when its version was made."""
    if chain.last_change is not None:
        return chain.last_change.at
    return version.created if version else ""


def all_machines(registry: Registry) -> list[MachineModel]:
    """Every machine's model, by name, also those of which only the journal is left."""
    known = [name for name in registry.known_names() if names.kind_of(name) == names.TARGET_KIND]
    return [machine_named(registry, name) for name in known]


def siblings(registry: Registry, name: str) -> list[MachineModel]:
    """The other models of the same machine, for the same family and label."""
    if names.kind_of(name) != names.TARGET_KIND:
        return []
    one = machine_named(registry, name)
    if one.identity is None:
        return []
    alike = [other for other in registry.named_like(one.equipment) if other != name]
    others = [machine_named(registry, other) for other in alike]
    return [other for other in others if other.identity == one.identity]


def double_champions(registry: Registry, only: str | None = None) -> Iterator[Diagnosis]:
    """Machines with more than one champion for the same family and label.

    Args:
        registry: where.
        only: what concerns this registered model; None for everything.
    """
    groups: dict[tuple[str, Identity], list[MachineModel]] = defaultdict(list)
    for one in all_machines(registry):
        if one.champion is not None and one.identity is not None:
            groups[one.equipment, one.identity].append(one)
    for (equipment, identity), found in groups.items():
        if len(found) > 1 and only in (None, *(one.name for one in found)):
            shown = listed(one.name for one in found)
            message = f"{equipment} has {len(found)} champions for {identity}: {shown}"
            remedy = f"Decide which one stays: `{merge_command(registry, found)}`"
            yield Diagnosis("CHAMPION-TWICE", equipment, message, remedy)


def merge_command(registry: Registry, found: list[MachineModel]) -> str:
    """What to type where a machine has several champions; it keeps the newest, as a proposal."""
    newest = max(found, key=lambda machine: machine.since)
    sources = sorted(
        {one.source for one in found if one.source}, key=lambda source: source != newest.source
    )
    fitting = [one for one in sources if identity_of(registry, one) == newest.identity]
    if fitting:
        which = f"{shlex.quote(fitting[0])} --equipment {shlex.quote(newest.equipment)}"
    else:
        which = shlex.quote(newest.name)
    return f'faultxfer registry merge {which} --reason "…" --keep {shlex.quote(newest.name)}'


def listed(found: Iterable[str]) -> str:
    """Names as a message shows them."""
    return ", ".join(repr(name) for name in sorted(found))
