"""Delete old versions and refused runs that nobody needs any more; loads no network.

Kept, however old: what is champion, provisional, waits for approval or has any alias, what a
rollback or the taking back of a retirement or a merge may need, and the source versions that those
which score, or may score again, were made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.progress import progress
from faultxfer.registry import journal, machines, names
from faultxfer.registry.clients import all_pages
from faultxfer.registry.journal import PROVISIONAL, Chain, Entry
from faultxfer.registry.machines import wanted_names
from faultxfer.registry.mlflow_errors import asks_the_store, reported
from faultxfer.registry.model_view import ModelView
from faultxfer.registry.promotion import write_note
from faultxfer.registry.rights import open_to_change
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.registry.succession import ended_by_retirement, next_in_line
from faultxfer.registry.traces import uploads_addressed, uploads_named


@dataclass(frozen=True)
class Rules:
    """What is surplus: only what is both older and beyond the newest.

    Attributes:
        keep: newest versions and newest refused runs of each model that stay, and sound earlier
            champions in line.
        older_than: age from which the others go; of a version since it was last champion.
    """

    keep: int
    older_than: timedelta

    def is_old(self, moment: datetime) -> bool:
        """Whether it is older than what stays in any case."""
        return datetime.now(UTC) - moment > self.older_than


@dataclass(frozen=True)
class Surplus:
    """A version that nobody needs.

    Attributes:
        version: which.
        last_used: when it was made, or was last champion.
        named_by: addresses of versions that were made of the same files, which stay for them.
    """

    version: Version
    last_used: datetime
    named_by: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it may go, for the journal."""
        return f"Last used {self.last_used:%Y-%m-%d}, and no rollback needs it"


@dataclass(frozen=True)
class Uses:
    """What other models need of a model's versions.

    Attributes:
        sources: name and number of the versions that living machines' champions were made from.
        uploads: addresses of the versions that name it, by id of an upload.
    """

    sources: frozenset[tuple[str, str]]
    uploads: dict[str, set[str]] = field(default_factory=dict)


@reported("the tracking store")
def prune_registry(
    model: str | None, equipment: str | None, *, keep: int, days: float, apply: bool
) -> dict[str, Any]:
    """List what is old and what nobody needs, and delete it where that is asked for.

    Args:
        model: source model; None for everything that is registered.
        equipment: one of its machines.
        keep: newest versions and refused runs of each model that stay, and sound earlier champions
            to go back to.
        days: age from which the others go.
        apply: delete them; else only list them.

    Returns:
        ``versions`` and ``runs``, each with what was ``done``, and ``skipped``: models that were
            left alone, and why.

    Raises:
        ConfigError: the rules would keep nothing.
        RegistryError: the model is unknown, or the store does not answer.
    """
    rules = _rules(keep, days)
    registry = open_to_change() if apply else open_registry()
    refusals = _refusals(registry, model, equipment)
    wanted = _wanted(registry, model, equipment, refused_only=bool(refusals))
    progress.info("Looking for old versions of %d model(s)", len(wanted))
    uses = uses_of_versions(registry)
    result: dict[str, Any] = {"applied": apply, "versions": [], "runs": [], "skipped": []}
    for name in wanted:
        _prune(registry, name, rules, uses, result)
    for refusal in surplus_runs(refusals, rules):
        if apply:
            delete_run(registry, refusal["run_id"])
        result["runs"].append({**refusal, "done": _done(apply)})
    return result


def _refusals(registry: Registry, model: str | None, equipment: str | None) -> list[dict[str, Any]]:
    """Refused runs of everything, or of one model under its present and its older name."""
    if model is None:
        return registry.refusals(None)
    wanted = {machines.look_up(registry, model, equipment), names.registered_name(model, equipment)}
    found = [refusal for name in wanted if name for refusal in registry.refusals(name)]
    return sorted(found, key=lambda refusal: str(refusal["created"]), reverse=True)


def _rules(keep: int, days: float) -> Rules:
    if keep < 1 or days < 0:
        raise ConfigError(
            "These rules keep no version to go back to, or name a negative age",
            received={"keep": keep, "older-than": days},
            remedy="Type `faultxfer registry prune --keep 5 --older-than 180`",
        )
    return Rules(keep, timedelta(days=days))


def _wanted(
    registry: Registry, model: str | None, equipment: str | None, *, refused_only: bool
) -> list[str]:
    """The models asked for; none where every candidate of the one asked for was refused."""
    try:
        return wanted_names(registry, model, equipment)
    except RegistryError:
        if not refused_only:
            raise
        return []


