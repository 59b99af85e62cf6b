"""The journal: which version was champion, from when, by whom and why.

The journal of a registered model is a registered model of its own, and each of its versions is one
entry. MLflow gives version numbers one after the other and never again, over a database and over
HTTP alike, and stores a version's tags in the same transaction. So adding a version is a
compare-and-swap: every entry names the hash of the entry it follows, and of two entries that follow
the same one, the lower number counts and the other is void. See ``docs/decisions/0010``.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from faultxfer.errors import ChampionMovedError, RegistryError
from faultxfer.registry import descriptions, names, provenance
from faultxfer.registry.clients import all_pages
from faultxfer.registry.mlflow_errors import asks_the_store

if TYPE_CHECKING:
    from mlflow import MlflowClient

PROMOTE, ROLLBACK, ADOPT, RETIRE = "promote", "rollback", "adopt", "retire"
RESTORE, MERGE, PRUNE, PROVISIONAL = "restore", "merge", "prune", "provisional"
# A version waits for a person's approval; how that ends where nobody approves it.
WAITING, REJECT, EXPIRE = "waiting", "reject", "expire"
# Of an entry's details: the version that it concerns, and who decided where that was no person.
VERSION, DECIDED_BY, DOCTOR = "version", "by", "doctor"
# Of the details of a promotion by a transfer or a pretraining: what came of it, in words.
OUTCOME = "outcome"
# Of the details of a waiting version: the rules of its approval; of its promotion: who settled what
# whom started.
APPROVAL = "approval"
# What came of a version that waited, in words.
REJECTED, EXPIRED, REPLACED, APPROVED = "rejected", "expired", "replaced", "promoted by approval"
# What the first entry follows.
BEGINNING = "0" * 64
_TEXT = "faultxfer.entry"
# MLflow wants a source of every version; an entry that leaves no champion has none.
_NOBODY = "faultxfer:///nobody"
# MLflow takes tags of 100 000 characters; a plant's folder may hold more files than fit.
_LONGEST = 90_000


@dataclass(frozen=True)
class Entry:
    """One change of champion, or a note on another version.

    Attributes:
        model: registered model.
        action: ``promote``, ``rollback``, ``adopt`` for a champion that was there before its
            journal, ``retire`` for a version that cannot be used, ``restore`` where that is taken
            back, ``merge`` where another model holds the machine's champion, ``prune`` for a
            version that was deleted, or ``provisional`` for one that a machine without champion is
            scored with.
        from_version, to_version: champion before and after; None for nobody. In a note both are the
            champion of then, and the version that it concerns stands in ``details["version"]``.
        reason: why, in a sentence.
        files_sha256: over all files of ``to_version``, or of the version that is provisional or
            waits.
        previous: SHA-256 of the entry that this one follows.
        details: gate, digests of data, contract and report, source version, seed, code.
        actor: who or what did it.
        at: when (ISO 8601, UTC).
        id: tells an entry that was sent twice from two entries.
    """

    model: str
    action: str
    from_version: str | None
    to_version: str | None
    reason: str
    files_sha256: str | None
    previous: str
    details: dict[str, Any] = field(default_factory=dict)
    actor: str = field(default_factory=provenance.actor)
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def text(self) -> str:
        """The entry as stored: JSON with sorted keys."""
        return self._text

    @cached_property
    def _text(self) -> str:
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return json.dumps(said, sort_keys=True, ensure_ascii=False)

    @cached_property
    def sha256(self) -> str:
        """What the next entry names."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    @property
    def is_note(self) -> bool:
        """Whether the champion stayed, and the entry is about another version or another model."""
        return self.from_version == self.to_version and self.action not in (
            PROMOTE,
            ROLLBACK,
            ADOPT,
        )

    @property
    def concerns(self) -> str | None:
        """The version that a note, a retirement or a merge is about."""
        named = self.details.get(VERSION)
        if named is not None:
            return str(named)
        return self.from_version if self.to_version is None else self.to_version

    @property
    def is_by_doctor(self) -> bool:
        """Whether the doctor decided, and not a person or a gate."""
        # Release 0.1.0 said so in the reason alone.
        of_then = self.reason.startswith("doctor: ") and not self.details
        return self.details.get(DECIDED_BY) == DOCTOR or of_then


