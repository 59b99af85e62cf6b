"""Which registered model is a machine's: found by family, label column and machine, whatever its name.

Older releases named a machine's model by its source model, and a transfer from another source made a second one. See
``docs/decisions/0013``.
"""

from __future__ import annotations

import logging
import shlex
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from faultxfer.errors import RegistryError
from faultxfer.registry import names
from faultxfer.registry.diagnosis import Diagnosis
from faultxfer.registry.identity import Identity, identity_of, known_identity, telling_version
from faultxfer.registry.journal import read_journal
from faultxfer.registry.store import Registry

# What the command line shows while it works, and a flow run keeps.
_progress = logging.getLogger("faultxfer.progress")


@dataclass(frozen=True)
class Machine:
    """A machine's registered model.

    Attributes:
        name: of the registered model.
        equipment: the machine.
        identity: what it detects; None where neither files nor tags can say.
        champion: number of the champion's version by the journal, or by the alias where there is no journal.
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
    since: str
    source: str | None
    sources: frozenset[str]
    merged_into: str | None
    versions: int


def machine_named(registry: Registry, name: str) -> Machine:
    """What is known of a machine's registered model, or of one of which the journal alone is left."""
    versions, chain = registry.versions(name), read_journal(registry.client, name)
    version = telling_version(versions, chain)
    tags = version.tags if version else {}
    of_tags = {one.tags[names.SOURCE_MODEL] for one in versions if names.SOURCE_MODEL in one.tags}
    of_name = names.source_in(name)
    number = chain.champion if chain.last else registry.alias(name)
    change = chain.last_change
    return Machine(
        name=name,
        equipment=names.equipment_of(name) or tags.get(names.EQUIPMENT) or name,
        identity=known_identity(registry, name, version),
        champion=number,
        since=(change.at if change else version.created if version else "") if number else "",
        source=tags.get(names.SOURCE_MODEL) or of_name,
        sources=frozenset(of_tags | ({of_name} if of_name else set())),
        merged_into=chain.merged_into,
        versions=len(versions),
    )


def all_machines(registry: Registry) -> list[Machine]:
    """Every machine's model, by name, also those of which only the journal is left."""
    known = [name for name in registry.known_names() if names.kind_of(name) == names.TARGET_KIND]
    return [machine_named(registry, name) for name in known]


def siblings(registry: Registry, name: str) -> list[Machine]:
    """The other models of the same machine, for the same family and label."""
    if names.kind_of(name) != names.TARGET_KIND:
        return []
    one = machine_named(registry, name)
    others = [
        machine_named(registry, other)
        for other in registry.named_like(one.equipment)
        if other != name
    ]
    return [
        other for other in others if other.identity is not None and other.identity == one.identity
    ]


def equipments(registry: Registry, model: str) -> list[str]:
    """Machines with a model that descends from source model ``model``, or is for its family and label."""
    wanted = identity_of(registry, model)
    live = [one for one in all_machines(registry) if one.merged_into is None]
    return sorted({one.equipment for one in live if _descends(one, model, wanted)})


def find(
    registry: Registry, model: str, equipment: str | None = None, *, changing: bool = False
) -> str:
    """The name of the registered model that ``MODEL --equipment EQUIPMENT`` means.

    Args:
        registry: where.
        model: a source model; or, without ``equipment``, the whole name of any registered model.
        equipment: one of its machines; None for the source model itself.
        changing: whether the champion is to be changed, for which it must be clear who that is.

    Raises:
        RegistryError: the machine is unknown; or, for a change, it has two champions or could not be read.
        ConfigError: a name is not allowed.
    """
    name = look_up(registry, model, equipment, changing=changing)
    if name is None:
        raise _not_registered(registry, model if equipment is None else f"{model}, {equipment}")
    return name


def look_up(
    registry: Registry, model: str, equipment: str | None = None, *, changing: bool = False
) -> str | None:
    """As :func:`find`, but None where the machine has no model."""
    names.check_asked(model, equipment)
    if equipment is None:
        return _by_whole_name(registry, model, changing=changing)
    if names.is_of_machine(model, equipment):
        return _by_whole_name(registry, model, changing=changing)
    return _Search(registry, model, equipment, changing=changing).name(None)