def _prune(registry: Registry, name: str, rules: Rules, uses: Uses, result: dict[str, Any]) -> None:
    view = ModelView(registry, name)
    problem = _why_not(view)
    if problem:
        result["skipped"].append({"registered": name, "why": problem})
        return
    # Nobody was champion, so nothing shows what is needed.
    if view.chain.last is None:
        return
    for surplus in surplus_versions(view, rules, uses):
        deleted = result["applied"] and delete_version(registry, surplus)
        done = (
            "kept: it became champion meanwhile"
            if result["applied"] and not deleted
            else _done(deleted)
        )
        result["versions"].append({**_as_data(surplus), "done": done})


def _why_not(view: ModelView) -> str:
    """Why a model is left alone; empty where it is not."""
    if view.chain.problems:
        return "Its journal was changed from outside; see `faultxfer registry verify`"
    if view.alias is not None and view.chain.last is None:
        return "It has no journal; `faultxfer registry doctor` begins one"
    return ""


def _as_data(surplus: Surplus) -> dict[str, Any]:
    version = surplus.version
    return {
        "registered": version.name,
        "version": version.version,
        "created": version.created,
        "last_used": surplus.last_used.isoformat(timespec="seconds"),
        "reason": surplus.reason,
        "files": f"stay for {', '.join(surplus.named_by)}" if surplus.named_by else "go with it",
    }


def _done(deleted: bool) -> str:
    return "deleted" if deleted else "with --apply: delete it"


@asks_the_store
def uses_of_versions(registry: Registry) -> Uses:
    """Look through all registered models, whoever made them."""
    sources = {
        source for name in registry.known_names() for source in _sources(ModelView(registry, name))
    }
    uploads: dict[str, set[str]] = {}
    for version in all_pages(registry.client.search_model_versions):
        if not names.is_journal(version.name):
            for upload in uploads_named(version) | uploads_addressed(registry, version):
                uploads.setdefault(upload, set()).add(
                    names.version_uri(version.name, version.version)
                )
    return Uses(frozenset(sources), uploads)


def _sources(view: ModelView) -> Iterator[tuple[str, str]]:
    """Source versions that a machine's champion was made from, or the one that may be it again.

    A provisional version stands for the champion here, and one that waits may be champion soon.
    """
    for chain in _states(view.chain):
        scoring = chain.champion or view.alias or _provisional(view.chain)
        for number in (scoring, _waiting(view.chain)):
            if number is not None:
                yield from _sources_of(view, chain, number)


def _sources_of(view: ModelView, chain: Chain, number: str) -> Iterator[tuple[str, str]]:
    """Source versions that a version was made from, by its tags and by the journal."""
    if number in view.versions:
        tags = view.versions[number].tags
        yield tags.get(names.SOURCE_MODEL, ""), tags.get(names.SOURCE_VERSION, "")
    for entry in chain.entries.values():
        if entry.concerns == number and entry.details.get("source"):
            name, _, version = str(entry.details["source"]).rpartition(" version ")
            yield name, version


def surplus_versions(view: ModelView, rules: Rules, uses: Uses) -> list[Surplus]:
    """Versions of one model that nobody needs, oldest first.

    Args:
        view: the model; its journal must be whole.
        rules: what may go.
        uses: what other models need.
    """
    newest = set(list(view.versions)[: rules.keep])
    named = set(view.registry.aliases(view.name).values()) | newest
    found = []
    for number, version in view.versions.items():
        last_used = _last_used(version, view.chain)
        needed = number in named or (view.name, number) in uses.sources
        if not needed and rules.is_old(last_used) and _is_whole(view, number):
            others = uses.uploads.get(version.model_id or "", set()) - {version.uri}
            found.append(Surplus(version, last_used, tuple(sorted(others))))
    if not found:
        return []
    # This reads files, so it is asked last.
    needed_back = _needed_to_go_back(view, rules.keep)
    return [one for one in found[::-1] if one.version.version not in needed_back]


def _is_whole(view: ModelView, number: str) -> bool:
    """Whether faultxfer registered it to the end. Others are the doctor's, or somebody else's."""
    state = view.versions[number].tags.get(names.STATE)
    return state in (names.REGISTERED, names.RETIRED) or number in view.chain.registered


