"""Who does the work on a file: the lists of steps themselves, or flow runs of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from faultxfer.landing.ledger import Part
from faultxfer.requests import ScoreRequest, TransferRequest, ValidateRequest


class WorkError(Exception):
    """Work ended in a way that nobody foresaw."""


@dataclass(frozen=True)
class Scored:
    """What came of scoring a file.

    Attributes:
        rows: how many were scored.
        alarms: how many of them raise one.
        by: what scored, as `champion version 3`.
        note: what is to be known of the rows, in a sentence; empty where there is nothing.
        why, command: what to do about it, and what to type; empty likewise.
    """

    rows: int
    alarms: int
    by: str
    note: str = ""
    why: str = ""
    command: str = ""

    @classmethod
    def of(cls, result: Any) -> Scored:
        """Of what ``pipeline.score`` gives back."""
        by = f"{result.scored_with} version {result.model_version}"
        made = cls(rows=result.rows.accepted, alarms=result.alarm_rows, by=by)
        if not result.lost_note:
            return made
        then = result.next[-1]
        return replace(made, note=result.lost_note, why=then.why, command=then.command)


def _parts(path: Path, folder: str | None, contract: Path) -> tuple[Part, ...]:
    # Loads pandas, as everything does that reads a file.
    from faultxfer.contract.schema import load_contract
    from faultxfer.landing.contents import parts_of

    return parts_of(path, folder, load_contract(contract))


def _require_watchable(contract: Path) -> None:
    from faultxfer.contract.schema import load_contract
    from faultxfer.landing.contents import require_watchable

    require_watchable(load_contract(contract))


@dataclass(frozen=True)
class Workers:
    """What a watcher calls; each is given the digest of the content that it is done for.

    Attributes:
        score: scores a file.
        transfer: transfers, and gives back what came of it, in one sentence.
        require_scorer: given source model and machine, raises ``NoVersionError`` where the machine
            has no version that can score.
        check: checks a file that nothing can score yet; raises ``DataError`` where it does not fit.
        interrupted: is told where work on a content was begun by a process that was killed.
        parts: given a file, its sub-folder and the contract, the machines whose rows it holds.
        require_watchable: raises ``ConfigError`` where files of a contract cannot be watched.
        rest: is called after each look.
    """

    score: Callable[[ScoreRequest, str], Scored]
    transfer: Callable[[TransferRequest, str], str]
    require_scorer: Callable[[str, str], None]
    check: Callable[[ValidateRequest], None]
    interrupted: Callable[[str], None] = lambda _: None
    parts: Callable[[Path, str | None, Path], tuple[Part, ...]] = _parts
    require_watchable: Callable[[Path], None] = _require_watchable
    rest: Callable[[], None] = lambda: None


def require_scorer(model: str, machine: str) -> None:
    """Ask the registry whether a machine has a version that can score.

    Raises:
        NoVersionError: it has none.
    """
    # Loaded when a file is there to be scored.
    from faultxfer.steps.scorers import require_scorer

    require_scorer(model, machine)


def check(request: ValidateRequest) -> None:
    """Check a file against the contract of its family.

    Raises:
        DataError: it does not fit, by the first reason.
    """
    from faultxfer import pipeline
    from faultxfer.contract.outcome import refusal

    rows = pipeline.validate(request)
    if rows.refused:
        raise refusal(rows.findings, "The file does not fit the contract")


def sentence_of(result: Any) -> str:
    """What came of a transfer, by what ``pipeline.transfer`` gives back."""
    return str(getattr(result, "headline", None) or result.reason)


def _score(request: ScoreRequest, _: str) -> Scored:
    from faultxfer import pipeline

    return Scored.of(pipeline.score(request))


def _transfer(request: TransferRequest, _: str) -> str:
    from faultxfer import pipeline

    return sentence_of(pipeline.transfer(request))


PLAINLY = Workers(_score, _transfer, require_scorer, check)
