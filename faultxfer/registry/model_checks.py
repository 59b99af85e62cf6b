"""Look at one registered model: its journal, the tags of its versions, their files, its champion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial

from faultxfer.process import is_gone
from faultxfer.registry import journal, names
from faultxfer.registry.diagnosis import PERSON, RESTORES, TAKES_AWAY, UNCHECKED, Diagnosis
from faultxfer.registry.inspection import (
    ABSENT,
    CHANGED,
    NOT_READ,
    Inspection,
    inspect_files,
    registered_sha256,
)
from faultxfer.registry.journal import Chain
from faultxfer.registry.machines import Machine, siblings
from faultxfer.registry.model_files import files_sha256
from faultxfer.registry.promotion import (
    Promotion,
    adopt,
    examined_journal,
    follow_journal,
    promote,
    step_down,
    tags_by_journal,
    write_note,
)
from faultxfer.registry.registering import is_named
from faultxfer.registry.renamed import bearer
from faultxfer.registry.store import Registry, Version
from faultxfer.registry.succession import next_in_line, replaced_by_doctor
from faultxfer.temporary import temporary_folder

Inspect = Callable[[Registry, Version, Chain], Inspection]


@dataclass
class Patient:
    """A registered model under examination; what is asked of the store is asked once."""

    registry: Registry
    name: str
    grace: timedelta
    inspect: Inspect = inspect_files
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

    @property
    def champion(self) -> str | None:
        """Number of the champion by the journal, or by the alias where there is no journal."""
        return self.chain.champion if self.chain.last else self.alias

    def files(self, number: str) -> Inspection:
        """How the files of a version are."""
        if number not in self._inspected:
            self._inspected[number] = self.inspect(self.registry, self.versions[number], self.chain)
        return self._inspected[number]

    def is_candidate(self, number: str) -> bool:
        """Whether its registration did not come to an end."""
        return (
            self.versions[number].tags.get(names.STATE) == names.CANDIDATE
            and number not in self.chain.promoted
        )

    def is_retired(self, number: str) -> bool:
        """Whether the journal or the version's tag says that it is never champion again."""
        return number in self.chain.retirements or self.versions[number].is_retired

    @property
    def sound(self) -> list[str]:
        """Numbers of versions that can be champion: not retired, with files that were read and are those registered."""
        usable = (
            number
            for number in self.versions
            if not self.is_candidate(number) and not self.is_retired(number)
        )
        return [number for number in usable if self.files(number).is_sound]

    def found(
        self, code: str, message: str, remedy: str, kind: str, number: str | None = None
    ) -> Diagnosis:
        """A diagnosis of the model, or of one of its versions, without a repair."""
        where = f"models:/{self.name}/{number}" if number else self.name
        return Diagnosis(code, where, message, remedy, kind=kind, model=self.name)


def examine_model(patient: Patient) -> Iterator[Diagnosis]:
    """Everything that is wrong with one registered model."""
    if patient.chain.problems:
        message = "The journal was changed from outside: " + "; ".join(patient.chain.problems)
        remedy = "See `docs/registry.md` on a broken journal"
        where = names.journal_name(patient.name)
        yield Diagnosis("JOURNAL-BROKEN", where, message, remedy, model=patient.name)
        return
    yield from _left_candidates(patient)
    yield from _unread_files(patient)
    if (
        patient.chain.last is not None or patient.alias is None
    ):  # else the journal begins with the champion, not a note
        yield from _restorable(patient)
        yield from _changed_files(patient)
    yield from edited_tags(patient)
    yield from _champion(patient)


def _left_candidates(patient: Patient) -> Iterator[Diagnosis]:
    for number, version in patient.versions.items():
        begun = datetime.fromisoformat(version.created)
        if not patient.is_candidate(number) or not is_gone(
            version.tags.get(names.OWNER), begun, patient.grace
        ):
            continue
        if is_named(patient.registry, version, patient.chain):
            continue
        yield Diagnosis(
            "VERSION-ORPHAN",
            version.uri,
            "Its registration was broken off before it was champion",
            "delete the version",
            partial(patient.registry.client.delete_model_version, patient.name, number),
            kind=TAKES_AWAY,
            model=patient.name,
        )


