"""Look at one registered model: its journal, its versions, their tags and files, its champion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from faultxfer.process import is_gone
from faultxfer.registry import journal, names
from faultxfer.registry.diagnosis import PERSON, RESTORES, TAKES_AWAY, UNCHECKED, Diagnosis
from faultxfer.registry.inspection import ABSENT, CHANGED, NOT_READ, registered_sha256
from faultxfer.registry.machine_models import MachineModel, siblings
from faultxfer.registry.model_view import ModelView
from faultxfer.registry.outside_edits import renamed_to
from faultxfer.registry.promotion import (
    aliases_by_journal,
    follow_journal,
    tag_with_run,
    tags_by_journal,
)
from faultxfer.registry.registering import is_named
from faultxfer.registry.repairs import (
    begin_journal,
    bring_back,
    bring_back_champion,
    replace_champion,
    retire,
)
from faultxfer.registry.runs import say_nothing_came_of_it
from faultxfer.registry.store import Registry, Version
from faultxfer.registry.succession import next_in_line, replaced_by_doctor
from faultxfer.registry.waiting import end_expired


def examine_model(view: ModelView) -> Iterator[Diagnosis]:
    """Everything that is wrong with one registered model."""
    if view.chain.problems:
        message = "The journal was changed from outside: " + "; ".join(view.chain.problems)
        remedy = "See `docs/registry.md` on a broken journal"
        where = names.journal_name(view.name)
        yield Diagnosis("JOURNAL-BROKEN", where, message, remedy, model=view.name)
        return
    yield from _broken_off(view)
    yield from _unread_files(view)
    # A journal that does not exist yet must begin with the champion, and not with a note.
    if view.chain.last is not None or view.alias is None:
        yield from _restorable(view)
        yield from _changed_files(view)
    yield from edited_tags(view)
    yield from _waiting(view)
    yield from _champion(view)


def _broken_off(view: ModelView) -> Iterator[Diagnosis]:
    """Versions whose registration did not come to an end, and whose process is gone."""
    for number, version in view.versions.items():
        if not view.is_half_registered(number):
            continue
        worker, since = version.tags.get(names.OWNER), datetime.fromisoformat(version.created)
        if is_gone(worker, since, view.grace) and not is_named(view.registry, version, view.chain):
            message = "Its registration was broken off before it was champion"
            delete = partial(_delete_half_registered, view.registry, version)
            remedy = "delete the version"
            yield view.found("VERSION-ORPHAN", message, remedy, TAKES_AWAY, number, delete)


def _delete_half_registered(registry: Registry, version: Version) -> None:
    registry.client.delete_model_version(version.name, version.version)
    say_nothing_came_of_it(registry, version.run_id, names.FAILED)


def _unread_files(view: ModelView) -> Iterator[Diagnosis]:
    """Versions that cannot be judged, as their files are not there or cannot be read."""
    for number in view.usable:
        found = view.survey(number)
        if found.state == ABSENT:
            remedy = f"Bring them back; if they are lost for good: {view.lost_for_good(number)}"
            yield view.found("FILES-ABSENT", found.problem, remedy, UNCHECKED, number)
        elif found.state == NOT_READ:
            remedy = "Nothing was judged; type `faultxfer registry verify` when they can be read"
            yield view.found("FILES-UNREADABLE", found.problem, remedy, UNCHECKED, number)


def _restorable(view: ModelView) -> Iterator[Diagnosis]:
    """Retired versions, and a champion that was taken away, whose files are sound again."""
    origin = replaced_by_doctor(view.chain)
    for number in view.versions:
        if number != origin and view.is_retired(number) and _may_return(view, number):
            message = "It was retired, and its files are those that were registered again"
            remedy = "let it be promotable again"
            restore = partial(bring_back, view.registry, view.name, number)
            yield view.found("RETIRED-SOUND", message, remedy, RESTORES, number, restore)
    if view.replaced_champion is not None:
        yield _returning_champion(view, view.replaced_champion)


def _may_return(view: ModelView, number: str) -> bool:
    """Whether it was no person who retired it, and its files match again."""
    entry = view.chain.retirements.get(number)
    by_person = entry is not None and not entry.is_by_doctor
    return not by_person and view.files(number).is_sound


def _returning_champion(view: ModelView, number: str) -> Diagnosis:
    now = f"version {view.champion}" if view.champion else "nobody"
    message = (
        "It was champion until the doctor took it away, and its files are sound again; "
        f"now it is {now}"
    )
    restore = partial(bring_back_champion, view.registry, view.name, number)
    remedy = "make it champion again"
    return view.found("CHAMPION-SOUND", message, remedy, RESTORES, number, restore)


def _changed_files(view: ModelView) -> Iterator[Diagnosis]:
    """Versions other than the champion whose bytes are not those registered."""
    remedy = "retire it; the files stay, and it comes back when they are those registered again"
    for number in view.usable:
        found = view.survey(number)
        if number == view.champion or found.state != CHANGED:
            continue
        yield view.found(
            "FILES-CHANGED",
            found.problem,
            remedy,
            TAKES_AWAY,
            number,
            partial(retire, view.registry, view.name, number, found.problem),
            retires_the_last=not view.sound,
        )


def edited_tags(view: ModelView) -> Iterator[Diagnosis]:
    """Tags of versions that differ from what the journal, or the files themselves, say."""
    for number, version in view.versions.items():
        wrong = tags_by_journal(version, view.chain)
        recorded = registered_sha256(version, view.chain)
        is_other = recorded is not None and version.tags.get(names.FILES) != recorded
        if recorded is not None and is_other and view.files(number).is_sound:
            wrong[names.FILES] = recorded
        # A promotion that is only half done is reported as such.
        if not wrong or (number == view.champion and names.ENTRY in wrong):
            continue
        if number in (view.chain.provisional, view.chain.waiting) and names.NOTE in wrong:
            continue
        message = f"Tags were edited or deleted: {', '.join(sorted(wrong))}"
        put_back = partial(tag_with_run, view.registry, version, wrong)
        remedy = "put back what the journal says"
        yield view.found("TAG-CHANGED", message, remedy, RESTORES, number, put_back)


def _waiting(view: ModelView) -> Iterator[Diagnosis]:
    """Whether the version that waits for approval is there, and its time has not run out."""
    number = view.chain.waiting
    if number is None:
        return
    if number not in view.versions:
        yield from _missing_waiting(view, number)
    elif view.chain.waits[number].is_over:
        message = f"Nobody approved or rejected version {number} in time"
        end = partial(end_expired, view.registry, view.name)
        remedy = "say in the journal that it waits no more"
        yield view.found("WAITING-EXPIRED", message, remedy, RESTORES, number, end)


def _missing_waiting(view: ModelView, number: str) -> Iterator[Diagnosis]:
    """The version that waits was deleted, or the whole model was: it may be hidden."""
    end = partial(retire, view.registry, view.name, number, "the version was deleted")
    remedy = "say in the journal that no version waits; then transfer again"
    if view.registry.is_registered(view.name):
        message = f"The version that waits for approval, version {number}, does not exist"
        yield view.found("WAITING-MISSING", message, remedy, RESTORES, number, end)
    elif view.chain.champion is None and view.chain.provisional is None:
        message = (
            "There is a journal by which a version waits for approval, and its model is not in "
            "the list: it was deleted, or you may not see it"
        )
        yield view.found("JOURNAL-ALONE", message, remedy, TAKES_AWAY, number, end)


def _champion(view: ModelView) -> Iterator[Diagnosis]:
    """Whether the champion is there, sound, and the one that the alias names."""
    if view.chain.last is None:
        yield from _without_journal(view)
        return
    number = view.chain.champion
    if number is None:
        yield from _unfinished_promotion(view, None)
        yield from _without_champion(view)
    elif number not in view.versions:
        yield _missing_champion(view, number)
    elif view.survey(number).state == CHANGED:
        yield _changed_champion(view, number)
    else:
        yield from _unfinished_promotion(view, number)


def _unfinished_promotion(view: ModelView, number: str | None) -> Iterator[Diagnosis]:
    """Whether the alias, or the champion's tags, are behind the journal."""
    behind = []
    if view.alias != number or _lags(view, number):
        behind.append(_behind(names.CHAMPION, number, view.alias))
    wanted = aliases_by_journal(view.chain, view.versions)
    named = {names.PROVISIONAL: view.provisional_alias, names.CHALLENGER: view.waiting_alias}
    for alias, shown in named.items():
        other = wanted.get(alias)
        if shown != other or _lags_by_its_note(view, other):
            behind.append(_behind(alias, other, shown))
    if not behind:
        return
    message = "; ".join(behind)
    follow = partial(follow_journal, view.registry, view.name)
    remedy = "let alias and tags follow the journal"
    yield view.found("PROMOTION-UNFINISHED", message, remedy, RESTORES, repair=follow)