@dataclass(frozen=True)
class Wait:
    """A version that waits for a person's approval, or waited for it.

    Attributes:
        entry: by which it began to wait.
        end: the entry that ended it; None while it waits.
    """

    entry: Entry
    end: Entry | None = None

    @property
    def version(self) -> str:
        """Its number."""
        return str(self.entry.concerns)

    @property
    def rules(self) -> dict[str, Any]:
        """The rules of the approval, as they were when it began to wait."""
        return dict(self.entry.details.get(APPROVAL) or {})

    @property
    def until(self) -> datetime | None:
        """When it waits no more; None where it waits for ever."""
        said = self.rules.get("until")
        return datetime.fromisoformat(str(said)) if said else None

    @property
    def is_over(self) -> bool:
        """Whether its time ran out, and no entry says so yet."""
        return self.end is None and self.until is not None and datetime.now(UTC) >= self.until

    @property
    def is_open(self) -> bool:
        """Whether a person can approve or reject it now."""
        return self.end is None and not self.is_over

    @property
    def is_overtaken(self) -> bool:
        """Whether another champion came, or the champion went, since it was judged."""
        return self.outcome == REPLACED and self.end is not None and not self.end.is_note

    @property
    def outcome(self) -> str:
        """What came of it: ``waiting``, ``rejected``, ``expired``, ``replaced`` and so on."""
        if self.end is None:
            return EXPIRED if self.is_over else WAITING
        if not self.end.is_note:
            return APPROVED if self.end.to_version == self.version else REPLACED
        return _ENDS.get(self.end.action, REPLACED)

    @property
    def may_resume(self) -> bool:
        """Whether it was ended by a retirement, which can be taken back."""
        return self.end is not None and self.end.action == RETIRE and self.end.is_note

    def ended_by(self, entry: Entry) -> bool:
        """Whether an entry that follows ends it."""
        if not entry.is_note or entry.action == WAITING:
            return True
        return entry.action in _ENDS and entry.concerns == self.version


# Notes on a waiting version that end its wait, and what came of it.
_ENDS = {REJECT: REJECTED, EXPIRE: EXPIRED, RETIRE: "retired", PRUNE: "retired"}


