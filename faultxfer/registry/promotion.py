"""Change who scores: first the journal, which decides, then the aliases, which follow it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from faultxfer.errors import ChampionMovedError, RegistryError
from faultxfer.registry import journal, names
from faultxfer.registry.inspection import is_promoted, registered_sha256
from faultxfer.registry.journal import Chain, Entry, Wait
from faultxfer.registry.mlflow_errors import asks_the_store
from faultxfer.registry.runs import tell_outcome
from faultxfer.registry.store import Registry, Version

_HASH = re.compile("[0-9a-f]{64}")
# More promotions than can come between two calls.
_TRIES = 50
# The line that `page_by_journal` puts on top of a page.
_BY_JOURNAL = re.compile(r"\A> \*\*By the journal:\*\*[^\n]*\n\n")
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Standing:
    """Who is champion by the journal, and the entry that a change has to follow."""

    champion: Version | None
    head: str


@dataclass(frozen=True)
class Promotion:
    """Why a version shall be champion, or provisional, or wait for approval.

    Attributes:
        reason: in a sentence.
        details: what the journal keeps beside it.
        head: the entry that the decision was made on; None where it holds whoever is champion.
        action: ``promote``, ``rollback``, ``restore``; or ``provisional`` and ``waiting``, which
            make no champion.
    """

    reason: str
    details: dict[str, Any] = field(default_factory=dict)
    head: str | None = None
    action: str = journal.PROMOTE


def examined_journal(registry: Registry, name: str) -> Chain:
    """The journal, and among its problems what the tags of the versions say against it.

    A version's tag names the entry that made it champion; so the end of a journal cannot be changed
    or cut off unseen.
    """
    return _examined(registry, name)[0]


def _examined(registry: Registry, name: str) -> tuple[Chain, list[Version]]:
    """The journal so, and the versions by which it was examined; no alias of theirs is known."""
    # Versions come before the journal, as an entry is there before the tag that names it.
    versions = registry.tagged_versions(name)
    chain = journal.read_journal(registry.client, name)
    said = _lacking(versions, chain)
    if said and registry.client is not registry.live:
        # Versions and journal came in one answer, or in several pages: asked again, in order.
        chain = journal.read_journal(registry.live, name)
        said = _lacking(versions, chain)
    return replace(chain, problems=(*chain.problems, *said)), versions


def _lacking(versions: list[Version], chain: Chain) -> list[str]:
    return [
        f"version {version.version} names an entry that the journal lacks"
        for version in versions
        if not version.copied and _names_lacking_entry(version, chain)
    ]


def _names_lacking_entry(version: Version, chain: Chain) -> bool:
    """Whether a version's tags name an entry that was cut off, and the tag was not merely edited.

    Who cuts an entry off, or rewrites the last one, leaves the hash and the time of it with the
    version. A tag that is no hash was edited, and so was one beside which the time of an entry
    stands that another entry follows.
    """
    known = {entry.sha256 for entry in chain.entries.values()}
    named = [version.tags[key] for key in (names.ENTRY, names.NOTE) if key in version.tags]
    lacking = [
        value
        for value in named
        if value not in known and _HASH.fullmatch(value) and len(set(value)) > 1
    ]
    followed = [entry for entry in chain.changes if entry is not chain.last]
    times = {entry.at for entry in followed if entry.to_version == version.version}
    only_entry = lacking == [version.tags.get(names.ENTRY)]
    return bool(lacking) and not (only_entry and version.tags.get(names.PROMOTED) in times)


@asks_the_store
def standing(registry: Registry, name: str) -> Standing:
    """The champion that a candidate has to beat.

    By the journal, which a promotion that was broken off at its last call is ahead of the alias
    with; by the alias where there is no journal yet.

    Raises:
        RegistryError: the journal was changed from outside, or the champion's version is gone.
    """
    chain, versions = _whole(registry, name)
    number = chain.champion if chain.last else registry.alias(name)
    known = {version.version: version for version in versions}
    if number is not None and number not in known:  # it may have come in between
        known = {version.version: version for version in registry.versions(name)}
    if number is not None and number not in known:
        raise RegistryError(
            f"The champion of {name!r} by its journal is not among its versions",
            received={"champion": number, "versions": sorted(known)},
            remedy="Type `faultxfer registry doctor`",
        )
    return Standing(known[number] if number else None, chain.head)


@asks_the_store
def promote(registry: Registry, version: Version, promotion: Promotion) -> None:
    """Make a version champion.

    Raises:
        ChampionMovedError: another promotion came first, and the decision was made on the entry
            before it.
        RegistryError: the journal was changed from outside.
    """

    def change() -> None:
        chain = _whole_journal(registry, version.name)
        entry = _entry(registry, chain, version, promotion)
        journal.append_to(registry.client, chain, entry)

    _repeated(change, once=promotion.head is not None)
    follow_journal(registry, version.name)


@asks_the_store
def make_provisional(registry: Registry, version: Version, promotion: Promotion) -> None:
    """Let a machine without champion be scored with a version; nobody becomes champion.

    Raises:
        ChampionMovedError: another promotion came first, or somebody is champion.
        RegistryError: the journal was changed from outside.
    """
    chain = _whole_journal(registry, version.name)
    champion = chain.champion if chain.last else registry.alias(version.name)
    if champion is not None:
        raise journal.moved(version.name)
    _append(registry, _note_on_new(chain, version, promotion))


@asks_the_store
def make_waiting(registry: Registry, version: Version, promotion: Promotion) -> None:
    """Let a version wait for a person's approval; the champion stays, or nobody is.

    Raises:
        ChampionMovedError: another promotion came first.
        RegistryError: the journal was changed from outside.
    """
    chain = _whole_journal(registry, version.name)
    _append(registry, _note_on_new(chain, version, promotion))


def _note_on_new(chain: Chain, version: Version, promotion: Promotion) -> Entry:
    """The entry of a version that was registered and does not become champion."""
    return Entry(
        model=version.name,
        action=promotion.action,
        from_version=chain.champion,
        to_version=chain.champion,
        reason=promotion.reason,
        files_sha256=version.tags.get(names.FILES),
        previous=chain.head if promotion.head is None else promotion.head,
        details={**promotion.details, journal.VERSION: version.version},
    )


def _repeated(change: Callable[[], None], *, once: bool = False) -> None:
    """Write to a journal, and again where another entry came first; ``once`` lets that be raised.

    Raises:
        RegistryError: others came first again and again.
    """
    for _ in range(_TRIES):
        try:
            return change()
        except ChampionMovedError:
            if once:
                raise
    raise RegistryError(
        "Other promotions of the same model came first again and again",
        received={"promotions that came first": _TRIES},
        remedy="Run it again when the others are done",
    )


def _append(registry: Registry, entry: Entry) -> None:
    journal.append(registry.client, entry)
    follow_journal(registry, entry.model)


@asks_the_store
def step_down(
    registry: Registry,
    name: str,
    reason: str,
    head: str,
    *,
    action: str = journal.RETIRE,
    details: dict[str, Any] | None = None,
) -> None:
    """Say in the journal that a model has no champion any more, and drop the alias.

    Raises:
        ChampionMovedError: there is a newer entry than ``head``.
        RegistryError: the journal was changed from outside.
    """
    before = _whole_journal(registry, name).champion
    _append(
        registry,
        Entry(name, action, before, None, reason, None, previous=head, details=details or {}),
    )


@asks_the_store
def note(
    registry: Registry, name: str, action: str, reason: str, head: str, details: dict[str, Any]
) -> None:
    """Add an entry that leaves the champion as it is, if ``head`` is still the last entry.

    Raises:
        ChampionMovedError: there is a newer entry than ``head``.
        RegistryError: the journal was changed from outside.
    """
    chain = _whole_journal(registry, name)
    if chain.last is None and registry.alias(name) is not None:
        raise RegistryError(
            "This model has a champion and no journal yet, and a journal begins with its champion",
            where=name,
            remedy="Type `faultxfer registry doctor`, then this command again",
        )
    champion = chain.champion
    _append(
        registry,
        Entry(name, action, champion, champion, reason, None, previous=head, details=details),
    )


@asks_the_store
def write_note(
    registry: Registry,
    name: str,
    action: str,
    version: str,
    reason: str,
    details: dict[str, Any] | None = None,
) -> None:
    """Add an entry that leaves the champion as it is.

    Args:
        registry: where.
        name: registered model.
        action: such as ``retire`` or ``restore``.
        version: number of the version that the note is about.
        reason: in a sentence.
        details: what the journal keeps beside it.

    Raises:
        RegistryError: the journal was changed from outside, or others come first again and again.
    """
    kept = {**(details or {}), journal.VERSION: version}

    def change() -> None:
        note(registry, name, action, reason, _whole_journal(registry, name).head, kept)

    _repeated(change)


def _whole_journal(registry: Registry, name: str) -> Chain:
    return _whole(registry, name)[0]


def _whole(registry: Registry, name: str) -> tuple[Chain, list[Version]]:
    chain, versions = _examined(registry, name)
    journal.require_whole(chain, name)
    return chain, versions


def _entry(registry: Registry, chain: Chain, version: Version, promotion: Promotion) -> Entry:
    before = chain.champion if chain.last else registry.alias(version.name)
    return Entry(
        model=version.name,
        action=promotion.action,
        from_version=before,
        to_version=version.version,
        reason=promotion.reason,
        files_sha256=registered_sha256(version, chain),
        previous=chain.head if promotion.head is None else promotion.head,
        details=promotion.details,
    )


@asks_the_store
def follow_journal(registry: Registry, name: str) -> None:
    """Let tags, pages and aliases follow the journal, also where another entry comes in between.

    Raises:
        RegistryError: the journal was changed from outside; the aliases stay.
    """
    for _ in range(_TRIES):
        chain, versions = _whole(registry, name)
        if chain.last is None:
            return
        if not _holds_all(versions, chain):  # one may have come in between
            versions = registry.tagged_versions(name)
        for version in versions:
            tag_with_run(registry, version, tags_by_journal(version, chain))
            _write_page(registry, version, chain)
        wanted = aliases_by_journal(chain, [version.version for version in versions])
        shown = registry.aliases(name)
        for alias, number in wanted.items():
            if shown.get(alias) != number:
                _set_alias(registry, name, alias, number)
        now, aliases = _whole_journal(registry, name), registry.aliases(name)
        follows = all(aliases.get(alias) == number for alias, number in wanted.items())
        if now.head == chain.head and follows:
            return


def aliases_by_journal(chain: Chain, versions: Collection[str]) -> dict[str, str | None]:
    """The version that each alias has to name, or None for nobody.

    Where no version ever waited, ``challenger`` may be an alias of somebody's own.

    Args:
        chain: the journal.
        versions: numbers of those there are: no alias can name one that was deleted.
    """
    others = {names.PROVISIONAL: chain.provisional}
    if chain.waits:
        others[names.CHALLENGER] = chain.waiting
    there = {alias: number if number in versions else None for alias, number in others.items()}
    return {names.CHAMPION: chain.champion, **there}


def tags_by_journal(version: Version, chain: Chain) -> dict[str, str]:
    """The tags that the journal asks of a version and that it has not."""
    asked: dict[str, str] = {}
    number = version.version
    promotions = [entry for entry in chain.changes if entry.to_version == number]
    if number in chain.provisionals and is_promoted(version, chain):
        asked = {
            names.STATE: names.REGISTERED,
            names.REGISTERED_AS: names.PROVISIONAL,
            names.OUTCOME: names.PROVISIONAL,
        }
    wait = chain.waits.get(number)
    if wait is not None and is_promoted(version, chain):
        asked = {
            names.STATE: names.REGISTERED,
            names.REGISTERED_AS: names.WAITING,
            names.OUTCOME: _said_of(wait),
        }
    if promotions and is_promoted(version, chain):
        was_provisional = number in chain.provisionals
        asked |= _outcome_tag(promotions, was_provisional=was_provisional)
        asked |= _promoted_tags(promotions[-1])
        # Release 0.1.0 retired by the tag alone, and only the files show whether rightly.
        if version.is_retired and promotions[-1] is not chain.last_change:
            del asked[names.STATE]
    note = chain.notes.get(number)
    if note is not None:
        asked[names.NOTE] = note.sha256
    if number in chain.retirements:
        asked[names.STATE] = names.RETIRED
    elif note is not None and note.action == journal.RESTORE:
        asked[names.STATE] = names.REGISTERED
    return {key: value for key, value in asked.items() if version.tags.get(key) != value}


def _said_of(wait: Wait) -> str:
    """What came of a version that waited; that its time ran out is said when an entry says it."""
    return names.WAITING if wait.end is None else wait.outcome


def _promoted_tags(change: Entry) -> dict[str, str]:
    tags = {names.STATE: names.REGISTERED, names.PROMOTED: change.at, names.ENTRY: change.sha256}
    if change.from_version is not None and change.action == journal.PROMOTE:
        tags[names.PREVIOUS] = change.from_version
    return tags


def _outcome_tag(promotions: list[Entry], *, was_provisional: bool) -> dict[str, str]:
    """What came of the work that made a version; of work of an older release no entry says it."""
    key = journal.OUTCOME
    said = [entry.details[key] for entry in promotions if key in entry.details]
    if said:
        return {names.OUTCOME: str(said[-1])}
    return {names.OUTCOME: names.BY_HAND} if was_provisional else {}


def tag_with_run(registry: Registry, version: Version, tags: dict[str, str]) -> None:
    """Give a version tags, and its run and its logged model the one that says what came of it."""
    if names.OUTCOME in tags:
        outcome = tags[names.OUTCOME]
        _tell_run_and_model(registry, version, outcome)
        tag_version(registry, version, {names.FILTER_OUTCOME: outcome})
    tag_version(registry, version, tags)


def _tell_run_and_model(registry: Registry, version: Version, outcome: str) -> None:
    """Let run and logged model of a version say what came of it, with the version."""
    from mlflow.exceptions import MlflowException

    # Somebody may have deleted either since, and the champion matters more.
    with suppress(MlflowException):
        if version.run_id:
            tell_outcome(registry, version.run_id, outcome)
    with suppress(MlflowException):
        if version.model_id:
            told = {names.FILTER_OUTCOME: outcome}
            registry.client.set_logged_model_tags(version.model_id, told)


def _write_page(registry: Registry, version: Version, chain: Chain) -> None:
    page = page_by_journal(version, chain)
    if page != version.description:
        registry.client.update_model_version(version.name, version.version, page)


def page_by_journal(version: Version, chain: Chain) -> str:
    """A version's page, with a line on top where the journal says more than the page.

    The page was written before the version became champion, so it says nothing of a promotion by
    hand or of a rollback; a page that release 0.2.0 or before wrote says nothing of an override.
    """
    page = _BY_JOURNAL.sub("", version.description)
    if not is_promoted(version, chain):
        return page
    promotions = [entry for entry in chain.changes if entry.to_version == version.version]
    wait = chain.waits.get(version.version)
    if promotions:
        entry, what = promotions[-1], _unsaid(promotions[-1])
    elif wait is not None:
        entry, what = wait.end or wait.entry, _unsaid_of(wait)
    else:
        return page
    if what is None:
        return page
    reason = " ".join(entry.reason.split())[:_LONGEST_REASON]
    return f"> **By the journal:** {what} by {entry.actor} on {entry.at[:10]}: {reason}\n\n{page}"


def _unsaid(entry: Entry) -> str | None:
    """How a version became champion, where its page does not say it."""
    if entry.action == journal.ROLLBACK:
        return "champion again by a rollback"
    if entry.action == journal.PROMOTE and journal.APPROVAL in entry.details:
        by_starter = entry.details[journal.APPROVAL].get("self_approval")
        return "approved, although this is who started it," if by_starter else "approved"
    if entry.action != journal.PROMOTE or journal.OUTCOME in entry.details:
        return None
    if "data" not in entry.details:
        return "promoted by hand"
    # Of a source model no gate asks.
    passed = entry.details.get("gate", "promote") == "promote"
    return None if passed else "promoted by override"


def _unsaid_of(wait: Wait) -> str:
    """What became of a version that waited and was not approved."""
    if wait.end is None:
        last = f" until {wait.until:%Y-%m-%d}" if wait.until else ""
        return f"waits for approval{last}; put there"
    if wait.outcome == journal.REPLACED:
        return "waits no more, as another version was put there, or became champion,"
    return f"not approved ({wait.outcome}): settled"


def tag_version(registry: Registry, version: Version, tags: dict[str, str]) -> None:
    """Give a version tags, in place of those of the same name."""
    for key, value in tags.items():
        registry.client.set_model_version_tag(version.name, version.version, key, value)


def _holds_all(versions: list[Version], chain: Chain) -> bool:
    """Whether the versions that the journal names now are among these."""
    named = {chain.champion, chain.provisional, chain.waiting} - {None}
    return named <= {version.version for version in versions}


def _set_alias(registry: Registry, name: str, alias: str, number: str | None) -> None:
    if number is None:
        registry.client.delete_registered_model_alias(name, alias)
    else:
        registry.client.set_registered_model_alias(name, alias, number)


def adopt(registry: Registry, version: Version, files_sha256: str) -> None:
    """Begin the journal of a champion that is older than its journal."""
    if names.FILES not in version.tags:
        tag_version(registry, version, {names.FILES: files_sha256})
    reason = "Champion before there was a journal"
    name, number, first = version.name, version.version, journal.BEGINNING
    _append(
        registry, Entry(name, journal.ADOPT, None, number, reason, files_sha256, previous=first)
    )
