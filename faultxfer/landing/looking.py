"""One look at a watched folder, and what is done with what is new there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from faultxfer.digest import digest_of_file
from faultxfer.errors import (
    ContractError,
    DataError,
    FaultxferError,
    NoVersionError,
    StrategyError,
)
from faultxfer.following import Next, typed
from faultxfer.landing.delays import Delays
from faultxfer.landing.events import Event
from faultxfer.landing.folder import QUARANTINE, Arrival, Patience, arrivals
from faultxfer.landing.ledger import Entry, Ledger, Part, now
from faultxfer.landing.places import remove_reason, scores_of, write_reason
from faultxfer.landing.transfers import Transfers
from faultxfer.landing.workers import Scored, WorkError, Workers
from faultxfer.outputs import alarms_beside
from faultxfer.registry.written import registry_written
from faultxfer.requests import ScoreRequest, ValidateRequest, WatchRequest
from faultxfer.wording import counted

# What says that the file itself is at fault; everything else may be mended without touching it.
_OF_THE_FILE = (DataError, ContractError, StrategyError)
# As often may work on a file end without a result, as where the process runs out of memory.
_MOST_TRIES = 5


class _ChangedError(Exception):
    """Somebody wrote to a file while it was worked on."""


class Look:
    """Looks at a folder again and again.

    Args:
        request: which folder, for which family.
        workers: who scores and transfers.

    Attributes:
        unfinished: new files that had not settled at the last look.
    """

    def __init__(self, request: WatchRequest, workers: Workers) -> None:
        self.request, self.workers = request, workers
        self.landing = request.landing
        self.patience = Patience(request.settle)
        self.delays = Delays()
        self.unfinished: list[Arrival] = []
        arrivals(self.landing)  # whoever watches no folder is told so before anything is written
        workers.require_watchable(request.contract)
        self.ledger: Ledger
        self._registry_read: float | None = None

    def begin(self) -> None:
        """Read what was done before; nobody else writes it from now on."""
        self.ledger = Ledger(self.landing)

    def at_folder(self) -> Iterator[Event]:
        """Take what is new, transfer what is labelled, and score what waited for a version."""
        new = [one for one in arrivals(self.landing) if self._is_new(one)]
        settled = self.patience.settled(new)
        self.unfinished = [one for one in new if one not in settled]
        for arrival in settled:
            if self.delays.is_due(arrival.name):
                yield from self._take(arrival)
        if self.request.transfer_labelled:
            transfers = Transfers(self.request, self.workers, self.ledger, self.delays)
            yield from transfers.due()
        yield from self._waiting()
        self.workers.rest()

    def _is_new(self, arrival: Arrival) -> bool:
        entry = self.ledger.entry_of(arrival.name, arrival.stamp)
        return entry is None or entry.state == "begun"

    def _take(self, arrival: Arrival) -> Iterator[Event]:
        try:
            digest = digest_of_file(arrival.path)
        except OSError as error:
            yield self._delayed(arrival, f"It cannot be read ({error.strerror or error}).")
            return
        if not arrival.is_unchanged:
            return
        entry = self.ledger.entries.get(digest)
        if entry is not None and entry.state != "begun":
            yield self._copy(entry, arrival)
            return
        yield from self._work(entry or Entry(digest, arrival.name, now()), arrival)

    def _copy(self, entry: Entry, arrival: Arrival) -> Event:
        """Say which file had this content before, and what came of that."""
        self.ledger.write(entry.but(files={**entry.files, arrival.name: arrival.stamp}))
        came = {"scored": "was scored", "waits": "waits", "refused": "was refused"}[entry.state]
        message = f"It has the same content as {entry.name} of {entry.since}, which {came}."
        return Event("copy", arrival.name, message)

    def _work(self, entry: Entry, arrival: Arrival) -> Iterator[Event]:
        """Do what is left to do for a content."""
        if entry.tries:
            self.workers.interrupted(entry.digest)
        files = {**entry.files, arrival.name: arrival.stamp}
        entry = self.ledger.write(entry.but(tries=entry.tries + 1, files=files))
        try:
            entry = self._looked_into(entry, arrival)
            for part in entry.parts:
                if part.state == "begun":
                    entry, event = self._score(entry, part, arrival)
                    yield event
            self._end(entry)
        except _ChangedError:
            self._forget(entry)
        except _OF_THE_FILE as error:
            yield self._refuse(entry, error)
        except FaultxferError as error:
            self._put_back(entry)
            yield self._delayed(arrival, str(error))
        except Exception as error:
            yield self._delayed(arrival, f"Something went wrong ({type(error).__name__}: {error}).")
        except KeyboardInterrupt:  # a stop is no fault of the file
            self._put_back(entry)
            raise

    def _looked_into(self, entry: Entry, arrival: Arrival) -> Entry:
        """The entry with its machines.

        Raises:
            DataError: the file cannot be read, or work on it ended too often.
        """
        if entry.tries > _MOST_TRIES:
            raise DataError(
                "Work on this file ended without a result again and again, as where memory ran out",
                received={"times": entry.tries - 1},
                where=entry.name,
                remedy="Divide it by period",
            )
        if entry.parts:
            return entry
        parts = self.workers.parts(arrival.path, arrival.folder, self.request.contract)
        named = [part.but(scores=self._scores(entry, part.machine)) for part in parts]
        return self.ledger.write(entry.but(parts=tuple(named)))

    def _scores(self, entry: Entry, machine: str) -> str:
        return scores_of(entry.name, entry.digest, machine, self.ledger, self.landing)

    def _score(self, entry: Entry, part: Part, arrival: Arrival) -> tuple[Entry, Event]:
        """Score the rows of one machine.

        Raises:
            _ChangedError: somebody wrote to the file meanwhile.
            FaultxferError: what is no fault of the file.
        """
        try:
            self.workers.require_scorer(self.request.model, part.machine)
            made = self.workers.score(self._request(arrival.path, part), entry.digest)
        except NoVersionError as error:
            return self._without_version(entry, part, error, arrival)
        except _OF_THE_FILE as error:
            return self._unfit(entry, part, error, arrival)
        if not arrival.is_unchanged:
            raise _ChangedError
        told = part.but(state="scored", told=_told(made, part.scores))
        then = Next(made.why, made.command) if made.command else None
        event = Event("scored", entry.name, told.told, part.machine, then)
        return self.ledger.write(entry.with_part(told)), event

    def _request(self, path: Path, part: Part) -> ScoreRequest:
        return ScoreRequest(
            files=(str(path),),
            model=self.request.model,
            equipment=part.machine,
            out=self.landing / part.scores,
            quarantine=self.landing / QUARANTINE,
        )

    def _to_check(self, path: Path, part: Part) -> ValidateRequest:
        return ValidateRequest(
            files=(str(path),),
            contract=self.request.contract,
            equipment=part.machine,
            quarantine=self.landing / QUARANTINE,
        )

    def _unfit(
        self, entry: Entry, part: Part, error: Exception, arrival: Arrival
    ) -> tuple[Entry, Event]:
        """Say once why the rows of a machine are refused."""
        told = part.but(state="refused", told=str(error))
        then = _way_on(error) or self._check_of(arrival.path)
        event = Event("refused", entry.name, str(error), part.machine, then)
        return self.ledger.write(entry.with_part(told)), event

    def _without_version(
        self, entry: Entry, part: Part, error: NoVersionError, arrival: Arrival
    ) -> tuple[Entry, Event]:
        """Say once that nothing can score the rows, and what to type; those that fit wait."""
        try:
            self.workers.check(self._to_check(arrival.path, part))
        except _OF_THE_FILE as unfit:
            return self._unfit(entry, part, unfit, arrival)
        files = str(arrival.path) if part.labelled else "LABELLED.csv"
        machine = ("--model", self.request.model, "--equipment", part.machine)
        command = typed("transfer", files, "--contract", str(self.request.contract), *machine)
        then = Next("Give the machine a version; its files are scored then", command)
        told = part.but(state="waits", told=error.problem)
        event = Event("waits", entry.name, error.problem, part.machine, then)
        return self.ledger.write(entry.with_part(told)), event

    def _waiting(self) -> Iterator[Event]:
        """Score what waited, where its machine has a version by now."""
        waiting = [one for one in self.ledger.entries.values() if one.state == "waits"]
        if not waiting or not self._registry_changed():
            return
        for entry in waiting:
            arrival = self._found(entry)
            if arrival is None or not self.delays.is_due(arrival.name):
                continue
            ready = [part for part in entry.parts if part.state == "waits" and self._has(part)]
            if ready:
                begun = entry
                for part in ready:
                    begun = begun.with_part(part.but(state="begun"))
                yield from self._work(begun, arrival)

    def _has(self, part: Part) -> bool:
        try:
            self.workers.require_scorer(self.request.model, part.machine)
        except NoVersionError:
            return False
        except (FaultxferError, WorkError):
            self._registry_read = None  # it is asked again
            return False
        return True

    def _registry_changed(self) -> bool:
        """Whether it was written to since it was asked for versions: to ask loads MLflow."""
        before, self._registry_read = self._registry_read, registry_written()
        return self._registry_read != before

    def _found(self, entry: Entry) -> Arrival | None:
        """A file that has the content, if it still lies there."""
        for name, stamp in entry.files.items():
            arrival = Arrival(self.landing / name, name, stamp)
            if arrival.is_unchanged:
                return arrival
        return None

    def _end(self, entry: Entry) -> None:
        """All was done that can be: a reason stays only for what is refused now."""
        self.ledger.write(entry.but(tries=0))
        reasons = [f"{one.machine}: {one.told}" for one in entry.parts if one.state == "refused"]
        if reasons:
            write_reason(self.landing, entry, reasons)
        else:
            remove_reason(self.landing, entry.name)

    def _refuse(self, entry: Entry, error: Exception) -> Event:
        write_reason(self.landing, entry, [str(error)])
        entry = self.ledger.write(entry.but(reason=str(error), tries=0))
        path = self.landing / entry.name
        return Event("refused", entry.name, str(error), next=self._check_of(path))

    def _check_of(self, path: Path) -> Next:
        command = typed("validate", str(path), "--contract", str(self.request.contract))
        return Next("See what is wrong with it", command)

    def _forget(self, entry: Entry) -> None:
        """Undo what was done with content that has changed meanwhile."""
        for part in entry.parts:
            scores = self.landing / part.scores
            for path in (scores, alarms_beside(scores)):
                path.unlink(missing_ok=True)
        self.ledger.forget(entry)

    def _put_back(self, entry: Entry) -> None:
        kept = self.ledger.entries[entry.digest]
        self.ledger.write(kept.but(tries=max(kept.tries - 1, 0)))

    def _delayed(self, arrival: Arrival, message: str) -> Event:
        self.delays.put_off(arrival.name)
        return Event("delayed", arrival.name, message)


def _way_on(error: Exception) -> Next | None:
    """The transfer that makes a version without what a file lacks, where that would do."""
    command = getattr(error, "way_on", "")
    return Next("Make a version without what it lacks", command) if command else None


def _told(made: Scored, scores: str) -> str:
    rows, alarms = counted(made.rows, "row"), counted(made.alarms, "alarm")
    return f"{rows} scored with {made.by}, {alarms}: {scores}. {made.note}".strip()