def _last_used(version: Version, chain: Chain) -> datetime:
    moments = [datetime.fromisoformat(version.created)]
    for entry in chain.changes:
        if version.version in (entry.from_version, entry.to_version):
            moments.append(datetime.fromisoformat(entry.at))
    wait = chain.waits.get(version.version)
    if wait is not None and wait.end is not None:
        moments.append(datetime.fromisoformat(wait.end.at))
    return max([*moments, *_ends_as_provisional(version.version, chain)])


def _ends_as_provisional(number: str, chain: Chain) -> list[datetime]:
    """When it ceased to be the version that scores while nobody is champion."""
    ends, provisional = [], False
    for entry in chain.entries.values():
        made = entry.action == PROVISIONAL and entry.concerns == number
        if provisional and (made or entry.to_version or entry.action == PROVISIONAL):
            ends.append(datetime.fromisoformat(entry.at))
        if entry.to_version or entry.action == PROVISIONAL:
            provisional = made
    return ends


def _needed_to_go_back(view: ModelView, keep: int) -> set[str]:
    """Who scores and the next sound ones in line, now and before what may be taken back."""
    needed: set[str] = set(ended_by_retirement(view.chain))
    for number in (_provisional(view.chain), _waiting(view.chain)):
        if number is not None:
            needed.add(number)
    for chain in _states(view.chain):
        if chain.champion is not None:
            needed.add(chain.champion)
        needed.update(_first_sound(view, next_in_line(chain, list(view.versions)), keep))
    return needed


def _provisional(chain: Chain) -> str | None:
    """The version that scores without a champion, or would if its retirement were taken back.

    The journal says so; its alias may have been deleted from outside.
    """
    return chain.provisional or chain.retired_provisional


def _waiting(chain: Chain) -> str | None:
    """The version that waits for approval, or would if its retirement were taken back."""
    return chain.waiting or chain.retired_waiting


def _first_sound(view: ModelView, line: list[str], keep: int) -> Iterator[str]:
    """The line up to its ``keep``-th sound version; one that cannot be read may be read again."""
    sound = 0
    for number in line:
        if sound == keep:
            return
        yield number
        sound += not view.is_retired(number) and view.files(number).is_sound


def _states(chain: Chain) -> list[Chain]:
    """The journal as it is, and as it was before the changes that may still be taken back."""
    entries = dict(chain.entries)
    while entries and _may_be_taken_back(list(entries.values())[-1]):
        entries.popitem()
    return [chain, Chain(entries)]


def _may_be_taken_back(entry: Entry) -> bool:
    stepped_down = entry.to_version is None
    by_doctor = entry.is_by_doctor and entry.action in (journal.RETIRE, journal.ROLLBACK)
    return entry.is_note or stepped_down or by_doctor


@asks_the_store
def delete_version(registry: Registry, surplus: Surplus) -> bool:
    """Note it in the journal, then delete the version, with files that no other version names.

    Returns:
        Whether it was deleted, and did not become champion meanwhile.

    Raises:
        RegistryError: the journal was changed from outside.
    """
    version = surplus.version
    chain = journal.read_whole(registry.client, version.name)
    note = chain.notes.get(version.version)
    # An attempt that was broken off has left its note.
    if note is None or note.action != journal.PRUNE:
        write_note(
            registry,
            version.name,
            journal.PRUNE,
            version.version,
            surplus.reason,
            {"reason": surplus.reason},
        )
    now = journal.read_whole(registry.client, version.name)
    if version.version in {now.champion, now.waiting, *registry.aliases(version.name).values()}:
        return False
    registry.client.delete_model_version(version.name, version.version)
    if version.model_id and not surplus.named_by:
        registry.client.delete_logged_model(version.model_id)
    return True


def surplus_runs(refusals: Iterable[dict[str, Any]], rules: Rules) -> list[dict[str, Any]]:
    """Refused runs that are not among the newest of their model, and old by the rules."""
    seen: dict[str, int] = {}
    found = []
    for refusal in refusals:  # newest first
        model = str(refusal["model"])
        seen[model] = seen.get(model, 0) + 1
        if seen[model] > rules.keep and rules.is_old(datetime.fromisoformat(refusal["created"])):
            found.append(refusal)
    return found


@asks_the_store
def delete_run(registry: Registry, run_id: str) -> None:
    """Delete a run with its report; MLflow keeps it until ``mlflow gc``."""
    registry.client.delete_run(run_id)