def _behind(alias: str, number: str | None, named: str | None) -> str:
    said, shown = (f"version {one}" if one else "nobody" for one in (number, named))
    return f"The journal names {said} as {alias}, the alias {shown}"


def _lags_by_its_note(view: ModelView, number: str | None) -> bool:
    """Whether tags of the version that is provisional, or waits, lack its newest entry."""
    return number is not None and names.NOTE in tags_by_journal(view.versions[number], view.chain)


def _lags(view: ModelView, number: str | None) -> bool:
    """Whether the champion's tags do not name the entry that made it champion."""
    if number is None:
        return False
    return names.ENTRY in tags_by_journal(view.versions[number], view.chain)


def _without_journal(view: ModelView) -> Iterator[Diagnosis]:
    if view.provisional_alias is not None:
        delete = view.registry.client.delete_registered_model_alias
        drop = partial(delete, view.name, names.PROVISIONAL)
        message = f"Version {view.provisional_alias} is provisional by its alias, and in no journal"
        yield view.found("PROMOTION-UNFINISHED", message, "delete the alias", RESTORES, repair=drop)
    alias = view.alias
    if alias is None:
        return
    if alias not in view.versions:
        delete = view.registry.client.delete_registered_model_alias
        drop = partial(delete, view.name, names.CHAMPION)
        message = f"The alias names version {alias}, which does not exist, and there is no journal"
        yield view.found("CHAMPION-MISSING", message, "delete the alias", RESTORES, repair=drop)
    # Else that is reported already, and a journal does not begin with files that cannot be read.
    elif view.files(alias).is_sound:
        message = f"Version {alias} is champion and no journal says why"
        begin = partial(begin_journal, view.registry, view.versions[alias])
        remedy = "begin the journal with it"
        yield view.found("JOURNAL-MISSING", message, remedy, RESTORES, repair=begin)


