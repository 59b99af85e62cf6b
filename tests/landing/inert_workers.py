"""Workers that load no model, and a watcher with them as a process of its own that can be killed."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

from faultxfer.errors import DataError, NoVersionError
from faultxfer.landing.apart import Apart, work
from faultxfer.landing.events import Event
from faultxfer.landing.watching import watch
from faultxfer.landing.workers import Scored, Workers
from faultxfer.requests import ScoreRequest, TransferRequest, ValidateRequest, WatchRequest


@dataclasses.dataclass
class Inert:
    """Scores by writing a line, transfers by noting it.

    Attributes:
        known: machines that have a version; None for all.
        unfit: names of files that do not fit a contract.
    """

    known: set[str] | None = None
    unfit: set[str] = dataclasses.field(default_factory=set)
    scored: list[str] = dataclasses.field(default_factory=list)
    transferred: list[list[str]] = dataclasses.field(default_factory=list)
    interrupted: list[str] = dataclasses.field(default_factory=list)

    def check(self, request: ScoreRequest | ValidateRequest) -> None:
        name = Path(request.files[0]).name
        if name in self.unfit:
            raise DataError("The files do not fit the contract", where=name)

    def score(self, request: ScoreRequest, _: str) -> Scored:
        self.check(request)
        name = Path(request.files[0]).name
        request.out.parent.mkdir(parents=True, exist_ok=True)
        request.out.write_text(f"{name} of {request.equipment}\n")
        self.scored.append(f"{name} of {request.equipment}")
        return Scored(rows=1, alarms=0, by="champion version 1")

    def transfer(self, request: TransferRequest, _: str) -> str:
        self.transferred.append([request.equipment, *(Path(one).name for one in request.files)])
        if self.known is not None:
            self.known.add(request.equipment)
        return f"promoted: {request.equipment}"

    def require_scorer(self, model: str, machine: str) -> None:
        if self.known is not None and machine not in self.known:
            raise NoVersionError(f"{machine} has no version", received={"model": model})

    @property
    def workers(self) -> Workers:
        return Workers(
            self.score, self.transfer, self.require_scorer, self.check, self.interrupted.append
        )


class Killable(Inert):
    """Says when it is in the middle of a file, and stays there where it is asked to."""

    def __init__(self, diary: Path, middle: str, *, after_scoring: bool) -> None:
        super().__init__()
        self.diary, self.middle, self.after = diary, middle, after_scoring

    def score(self, request: ScoreRequest, digest: str) -> Scored:
        name = Path(request.files[0]).name
        if name == self.middle and not self.after:
            self._stay()
        made = super().score(request, digest)
        with self.diary.open("a") as file:
            file.write(f"{name}\n")
        if name == self.middle:
            self._stay()
        return made

    def _stay(self) -> None:
        sys.stdout.write("in the middle\n")
        sys.stdout.flush()
        time.sleep(600)


def killable(asked: dict[str, Any]) -> Workers:
    diary, middle = Path(asked["diary"]), asked.get("middle", "")
    return Killable(diary, middle, after_scoring=asked.get("after", False)).workers


def main(asked: dict[str, Any]) -> None:
    """Watch as asked, and write each event as a line of JSON."""

    def tell(event: Event) -> None:
        sys.stdout.write(json.dumps(event.as_dict()) + "\n")
        sys.stdout.flush()

    request = WatchRequest.model_validate(asked["request"])
    if not asked.get("apart"):
        watch(request, killable(asked), tell)
        return
    with Apart([sys.executable, __file__, json.dumps(asked), "work"]) as apart:
        watch(request, apart.workers, tell)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if sys.argv[2:] == ["work"]:
        work(killable(given))
    else:
        main(given)