def name_for(registry: Registry, model: str, equipment: str, identity: Identity) -> str:
    """The name under which a transfer registers: the machine's model, or what a new one is to be called.

    Args:
        registry: where.
        model: the source model.
        equipment: the machine.
        identity: family and label of the contract that the transfer is made under.

    Raises:
        RegistryError: the machine has two champions, or it could not be read whether it has one.
    """
    names.registered_name(model, equipment)
    found = _Search(registry, model, equipment, changing=True).name(identity)
    return found or names.detector_name(identity.family, identity.label, equipment)


def group_of(registry: Registry, model: str, equipment: str | None) -> list[Machine]:
    """All models of the detector that is meant, those merged away as well.

    Args:
        registry: where.
        model: a source model; or, without ``equipment``, the whole name of a machine's model.
        equipment: the machine.

    Raises:
        RegistryError: there is none, or of one it could not be read what it detects.
    """
    if equipment is not None:
        group = _Search(registry, model, equipment).group(None)
    elif model in registry.known_names():
        one = machine_named(registry, model)
        group = _Search(registry, one.source or model, one.equipment).group(one.identity)
    else:
        group = []
    if not group:
        raise _not_registered(registry, model if equipment is None else f"{model}, {equipment}")
    return group


def twice(registry: Registry, only: str | None = None) -> Iterator[Diagnosis]:
    """Machines with more than one champion for the same family and label.

    Args:
        registry: where.
        only: what concerns this registered model; None for everything.
    """
    groups: dict[tuple[str, Identity], list[Machine]] = defaultdict(list)
    for one in all_machines(registry):
        if one.champion is not None and one.identity is not None:
            groups[one.equipment, one.identity].append(one)
    for (equipment, identity), found in groups.items():
        if len(found) > 1 and only in (None, *(one.name for one in found)):
            listed = _listed([one.name for one in found])
            message = f"{equipment} has {len(found)} champions for {identity}: {listed}"
            remedy = f"Decide which one stays: `{merge_command(registry, found)}`"
            yield Diagnosis("CHAMPION-TWICE", equipment, message, remedy)


def merge_command(registry: Registry, found: list[Machine]) -> str:
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


def _not_registered(registry: Registry, name: str) -> RegistryError:
    return RegistryError(
        "There is no registered model of that name",
        received={"name": name, "known": registry.known_names()},
        remedy="List them with `faultxfer registry list`; name a machine with --equipment",
    )


def _descends(machine: Machine, model: str, wanted: Identity | None) -> bool:
    return model in machine.sources or (wanted is not None and machine.identity == wanted)


def _listed(found: list[str]) -> str:
    return ", ".join(repr(name) for name in sorted(found))


def _by_whole_name(registry: Registry, model: str, *, changing: bool) -> str | None:
    """A source model's name as it is, or the whole name of a machine's model; None where nothing is known of that."""
    if names.kind_of(model) != names.TARGET_KIND:
        return model
    if model not in registry.known_names():
        return None
    into = read_journal(registry.client, model).merged_into
    if changing and into is not None:
        raise RegistryError(
            f"{model!r} was merged into {into!r} and has no champion of its own any more",
            remedy=f"Name {into!r} instead, or take it back with `faultxfer registry merge … --undo`",
        )
    return model