def _missing_champion(view: ModelView, number: str) -> Diagnosis:
    """The champion's version is gone, or the whole model is: it may be hidden or renamed."""
    if not view.registry.is_registered(view.name):
        return _missing_model(view, number)
    message = f"The champion that the journal names, version {number}, does not exist"
    follower = _unread_in_line(view)
    if follower is not None:
        return _held_up("CHAMPION-MISSING", view, number, message, follower)
    elsewhere = renamed_to(view.registry, view.name, view.chain)
    if elsewhere is not None:
        message = f"{message}: it is in {elsewhere!r}"
        remedy = (
            f"Delete or rename the present model {view.name!r}, and `faultxfer registry doctor` "
            "renames it back"
        )
        return view.found("CHAMPION-MISSING", message, remedy, PERSON, number)
    line = next_in_line(view.chain, view.sound)
    replace = partial(replace_champion, view.registry, view.name, number, message, line)
    return view.found("CHAMPION-MISSING", message, _step_back(line), RESTORES, number, replace)


def _missing_model(view: ModelView, number: str) -> Diagnosis:
    message = (
        "There is a journal, and its model is not in the list: it was deleted, "
        "or you may not see it"
    )
    end = partial(replace_champion, view.registry, view.name, number, message, [])
    remedy = _step_back([])
    return view.found("JOURNAL-ALONE", message, remedy, TAKES_AWAY, number, end, ends_champion=True)