def _unread_files(patient: Patient) -> Iterator[Diagnosis]:
    """What nobody judges: files that are not there or cannot be read."""
    for number in patient.versions:
        if patient.is_candidate(number) or patient.is_retired(number):
            continue
        found = patient.files(number)
        if found.state == ABSENT:
            remedy = "Bring them back; if they are lost for good: " + lost_for_good(
                patient.name, number
            )
            yield patient.found("FILES-ABSENT", found.problem, remedy, UNCHECKED, number)
        elif found.state == NOT_READ:
            remedy = "Nothing was judged; type `faultxfer registry verify` when they can be read"
            yield patient.found("FILES-UNREADABLE", found.problem, remedy, UNCHECKED, number)


def lost_for_good(name: str, number: str) -> str:
    """The command by which a person says that a version's files will not come back."""
    return f'`faultxfer registry retire {names.as_arguments(name, number)} --reason "…"`'


def _restorable(patient: Patient) -> Iterator[Diagnosis]:
    """Versions that were retired, and whose files are those registered again."""
    origin = replaced_by_doctor(patient.chain)
    for number in patient.versions:
        if not patient.is_retired(number) or number == origin or not _may_return(patient, number):
            continue
        yield Diagnosis(
            "RETIRED-SOUND",
            f"models:/{patient.name}/{number}",
            "It was retired, and its files are those that were registered again",
            "let it be promotable again",
            partial(bring_back, patient.registry, patient.name, number),
            kind=RESTORES,
            model=patient.name,
        )
    if origin in patient.versions and patient.files(str(origin)).is_sound:
        yield _returning_champion(patient, str(origin))


def _may_return(patient: Patient, number: str) -> bool:
    """Whether it was no person who retired it, and its files match again."""
    entry = patient.chain.retirements.get(number)
    by_person = entry is not None and not entry.is_by_doctor
    return not by_person and patient.files(number).is_sound


def _returning_champion(patient: Patient, number: str) -> Diagnosis:
    now = f"version {patient.champion}" if patient.champion else "nobody"
    return Diagnosis(
        "CHAMPION-SOUND",
        f"models:/{patient.name}/{number}",
        f"It was champion until the doctor took it away, and its files are sound again; now it is {now}",
        "make it champion again",
        partial(bring_back_champion, patient.registry, patient.name, number),
        kind=RESTORES,
        model=patient.name,
    )


def bring_back(registry: Registry, name: str, number: str, reason: str = "") -> None:
    """Take back a version's retirement by an entry in the journal."""
    why = reason or "doctor: its files are those that were registered again"
    write_note(registry, name, journal.RESTORE, number, why)


def bring_back_champion(registry: Registry, name: str, number: str, reason: str = "") -> None:
    """Make the version champion again that was champion until it was taken away."""
    why = reason or "doctor: its files are those that were registered again"
    head = journal.read_whole(registry.client, name).head
    promote(
        registry, registry.version(name, number), Promotion(why, head=head, action=journal.RESTORE)
    )


def edited_tags(patient: Patient) -> Iterator[Diagnosis]:
    """Tags that the journal, or the files themselves, say otherwise."""
    for number, version in patient.versions.items():
        wrong = tags_by_journal(version, patient.chain)
        recorded = registered_sha256(version, patient.chain)
        tagged = version.tags.get(names.FILES)
        if recorded is not None and tagged != recorded and patient.files(number).is_sound:
            wrong[names.FILES] = recorded
        if not wrong or (number == patient.champion and names.ENTRY in wrong):
            continue  # a promotion that is only half done is said as such
        yield Diagnosis(
            "TAG-CHANGED",
            version.uri,
            f"Tags were edited or deleted: {', '.join(sorted(wrong))}",
            "put back what the journal says",
            partial(_set_tags, patient.registry, version, wrong),
            kind=RESTORES,
            model=patient.name,
        )


