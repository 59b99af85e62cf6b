"""Change the champion: first the journal's entry, then the alias. The journal decides, the alias follows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from faultxfer.errors import ChampionMovedError, RegistryError
from faultxfer.registry import journal, names
from faultxfer.registry.asking import asks_the_store
from faultxfer.registry.journal import Chain, Entry
from faultxfer.registry.store import Registry, Version

# More promotions than can come between two calls.
_TRIES = 50


@dataclass(frozen=True)
class Standing:
    """Who is champion by the journal, and the entry that a change has to follow."""

    champion: Version | None
    head: str


@dataclass(frozen=True)
class Promotion:
    """Why a version shall be champion.

    Attributes:
        reason: in a sentence.
        details: what the journal keeps beside it.
        head: the entry that the decision was made on; None where it holds whoever is champion.
        action: ``promote`` or ``rollback``.
    """

    reason: str
    details: dict[str, Any] = field(default_factory=dict)
    head: str | None = None
    action: str = journal.PROMOTE


def examined_journal(registry: Registry, name: str) -> Chain:
    """The journal, and among its problems what the tags of the versions say against it.

    A version's tag names the entry that made it champion; so the end of a journal cannot be changed or cut off unseen.
    """
    versions = registry.versions(name)  # before the journal: an entry is there before the tag that names it
    chain = journal.read_journal(registry.client, name)
    known = {entry.sha256 for entry in chain.entries.values()}
    said = [
        f"version {version.version} was promoted by an entry that the journal lacks"
        for version in versions
        if names.ENTRY in version.tags and version.tags[names.ENTRY] not in known
    ]
    return replace(chain, problems=(*chain.problems, *said))


@asks_the_store
def standing(registry: Registry, name: str) -> Standing:
    """The champion that a candidate has to beat.

    By the journal, which a promotion that was broken off at its last call is ahead of the alias with; by the alias
    where there is no journal yet.

    Raises:
        RegistryError: the journal was changed from outside, or the champion's version is gone.
    """
    chain = _whole_journal(registry, name)
    known = {version.version: version for version in registry.versions(name)}
    number = chain.last.to_version if chain.last else registry.alias(name)
    if number is not None and number not in known:
        raise RegistryError(
            f"The champion of {name!r} was expected among its versions",
            received={"champion": number, "versions": sorted(known)},
            remedy="Run `faultxfer registry doctor`",
        )
    return Standing(known[number] if number else None, chain.head)


@asks_the_store
def promote(registry: Registry, version: Version, promotion: Promotion) -> None:
    """Make a version champion.

    Raises:
        ChampionMovedError: another promotion came first, and the decision was made on the entry before it.
        RegistryError: the journal was changed from outside.
    """
    for _ in range(_TRIES):
        chain = _whole_journal(registry, version.name)
        try:
            journal.append(registry.client, _entry(registry, chain, version, promotion))
            break
        except ChampionMovedError:
            if promotion.head is not None:
                raise
    else:
        raise RegistryError(
            "A registry in which other promotions come to an end was expected",
            received={"promotions that came first": _TRIES},
            remedy="Run it again when the others are done",
        )
    settle(registry, version.name)


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
    entry = Entry(
        model=name,
        action=action,
        from_version=_whole_journal(registry, name).champion,
        to_version=None,
        reason=reason,
        files_sha256=None,
        previous=head,
        details=details or {},
    )
    journal.append(registry.client, entry)
    settle(registry, name)


@asks_the_store
def note(registry: Registry, name: str, action: str, reason: str, head: str, details: dict[str, Any]) -> None:
    """Write down in the journal what leaves the champion as it is.

    Raises:
        ChampionMovedError: there is a newer entry than ``head``.
        RegistryError: the journal was changed from outside.
    """
    chain = _whole_journal(registry, name)
    entry = Entry(
        model=name,
        action=action,
        from_version=chain.champion,
        to_version=chain.champion,
        reason=reason,
        files_sha256=chain.recorded_files(chain.champion) if chain.champion else None,
        previous=head,
        details=details,
    )
    journal.append(registry.client, entry)
    settle(registry, name)


def require_recorded_files(chain: Chain, version: Version) -> None:
    """The files that a version's tag names must be those of its first promotion, before it is promoted again.

    Raises:
        RegistryError: they are others.
    """
    recorded, tagged = chain.recorded_files(version.version), version.tags.get(names.FILES)
    if recorded not in (None, tagged):
        raise RegistryError(
            "The files that the journal names for this version were expected",
            received={"version": version.version, "journal": recorded, "tag": tagged},
            where=version.uri,
            remedy="Choose another version, or transfer again",
        )


def _whole_journal(registry: Registry, name: str) -> Chain:
    chain = examined_journal(registry, name)
    journal.require_whole(chain, name)
    return chain


def _entry(registry: Registry, chain: Chain, version: Version, promotion: Promotion) -> Entry:
    before = chain.last.to_version if chain.last else registry.alias(version.name)
    return Entry(
        model=version.name,
        action=promotion.action,
        from_version=before,
        to_version=version.version,
        reason=promotion.reason,
        files_sha256=version.tags.get(names.FILES),
        previous=chain.head if promotion.head is None else promotion.head,
        details=promotion.details,
    )


@asks_the_store
def settle(registry: Registry, name: str) -> None:
    """Let version tags and alias follow the journal, also where another promotion comes in between.

    Raises:
        RegistryError: the journal was changed from outside; the alias stays.
    """
    for _ in range(_TRIES):
        chain = _whole_journal(registry, name)
        if chain.last is None:
            return
        _follow(registry, name, chain.last_change or chain.last, chain.head)
        now = _whole_journal(registry, name)
        if now.head == chain.head and registry.alias(name) == chain.champion:
            return


def _follow(registry: Registry, name: str, entry: Entry, head: str) -> None:
    if entry.to_version is None:
        if registry.alias(name) is not None:
            registry.client.delete_registered_model_alias(name, names.CHAMPION)
        return
    tags = {names.STATE: names.REGISTERED, names.PROMOTED: entry.at, names.ENTRY: head}
    if entry.from_version is not None and entry.action == journal.PROMOTE:
        tags[names.PREVIOUS] = entry.from_version
    stored = registry.version(name, entry.to_version).tags
    for key, value in tags.items():
        if stored.get(key) != value:
            registry.client.set_model_version_tag(name, entry.to_version, key, value)
    if registry.alias(name) != entry.to_version:
        registry.client.set_registered_model_alias(name, names.CHAMPION, entry.to_version)


def adopt(registry: Registry, version: Version, files_sha256: str) -> None:
    """Begin the journal of a champion that is older than its journal."""
    if names.FILES not in version.tags:
        registry.client.set_model_version_tag(version.name, version.version, names.FILES, files_sha256)
    entry = Entry(
        model=version.name,
        action=journal.ADOPT,
        from_version=None,
        to_version=version.version,
        reason="Champion before there was a journal",
        files_sha256=files_sha256,
        previous=journal.BEGINNING,
    )
    journal.append(registry.client, entry)
    settle(registry, version.name)