def _unread_in_line(view: ModelView) -> str | None:
    """The version that would follow, where its files cannot be read; else None."""
    for number in next_in_line(view.chain, view.usable):
        state = view.files(number).state
        if state in (ABSENT, NOT_READ):
            return number
        if state != CHANGED:
            return None
    return None


def _held_up(code: str, view: ModelView, number: str, message: str, follower: str) -> Diagnosis:
    """The champion cannot stay, and whether the next in line can follow cannot be read now."""
    remedy = (
        f"Version {follower} would follow, and its files cannot be read now: bring them back; "
        f"if they are lost for good: {view.lost_for_good(follower)}"
    )
    return view.found(code, message, remedy, UNCHECKED, number)


def _changed_champion(view: ModelView, number: str) -> Diagnosis:
    reason = "The champion's files are not those that were registered"
    message = f"{reason}. {view.files(number).problem}"
    follower = _unread_in_line(view)
    if follower is not None:
        return _held_up("FILES-CHANGED", view, number, message, follower)
    line = next_in_line(view.chain, view.sound)

    def replace_and_retire() -> None:
        replace_champion(view.registry, view.name, number, reason, line)
        retire(view.registry, view.name, number, reason)

    until = f"retire version {number} until its files are those registered again"
    return view.found(
        "FILES-CHANGED",
        message,
        f"{_step_back(line)}, and {until}",
        TAKES_AWAY,
        number,
        replace_and_retire,
        ends_champion=True,
        retires_the_last=not view.sound,
    )


def _step_back(line: list[str]) -> str:
    """What follows for a champion that cannot stay."""
    return f"go back to version {line[0]}" if line else "say in the journal that nobody is champion"


def _without_champion(view: ModelView) -> Iterator[Diagnosis]:
    """Nobody is champion: a provisional version may score, if it is there."""
    number = view.chain.provisional
    if number is None:
        yield from _nobody(view)
    elif number not in view.versions:
        yield _missing_provisional(view, number)


def _missing_provisional(view: ModelView, number: str) -> Diagnosis:
    """The provisional version is gone, or the whole model is: it may be hidden."""
    message = f"The provisional version that the journal names, version {number}, does not exist"
    end = partial(retire, view.registry, view.name, number, message)
    remedy = "say in the journal that no version is provisional; then transfer again"
    if view.registry.is_registered(view.name):
        return view.found("PROVISIONAL-MISSING", message, remedy, RESTORES, number, end)
    message = (
        "There is a journal that names a provisional version, and its model is not in the list: "
        "it was deleted, or you may not see it"
    )
    return view.found("JOURNAL-ALONE", message, remedy, TAKES_AWAY, number, end)


def _nobody(view: ModelView) -> Iterator[Diagnosis]:
    change = view.chain.last_change
    # A person has a version to approve, or nothing of the machine's ever scored.
    if view.chain.waiting is not None or not (change or view.chain.provisionals):
        return
    # After a merge another model holds the machine's champion, whether or not it can be found.
    if change is not None and change.action == journal.MERGE:
        return
    if view.replaced_champion is not None:
        return  # its return is reported already
    others = siblings(view.registry, view.name)
    if any(one.champion for one in others):
        return
    message = "Nobody is champion, and nothing scores"
    yield view.found("CHAMPION-NONE", message, _remedy_for_nobody(view, others), PERSON)


def _remedy_for_nobody(view: ModelView, others: list[MachineModel]) -> str:
    arguments = names.as_arguments(view.name)
    if view.sound_again:
        return f"Take the retirement back: `faultxfer registry restore {arguments}`"
    if any(one.merged_into == view.name for one in others):
        command = f'faultxfer registry merge {arguments} --undo --reason "…"'
        return f"Transfer again, or bring back what was merged into it: `{command}`"
    command = f"faultxfer registry history {arguments}"
    return f"Transfer again, or promote another version: `{command}` lists them"
