"""Transfers that labelled files start, where the deployment asks for it: one for each machine."""

from __future__ import annotations

from collections.abc import Iterator

from faultxfer.errors import FaultxferError, RegistryError
from faultxfer.landing.delays import Delays
from faultxfer.landing.events import Event
from faultxfer.landing.folder import QUARANTINE, Stamp
from faultxfer.landing.ledger import Entry, Ledger, Part
from faultxfer.landing.workers import Workers
from faultxfer.requests import TransferRequest, WatchRequest

_DONE = ("scored", "waits")
# As often may a transfer end without a result, as where the process runs out of memory.
_MOST_TRIES = 5


class Transfers:
    """What is to be transferred after a look.

    Args:
        request: of the watch.
        workers: who transfers.
        ledger: what was done with each file.
        delays: what is put off.
    """

    def __init__(
        self, request: WatchRequest, workers: Workers, ledger: Ledger, delays: Delays
    ) -> None:
        self.request, self.workers = request, workers
        self.ledger, self.delays = ledger, delays
        self.landing = request.landing

    def due(self) -> Iterator[Event]:
        """Transfer each machine that has labelled rows which started no transfer yet."""
        machines = {part.machine: None for _, part in self._labelled() if not part.transfer}
        for machine in machines:
            if self.delays.is_due(f"transfer {machine}"):
                yield from self._transfer(machine)

    def _labelled(self) -> Iterator[tuple[Entry, Part]]:
        """Labelled rows whose file still lies in the folder."""
        for entry in list(self.ledger.entries.values()):
            if not entry.reason and self._path(entry):
                for part in entry.parts:
                    if part.labelled and part.state in _DONE:
                        yield entry, part

    def _path(self, entry: Entry) -> str | None:
        for name, stamp in entry.files.items():
            path = self.landing / name
            if path.is_file() and Stamp.of(path) == stamp:
                return str(path)
        return None

    def _transfer(self, machine: str) -> Iterator[Event]:
        """One transfer with all labelled files of the machine: what is new alone would forget."""
        labelled = [entry for entry, part in self._labelled() if part.machine == machine]
        new = [entry for entry in labelled if not _part(entry, machine).transfer]
        digest = new[0].digest
        if any(entry.tries for entry in new):
            self.workers.interrupted(digest)
        new = [self.ledger.write(entry.but(tries=entry.tries + 1)) for entry in new]
        try:
            told = self._told(machine, labelled, digest, max(entry.tries for entry in new))
        except RegistryError as error:
            self._keep(new, machine, "", tries=-1)
            self.delays.put_off(f"transfer {machine}")
            yield Event("delayed", new[0].name, str(error), machine)
            return
        except FaultxferError as error:
            self._keep(new, machine, str(error))
            yield Event("refused", new[0].name, f"It starts no transfer: {error}", machine)
            return
        except KeyboardInterrupt:
            self._keep(new, machine, "", tries=-1)
            raise
        except Exception as error:
            self.delays.put_off(f"transfer {machine}")
            message = f"Something went wrong ({type(error).__name__}: {error})."
            yield Event("delayed", new[0].name, message, machine)
            return
        self._keep(new, machine, told)
        yield Event("transferred", new[0].name, told, machine)

    def _told(self, machine: str, entries: list[Entry], digest: str, tries: int) -> str:
        """What came of the transfer, in one sentence.

        Raises:
            FaultxferError: it cannot be made.
        """
        if tries > _MOST_TRIES:
            raise FaultxferError(
                "The transfer ended without a result again and again, as where memory ran out",
                received={"times": tries - 1},
                remedy="Start it by hand, on a machine with more memory",
            )
        files = [path for entry in entries if (path := self._path(entry))]
        return self.workers.transfer(self._request(machine, files), digest)

    def _request(self, machine: str, files: list[str]) -> TransferRequest:
        asked = self.request
        return TransferRequest(
            files=tuple(files),
            contract=asked.contract,
            model=asked.model,
            equipment=machine,
            options=asked.options,
            policy=asked.policy,
            self_approval=asked.self_approval,
            approval_days=asked.approval_days,
            quarantine=self.landing / QUARANTINE,
        )

    def _keep(
        self, entries: list[Entry], machine: str, told: str, tries: int | None = None
    ) -> None:
        """Write what came of it to each file that started it."""
        for entry in entries:
            kept = self.ledger.entries[entry.digest]
            left = 0 if tries is None else max(kept.tries + tries, 0)
            part = _part(kept, machine).but(transfer=told)
            self.ledger.write(kept.with_part(part).but(tries=left))


def _part(entry: Entry, machine: str) -> Part:
    return next(part for part in entry.parts if part.machine == machine)
