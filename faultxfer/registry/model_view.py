"""A registered model as it is now: its journal, its versions, and how their files are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from faultxfer.registry import names
from faultxfer.registry.diagnosis import Diagnosis
from faultxfer.registry.inspection import NOT_ASKED, Inspection, inspect_files
from faultxfer.registry.journal import Chain
from faultxfer.registry.promotion import examined_journal
from faultxfer.registry.store import Registry, Version
from faultxfer.registry.succession import replaced_by_doctor

Inspect = Callable[[Registry, Version, Chain], Inspection]


@dataclass
class ModelView:
    """One registered model; each question to the store is asked once.

    Attributes:
        registry, name: which model.
        grace: how long a registration by a process on another host may take before it counts as
            broken off.
        inspect: reads the files of a version.
        not_read: numbers of versions whose files a server hands out, and nobody asked to read.
    """

    registry: Registry
    name: str
    grace: timedelta = timedelta(0)
    inspect: Inspect = inspect_files
    not_read: set[str] = field(default_factory=set)
    _inspected: dict[str, Inspection] = field(default_factory=dict)

    @cached_property
    def chain(self) -> Chain:
        """Its journal, with what the versions' tags say against it."""
        return examined_journal(self.registry, self.name)

    @cached_property
    def versions(self) -> dict[str, Version]:
        """Its versions by number, newest first."""
        return {version.version: version for version in self.registry.versions(self.name)}

    @cached_property
    def alias(self) -> str | None:
        """The number that the champion's alias names."""
        return self.registry.alias(self.name)

    @cached_property
    def provisional_alias(self) -> str | None:
        """The number that the alias of the provisional version names."""
        return self.registry.aliases(self.name).get(names.PROVISIONAL)

    @cached_property
    def waiting_alias(self) -> str | None:
        """The number that the alias of the waiting version names; None where no journal has one.

        Where no version ever waited, the alias may be somebody's own.
        """
        if not self.chain.waits:
            return None
        return self.registry.aliases(self.name).get(names.CHALLENGER)

    @property
    def champion(self) -> str | None:
        """Number of the champion by the journal, or by the alias where there is no journal."""
        return self.chain.champion if self.chain.last else self.alias

    def files(self, number: str) -> Inspection:
        """How the files of a version are."""
        if number not in self._inspected:
            self._inspected[number] = self.inspect(self.registry, self.versions[number], self.chain)
        return self._inspected[number]

    def survey(self, number: str) -> Inspection:
        """As :meth:`files`, for a look at everything: it reads no files that nobody asked for."""
        if number in self._inspected or self.registry.may_read(self.versions[number]):
            return self.files(number)
        self.not_read.add(number)
        return Inspection(NOT_ASKED)

    def is_half_registered(self, number: str) -> bool:
        """Whether its registration did not come to an end."""
        state = self.versions[number].tags.get(names.STATE)
        return state == names.CANDIDATE and number not in self.chain.registered

    def is_retired(self, number: str) -> bool:
        """Whether the journal or the version's tag says that it is never champion again."""
        return number in self.chain.retirements or self.versions[number].is_retired

    @property
    def usable(self) -> list[str]:
        """Numbers of versions that are registered whole and not retired, whatever their files."""
        return [
            number
            for number in self.versions
            if not self.is_half_registered(number) and not self.is_retired(number)
        ]

    @property
    def sound(self) -> list[str]:
        """Numbers of usable versions whose files are those registered: they can be champion."""
        return [number for number in self.usable if self.files(number).is_sound]

    @property
    def sound_again(self) -> list[str]:
        """Numbers of versions that were retired and whose files are those registered."""
        retired = [number for number in self.versions if self.is_retired(number)]
        return [number for number in retired if self.files(number).is_sound]

    @property
    def replaced_champion(self) -> str | None:
        """The version that the doctor took away as champion, if its files are sound again."""
        number = replaced_by_doctor(self.chain)
        if number in self.versions and self.files(str(number)).is_sound:
            return number
        return None

    def lost_for_good(self, number: str) -> str:
        """The command by which a person says that a version's files will not come back."""
        return f"`{names.with_reason('retire', self.name, number)}`"

    def found(
        self,
        code: str,
        message: str,
        remedy: str,
        kind: str,
        number: str | None = None,
        repair: Callable[[], object] | None = None,
        **consequences: bool,
    ) -> Diagnosis:
        """A diagnosis of the model, or of its version ``number``."""
        where = names.version_uri(self.name, number) if number else self.name
        return Diagnosis(
            code, where, message, remedy, repair, kind=kind, model=self.name, **consequences
        )