class _Search:
    """The look-up of one machine, by a source model's family and label."""

    def __init__(
        self, registry: Registry, model: str, equipment: str, *, changing: bool = False
    ) -> None:
        self.registry, self.model, self.equipment, self.changing = (
            registry,
            model,
            equipment,
            changing,
        )
        self.legacy = names.registered_name(model, equipment)
        self.found = registry.named_like(equipment)

    @cached_property
    def machines(self) -> list[Machine]:
        """All models of the machine."""
        return [machine_named(self.registry, name) for name in self.found]

    @cached_property
    def of_source(self) -> Identity | None:
        """What the source model detects; where it is gone, what descends from it does."""
        heirs = [one for one in self.machines if self.model in one.sources and one.identity]
        heirs.sort(key=lambda one: (one.name != self.legacy, one.champion is None))
        return identity_of(self.registry, self.model) or next((one.identity for one in heirs), None)

    def name(self, wanted: Identity | None) -> str | None:
        """The model's name, or None where there is none.

        Args:
            wanted: family and label of a transfer; None for those of the source model.
        """
        if not self.found or (wanted is None and self._is_alone()):
            return self.found[0] if self.found else None
        live = [one for one in self.machines if one.merged_into is None]
        same = self._same(live, wanted)
        if same:
            return self._chosen([one for one in same if one.champion] or same)
        heirs = [one for one in live if self.model in one.sources]
        if (
            wanted is None and heirs
        ):  # made under a contract with another family or label than the source's
            return self._chosen([one for one in heirs if one.champion] or heirs)
        self._require_told([one for one in live if one.champion], wanted)
        if wanted is not None and live:
            others = _listed([f"{one.name} ({one.identity})" for one in live])
            _progress.info(
                "%s has other detectors: %s; this one is for %s", self.equipment, others, wanted
            )
        return None

    def group(self, wanted: Identity | None) -> list[Machine]:
        """All models for a family and a label, None for those of the source model; those merged away as well."""
        self._require_told(self.machines, wanted)
        return self._same(self.machines, wanted)

    def _is_alone(self) -> bool:
        """Whether there is but the one model that the source model names: then nothing has to be read."""
        return (
            self.found == [self.legacy]
            and read_journal(self.registry.client, self.legacy).merged_into is None
        )

    def _same(self, machines: list[Machine], wanted: Identity | None) -> list[Machine]:
        return [one for one in machines if self._is_for(one, wanted)]

    def _is_for(self, machine: Machine, wanted: Identity | None) -> bool | None:
        """Whether a model detects what is wanted; None where that could not be read."""
        identity = machine.identity or self._guessed(machine)
        if identity is not None and (wanted or self.of_source) is not None:
            return identity == (wanted or self.of_source)
        return True if self.model in machine.sources else None

    def _guessed(self, machine: Machine) -> Identity | None:
        """What a model that cannot be read detects, if it is what its source model does."""
        if self.model in machine.sources:
            return self.of_source
        return identity_of(self.registry, machine.source) if machine.source else None

    def _chosen(self, same: list[Machine]) -> str:
        """The one that is meant, of several for the same family and label."""
        if len(same) == 1 or any(one.name == self.legacy for one in same):
            return same[0].name if len(same) == 1 else self.legacy
        newest = max(same, key=lambda one: (one.since, one.versions, one.name))
        if newest.champion is None:
            return newest.name
        if self.changing:
            raise self._not_clear(same)
        listed = _listed([one.name for one in same])
        _progress.info(
            "%s has %d champions (%s): taking the newest", self.equipment, len(same), listed
        )
        return newest.name

    def _not_clear(self, same: list[Machine]) -> RegistryError:
        settle = f"Decide which one stays, with `{merge_command(self.registry, same)}`"
        name = "Type the whole name of the one that you mean in place of --equipment"
        return RegistryError(
            f"{self.equipment} has {len(same)} champions, and it is not clear which one is meant",
            received={"models": sorted(one.name for one in same)},
            where=self.registry.address,
            remedy=settle if len({one.identity for one in same}) == 1 else name,
        )

    def _require_told(self, machines: list[Machine], wanted: Identity | None) -> None:
        """Nothing is begun or looked for beside a model that may be the very one.

        Raises:
            RegistryError: of one it could not be read what it detects.
        """
        unknown = [one.name for one in machines if self._is_for(one, wanted) is None]
        if unknown:
            raise RegistryError(
                f"What a model of {self.equipment} detects could not be read, neither in its files nor in its tags",
                received={"models": unknown},
                where=self.registry.address,
                remedy="Bring the files back, or wait until the artifact store answers, and run it again; "
                "`faultxfer registry verify` says what is missing",
            )
