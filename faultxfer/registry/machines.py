"""Find the registered model of a machine by family, label column and machine, not by its name.

Older releases named a machine's model by its source model, and a transfer from another source made
a second one. See ``docs/decisions/0013``.
"""

from __future__ import annotations

from functools import cached_property

from faultxfer.errors import RegistryError
from faultxfer.progress import progress
from faultxfer.registry import names
from faultxfer.registry.identity import Identity, identity_of
from faultxfer.registry.journal import read_journal
from faultxfer.registry.machine_models import (
    MachineModel,
    all_machines,
    listed,
    machine_named,
    merge_command,
)
from faultxfer.registry.store import Registry
from faultxfer.spelling import asking


def equipments(registry: Registry, model: str) -> list[str]:
    """Machines with a model made from source model ``model``, or for its family and label."""
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
        RegistryError: the machine is unknown; or, for a change, it has two champions or could not
            be read.
        ConfigError: a name is not allowed.
    """
    name = look_up(registry, model, equipment, changing=changing)
    if name is None:
        raise not_registered(registry, model, equipment)
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
    """The name under which a transfer registers: that of the machine's model, or a new one.

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


def group_of(registry: Registry, model: str, equipment: str | None) -> list[MachineModel]:
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
        raise not_registered(registry, model, equipment)
    return group


def wanted_names(registry: Registry, model: str | None, equipment: str | None) -> list[str]:
    """Names of everything known, or of the one model asked for.

    Raises:
        RegistryError: there is none of that name.
    """
    known = registry.known_names()
    if model is None:
        return known
    name = find(registry, model, equipment)
    if name not in known:
        raise not_registered(registry, name)
    return [name]


def not_registered(registry: Registry, model: str, equipment: str | None = None) -> RegistryError:
    """The error for a name that nothing is registered under."""
    name = model if equipment is None else f"{model}, {equipment}"
    known = registry.known_names()
    machines = [machine for machine in map(names.equipment_of, known) if machine]
    meant = known if equipment is None else machines
    return RegistryError(
        "There is no registered model of that name",
        received={"name": name, "known": known},
        where=registry.address,
        remedy=asking(
            equipment or model,
            meant,
            "List them with `faultxfer registry list`; name a machine with --equipment",
        ),
    )


def _descends(machine: MachineModel, model: str, wanted: Identity | None) -> bool:
    return model in machine.sources or (wanted is not None and machine.identity == wanted)


def _by_whole_name(registry: Registry, model: str, *, changing: bool) -> str | None:
    """A source model's name, or a machine's model by its whole name; None where it is unknown."""
    if names.kind_of(model) != names.TARGET_KIND:
        return model
    if model not in registry.known_names():
        return None
    into = read_journal(registry.client, model).merged_into
    if changing and into is not None:
        raise RegistryError(
            f"{model!r} was merged into {into!r} and no longer has a champion of its own",
            remedy=f"Name {into!r} instead, or undo that with `faultxfer registry merge … --undo`",
        )
    return model


def _scoring(machines: list[MachineModel]) -> list[MachineModel]:
    """Those with a champion; else those with a provisional version; else all."""
    champions = [one for one in machines if one.champion]
    return champions or [one for one in machines if one.provisional] or machines


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
    def machines(self) -> list[MachineModel]:
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
            return self._chosen(_scoring(same))
        heirs = [one for one in live if self.model in one.sources]
        # Heirs may be made under a contract with another family or label than the source's.
        if wanted is None and heirs:
            return self._chosen(_scoring(heirs))
        self._require_told([one for one in live if one.champion], wanted)
        if wanted is not None and live:
            others = listed(f"{one.name} ({one.identity})" for one in live)
            progress.info(
                "%s has other detectors: %s; this one is for %s", self.equipment, others, wanted
            )
        return None

    def group(self, wanted: Identity | None) -> list[MachineModel]:
        """All models for a family and a label, those merged away as well."""
        self._require_told(self.machines, wanted)
        return self._same(self.machines, wanted)

    def _is_alone(self) -> bool:
        """Whether only the model named by the source model exists: then nothing has to be read."""
        return (
            self.found == [self.legacy]
            and read_journal(self.registry.client, self.legacy).merged_into is None
        )

    def _same(self, machines: list[MachineModel], wanted: Identity | None) -> list[MachineModel]:
        return [one for one in machines if self._is_for(one, wanted)]

    def _is_for(self, machine: MachineModel, wanted: Identity | None) -> bool | None:
        """Whether a model detects what is wanted; None where that could not be read."""
        identity = machine.identity or self._guessed(machine)
        if identity is not None and (wanted or self.of_source) is not None:
            return identity == (wanted or self.of_source)
        return True if self.model in machine.sources else None

    def _guessed(self, machine: MachineModel) -> Identity | None:
        """What a model that cannot be read detects, if it is what its source model does."""
        if self.model in machine.sources:
            return self.of_source
        return identity_of(self.registry, machine.source) if machine.source else None

    def _chosen(self, same: list[MachineModel]) -> str:
        """The one that is meant, of several for the same family and label."""
        if len(same) == 1 or any(one.name == self.legacy for one in same):
            return same[0].name if len(same) == 1 else self.legacy
        newest = max(same, key=lambda one: (one.since, one.versions, one.name))
        if newest.champion is None:
            return newest.name
        if self.changing:
            raise self._not_clear(same)
        shown = listed(one.name for one in same)
        progress.info(
            "%s has %d champions (%s): taking the newest", self.equipment, len(same), shown
        )
        return newest.name

    def _not_clear(self, same: list[MachineModel]) -> RegistryError:
        decide = f"Decide which one stays, with `{merge_command(self.registry, same)}`"
        name = "Type the whole name of the one that you mean in place of --equipment"
        return RegistryError(
            f"{self.equipment} has {len(same)} champions, and it is not clear which one is meant",
            received={"models": sorted(one.name for one in same)},
            where=self.registry.address,
            remedy=decide if len({one.identity for one in same}) == 1 else name,
        )

    def _require_told(self, machines: list[MachineModel], wanted: Identity | None) -> None:
        """Nothing is begun or looked for beside a model that may be the very one.

        Raises:
            RegistryError: of one it could not be read what it detects.
        """
        unknown = [one.name for one in machines if self._is_for(one, wanted) is None]
        if unknown:
            raise RegistryError(
                f"Neither files nor tags of a model of {self.equipment} show what it detects",
                received={"models": unknown},
                where=self.registry.address,
                remedy="Bring the files back, or wait until the artifact store answers, and run it "
                "again; `faultxfer registry verify` says what is missing",
            )