@dataclass(frozen=True)
class Chain:
    """A journal as read.

    Attributes:
        entries: those that count, oldest first, by their number.
        void: numbers of entries that lost a race; nothing followed from them.
        problems: what shows that the journal was changed afterwards.
    """

    entries: dict[int, Entry]
    void: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def last(self) -> Entry | None:
        """The newest entry, which names the present champion; None for an empty journal."""
        return list(self.entries.values())[-1] if self.entries else None

    @property
    def champion(self) -> str | None:
        """Number of the present champion; None for nobody, and for an empty journal."""
        return self.last.to_version if self.last else None

    @property
    def changes(self) -> list[Entry]:
        """The entries that changed the champion, oldest first."""
        return [entry for entry in self.entries.values() if not entry.is_note]

    @property
    def last_change(self) -> Entry | None:
        """The entry that made the present champion, or left nobody; None where there is none."""
        changes = self.changes
        return changes[-1] if changes else None

    @property
    def retirements(self) -> dict[str, Entry]:
        """The entry that retired it, by number of each version that is retired now."""
        retired: dict[str, Entry] = {}
        for entry in self.entries.values():
            version = entry.concerns
            if version is not None and entry.action == RETIRE:
                retired[version] = entry
            elif version is not None and entry.action in (RESTORE, PROVISIONAL, WAITING):
                retired.pop(version, None)
            if entry.to_version is not None and not entry.is_note:
                retired.pop(entry.to_version, None)
        return retired

    @property
    def provisional(self) -> str | None:
        """Number of the version that scores while nobody is champion; None where there is none.

        A champion ends it. A retirement ends it too, and is the one end that can be taken back.
        """
        return self._provisional_and_retired[0]

    @property
    def retired_provisional(self) -> str | None:
        """The version that is provisional again where its retirement is taken back."""
        return self._provisional_and_retired[1]

    @property
    def _provisional_and_retired(self) -> tuple[str | None, str | None]:
        number: str | None = None
        retired: str | None = None
        for entry in self.entries.values():
            if entry.to_version is not None:
                number, retired = None, None
            elif entry.action == PROVISIONAL:
                number, retired = entry.concerns, None
            elif number is not None and entry.action == RETIRE and entry.concerns == number:
                number, retired = None, number
            elif retired is not None and entry.action == RESTORE and entry.concerns == retired:
                number, retired = retired, None
        return number, retired

    @property
    def waiting(self) -> str | None:
        """Number of the version that waits for approval; None where there is none."""
        return next((number for number, wait in self.waits.items() if wait.end is None), None)

    @property
    def waits(self) -> dict[str, Wait]:
        """The newest wait by number of each version that ever waited for approval.

        Another version that waits ends it, and so does every change of champion: it was judged
        against the champion of then. A retirement is the one end that can be taken back.
        """
        return self._waits_and_last[0]

    @property
    def retired_waiting(self) -> str | None:
        """The version that waits again where its retirement is taken back."""
        last = self._waits_and_last[1]
        return last.version if last is not None and last.may_resume else None

    @property
    def _waits_and_last(self) -> tuple[dict[str, Wait], Wait | None]:
        waits: dict[str, Wait] = {}
        last: Wait | None = None
        for entry in self.entries.values():
            if last is not None and last.end is None and last.ended_by(entry):
                last = replace(last, end=entry)
            elif last is not None and _resumes(last, entry):
                last = Wait(last.entry)
            if last is not None:
                waits[last.version] = last
            if entry.action == WAITING:
                last = Wait(entry)
                waits[last.version] = last
            elif not entry.is_note:
                last = None
        return waits, last

    @property
    def notes(self) -> dict[str, Entry]:
        """The newest note by number of the version that it concerns."""
        notes = (entry for entry in self.entries.values() if entry.is_note)
        return {entry.concerns: entry for entry in notes if entry.concerns is not None}

    @property
    def merged_into(self) -> str | None:
        """The model that this one's champion stepped down for, where it is so still."""
        change = self.last_change
        stepped_down = change is not None and change.action == MERGE and change.to_version is None
        return str(change.details.get("into")) if change and stepped_down else None

    @property
    def head(self) -> str:
        """SHA-256 of the last entry."""
        return self.last.sha256 if self.last else BEGINNING

    def recorded_files(self, version: str) -> str | None:
        """SHA-256 over a version's files as first named here; None where the journal lacks it.

        Where the whole model was deleted its numbers begin anew, so only what follows the last time
        that nobody was champion, before the number's last promotion, is of this version. A version
        becomes provisional, or begins to wait, when it is registered, so nothing before that is of
        it.
        """
        found = None
        for entry in reversed(self.entries.values()):
            if entry.action in (PROVISIONAL, WAITING) and entry.concerns == version:
                return found or entry.files_sha256
            if entry.is_note:
                continue
            if entry.to_version is None and entry.action == RETIRE and found is not None:
                break
            if entry.to_version == version and entry.files_sha256 is not None:
                found = entry.files_sha256
        return found

    @property
    def provisionals(self) -> dict[str, Entry]:
        """The newest entry that made it provisional, by number of each version that ever was."""
        made = (entry for entry in self.entries.values() if entry.action == PROVISIONAL)
        return {str(entry.concerns): entry for entry in made}

    @property
    def registered(self) -> set[str]:
        """Numbers of versions that were registered whole: promoted, provisional now, or waiting."""
        others = {self.provisional, self.waiting}
        return self.promoted | {number for number in others if number is not None}

    @property
    def promoted(self) -> set[str]:
        """Numbers of versions that became champion since the journal last left nobody."""
        numbers: set[str] = set()
        for entry in self.changes:
            if entry.to_version is not None:
                numbers.add(entry.to_version)
            elif entry.action == RETIRE:
                numbers = set()
        return numbers


def _resumes(wait: Wait, entry: Entry) -> bool:
    """Whether an entry takes back the retirement that ended a wait."""
    return wait.may_resume and entry.action == RESTORE and entry.concerns == wait.version


def chained(model: str, stored: Iterable[tuple[int, str]]) -> Chain:
    """Follow the hashes through the entries of ``model``'s journal.

    Args:
        model: registered model that the journal is of.
        stored: number and text of every entry, in any order.
    """
    entries: dict[int, Entry] = {}
    void, problems = [], []
    head, known, expected = BEGINNING, {BEGINNING}, 1
    for number, text in sorted(stored):
        if number != expected:
            problems.append(f"{_numbers(expected, number - 1)} missing")
        expected = number + 1
        entry = parsed(text)
        if entry is None or entry.model != model:
            problems.append(f"entry {number} is not one of this journal")
        elif entry.previous == head:
            entries[number], head = entry, entry.sha256
            known.add(head)
        elif entry.previous in known:
            void.append(number)
        else:
            problems.append(f"entry {number} does not follow from an entry before it")
    return Chain(entries, tuple(void), tuple(problems))


@asks_the_store
def read_journal(client: MlflowClient, model: str) -> Chain:
    """The journal of a registered model; empty where it has none."""
    return chained(model, stored_entries(client, names.journal_name(model)))