def _set_tags(registry: Registry, version: Version, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        registry.client.set_model_version_tag(version.name, version.version, key, value)


def _changed_files(patient: Patient) -> Iterator[Diagnosis]:
    """Versions other than the champion whose bytes are not those registered."""
    for number in patient.versions:
        if patient.is_candidate(number) or number == patient.champion or patient.is_retired(number):
            continue
        found = patient.files(number)
        if found.state == CHANGED:
            yield Diagnosis(
                "FILES-CHANGED",
                f"models:/{patient.name}/{number}",
                found.problem,
                "retire it; the files stay, and it comes back when they are those registered again",
                partial(_retire, patient.registry, patient.name, number, found.problem),
                kind=TAKES_AWAY,
                model=patient.name,
                retires_the_last=not patient.sound,
            )


def _retire(registry: Registry, name: str, number: str, problem: str) -> None:
    details = {journal.DECIDED_BY: journal.DOCTOR}
    write_note(registry, name, journal.RETIRE, number, f"doctor: {problem}", details)


def _champion(patient: Patient) -> Iterator[Diagnosis]:
    if patient.chain.last is None:
        yield from _without_journal(patient)
        return
    number = patient.chain.champion
    if number is not None and number not in patient.versions:
        yield from _missing_champion(patient, number)
    elif number is not None and patient.files(number).state == CHANGED:
        yield _changed_champion(patient, number)
    elif patient.alias != number or _lags(patient, number):
        said, shown = (f"version {one}" if one else "nobody" for one in (number, patient.alias))
        yield Diagnosis(
            "PROMOTION-UNFINISHED",
            patient.name,
            f"The journal names {said} as champion, the alias {shown}",
            "let alias and tags follow the journal",
            partial(follow_journal, patient.registry, patient.name),
            kind=RESTORES,
            model=patient.name,
        )
    if number is None:
        yield from _nobody(patient)


def _lags(patient: Patient, number: str | None) -> bool:
    """Whether the champion's tags do not name the entry that made it champion."""
    return number is not None and names.ENTRY in tags_by_journal(
        patient.versions[number], patient.chain
    )


def _without_journal(patient: Patient) -> Iterator[Diagnosis]:
    alias = patient.alias
    if alias is None:
        return
    if alias not in patient.versions:
        drop = partial(
            patient.registry.client.delete_registered_model_alias, patient.name, names.CHAMPION
        )
        message = f"The alias names version {alias}, which does not exist, and there is no journal"
        remedy = "delete the alias"
        yield Diagnosis(
            "CHAMPION-MISSING",
            patient.name,
            message,
            remedy,
            drop,
            kind=RESTORES,
            model=patient.name,
        )
        return
    if not patient.files(alias).is_sound:
        return  # that is said already, and nobody begins a journal with files that cannot be read
    message = f"Version {alias} is champion and no journal says why"
    begin = partial(_adopt, patient.registry, patient.versions[alias])
    remedy = "begin the journal with it"
    yield Diagnosis(
        "JOURNAL-MISSING", patient.name, message, remedy, begin, kind=RESTORES, model=patient.name
    )


def _adopt(registry: Registry, version: Version) -> None:
    with temporary_folder("doctor") as folder:
        adopt(registry, version, files_sha256(registry.download_model(version, folder)))


def _missing_champion(patient: Patient, number: str) -> Iterator[Diagnosis]:
    """The champion's version is gone, or the whole model is: then somebody may have hidden or renamed it."""
    if not patient.registry.is_registered(patient.name):
        yield _missing_model(patient, number)
        return
    message = f"The champion that the journal names, version {number}, does not exist"
    waiting = _unread_in_line(patient)
    if waiting is not None:
        yield _waiting("CHAMPION-MISSING", patient, number, message, waiting)
        return
    elsewhere = bearer(patient.registry, patient.name, patient.chain)
    if elsewhere is not None:
        remedy = f"Delete or rename the model {patient.name!r} of now, and `faultxfer registry doctor` renames it back"
        yield patient.found(
            "CHAMPION-MISSING", f"{message}: it is in {elsewhere!r}", remedy, PERSON, number
        )
        return
    after = next_in_line(patient.chain, patient.sound)
    yield Diagnosis(
        "CHAMPION-MISSING",
        f"models:/{patient.name}/{number}",
        message,
        _remedy_for(after),
        partial(_replace, patient.registry, patient.name, number, message, after),
        kind=RESTORES,
        model=patient.name,
    )


def _unread_in_line(patient: Patient) -> str | None:
    """The version that would follow if its files could be read; None where the next one can be judged."""
    usable = [number for number in patient.versions if not patient.is_candidate(number)]
    for number in next_in_line(
        patient.chain, [one for one in usable if not patient.is_retired(one)]
    ):
        state = patient.files(number).state
        if state in (ABSENT, NOT_READ):
            return number
        if state != CHANGED:
            return None
    return None


def _waiting(code: str, patient: Patient, number: str, message: str, follower: str) -> Diagnosis:
    """The champion cannot stay, and whether the next in line can follow cannot be read now."""
    remedy = (
        f"Version {follower} would follow, and its files cannot be read now: bring them back; "
        f"if they are lost for good: {lost_for_good(patient.name, follower)}"
    )
    return patient.found(code, message, remedy, UNCHECKED, number)


def _missing_model(patient: Patient, number: str) -> Diagnosis:
    message = "There is a journal, and its model is not in the list: it was deleted, or you may not see it"
    end = partial(_replace, patient.registry, patient.name, number, message, [])
    return Diagnosis(
        "JOURNAL-ALONE",
        f"models:/{patient.name}/{number}",
        message,
        _remedy_for([]),
        end,
        kind=TAKES_AWAY,
        model=patient.name,
        ends_champion=True,
    )


def _changed_champion(patient: Patient, number: str) -> Diagnosis:
    message = "The champion's files are not those that were registered"
    waiting = _unread_in_line(patient)
    if waiting is not None:
        return _waiting(
            "FILES-CHANGED", patient, number, f"{message}. {patient.files(number).problem}", waiting
        )
    after = next_in_line(patient.chain, patient.sound)

    def mend() -> None:
        _replace(patient.registry, patient.name, number, message, after)
        _retire(patient.registry, patient.name, number, message)

    return Diagnosis(
        "FILES-CHANGED",
        f"models:/{patient.name}/{number}",
        f"{message}. {patient.files(number).problem}",
        f"{_remedy_for(after)}, and retire version {number} until its files are those registered again",
        mend,
        kind=TAKES_AWAY,
        model=patient.name,
        ends_champion=True,
        retires_the_last=not patient.sound,
    )


def _remedy_for(after: list[str]) -> str:
    return (
        f"go back to version {after[0]}" if after else "say in the journal that nobody is champion"
    )


def _replace(registry: Registry, name: str, number: str, message: str, after: list[str]) -> None:
    """Go back to the version before, or let nobody take its place.

    Raises:
        ChampionMovedError: somebody else is champion by now.
    """
    chain = journal.read_whole(registry.client, name)
    if chain.champion != number:
        raise journal.moved(name)
    details = {journal.DECIDED_BY: journal.DOCTOR, journal.VERSION: number}
    if after:
        why = Promotion(f"doctor: {message}", details, head=chain.head, action=journal.ROLLBACK)
        promote(registry, registry.version(name, after[0]), why)
    else:
        reason = f"doctor: {message}, and there is none to go back to"
        step_down(registry, name, reason, chain.head, details=details)


def _nobody(patient: Patient) -> Iterator[Diagnosis]:
    change = patient.chain.last_change
    if change is not None and change.action == journal.MERGE:
        return  # another model holds the machine's champion
    if replaced_by_doctor(patient.chain) in [*patient.sound, *_sound_again(patient)]:
        return  # its return is said already
    others = siblings(patient.registry, patient.name)
    if any(one.champion for one in others):
        return  # the machine's champion is another model's
    message = "Nobody is champion, and nothing scores"
    yield patient.found("CHAMPION-NONE", message, _remedy_for_nobody(patient, others), PERSON)


def _remedy_for_nobody(patient: Patient, others: list[Machine]) -> str:
    arguments = names.as_arguments(patient.name)
    if _sound_again(patient):
        return f"Take the retirement back: `faultxfer registry restore {arguments}`"
    merged = [one for one in others if one.merged_into == patient.name]
    if merged:
        return (
            f"Transfer again, or bring back what was merged into it: `faultxfer registry merge {arguments} "
            '--undo --reason "…"`'
        )
    return f"Transfer again, or promote another version: `faultxfer registry history {arguments}` lists them"


def _sound_again(patient: Patient) -> list[str]:
    retired = (number for number in patient.versions if patient.is_retired(number))
    return [number for number in retired if patient.files(number).is_sound]