@asks_the_store
def stored_entries(client: MlflowClient, name: str) -> list[tuple[int, str]]:
    """Number and text of every entry of a journal; of any other model the texts are empty."""
    found = all_pages(client.search_model_versions, names.equals(name), max_results=1000)
    return [
        (int(item.version), (item.tags or {}).get(_TEXT, "")) for item in found if item.name == name
    ]


def is_stored_journal(client: MlflowClient, name: str) -> bool:
    """Whether the versions of a registered model are entries of a journal, whatever its name."""
    return any(text for _, text in stored_entries(client, name))


def read_whole(client: MlflowClient, model: str) -> Chain:
    """The journal, to act on it.

    Raises:
        RegistryError: it was changed from outside.
    """
    chain = read_journal(client, model)
    require_whole(chain, model)
    return chain


@asks_the_store
def append(client: MlflowClient, entry: Entry) -> None:
    """Add an entry, if the one it follows is still the last.

    Raises:
        ChampionMovedError: another one came first.
        RegistryError: the journal was changed from outside.
    """
    append_to(client, read_whole(client, entry.model), entry)


@asks_the_store
def append_to(client: MlflowClient, chain: Chain, entry: Entry) -> None:
    """As :func:`append`, to a journal that was just read and is whole.

    Raises:
        ChampionMovedError: another one came first.
    """
    if chain.head != entry.previous:
        raise moved(entry.model)
    if chain.last is None:
        _ensure_journal(client, entry.model)
    client.create_model_version(
        names.journal_name(entry.model),
        names.version_uri(entry.model, entry.to_version) if entry.to_version else _NOBODY,
        tags={_TEXT: _short(entry).text()},
        description=_described(entry),
    )
    # Over HTTP a lost answer is asked for again: not the number given back but the journal says who
    # came first.
    if entry.id not in {other.id for other in read_journal(client, entry.model).entries.values()}:
        raise moved(entry.model)


def require_head(client: MlflowClient, model: str, head: str) -> None:
    """Say before any work is done that a decision comes too late.

    Raises:
        ChampionMovedError: the last entry is another one than ``head``.
        RegistryError: the journal was changed from outside.
    """
    if read_whole(client, model).head != head:
        raise moved(model)


def require_whole(chain: Chain, model: str) -> None:
    """Nothing is promoted on a journal that somebody changed.

    Raises:
        RegistryError: with what is wrong.
    """
    if chain.problems:
        raise RegistryError(
            "The journal was changed from outside",
            received={"problems": list(chain.problems)},
            where=names.journal_name(model),
            remedy="Restore the tracking store from a backup, or see `docs/registry.md` on a "
            "broken journal; the champion stays as it is",
        )


def moved(model: str) -> ChampionMovedError:
    """The error for a decision that comes too late."""
    return ChampionMovedError(
        "Another promotion came first: the candidate was judged against an earlier champion",
        received={"model": model},
        remedy="Run it again: it is then judged against the new champion",
    )


def _ensure_journal(client: MlflowClient, model: str) -> None:
    from mlflow.exceptions import MlflowException

    name = names.journal_name(model)
    if not any(model.name == name for model in client.search_registered_models(names.equals(name))):
        # Another process may have made it meanwhile; if not, adding the entry fails too.
        with suppress(MlflowException):
            tags = {names.KIND: names.JOURNAL_KIND}
            client.create_registered_model(name, tags, descriptions.of_journal(model))


def _short(entry: Entry) -> Entry:
    """The entry with one digest over all data files, where there are too many to name."""
    if len(entry.text()) <= _LONGEST:
        return entry
    files = json.dumps(entry.details.get("data"), sort_keys=True)
    digest = {
        "files": len(entry.details.get("data") or ()),
        "sha256": hashlib.sha256(files.encode()).hexdigest(),
    }
    return replace(entry, reason=entry.reason[:5000], details={**entry.details, "data": digest})


# A look at everything follows the same journals for several reasons.
@lru_cache(maxsize=4096)
def parsed(text: str) -> Entry | None:
    """An entry from its text; None where it is none, or was edited."""
    try:
        content = json.loads(text)
        entry = Entry(**content)
    except (TypeError, ValueError):
        return None
    # Any other text would have another hash than it shows.
    return entry if entry.text() == text else None


def _described(entry: Entry) -> str:
    if entry.is_note:
        what = f"version {entry.concerns}"
    else:
        what = " → ".join(
            f"version {one}" if one else "no champion"
            for one in (entry.from_version, entry.to_version)
        )
    return f"**{entry.action}**: {what}, by {entry.actor}\n\n{entry.reason[:4000]}"


def _numbers(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
