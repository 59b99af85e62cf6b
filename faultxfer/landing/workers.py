"""Who does the work on a file: the lists of steps themselves, or flow runs of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faultxfer.requests import ScoreRequest, TransferRequest, ValidateRequest


@dataclass(frozen=True)
class Workers:
    """What a watcher calls; each is given the digest of the content that it is done for.

    Attributes:
        score: scores a file, and gives back what ``pipeline.score`` does.
        transfer: transfers, and gives back what ``pipeline.transfer`` does.
        require_scorer: given source model and machine, raises ``NoVersionError`` where the machine
            has no version that can score.
        check: checks a file that nothing can score yet; raises ``DataError`` where it does not fit.
        interrupted: is told where work on a content was begun by a process that was killed.
    """

    score: Callable[[ScoreRequest, str], Any]
    transfer: Callable[[TransferRequest, str], Any]
    require_scorer: Callable[[str, str], None]
    check: Callable[[ValidateRequest], None]
    interrupted: Callable[[str], None] = lambda _: None


def require_scorer(model: str, machine: str) -> None:
    """Ask the registry whether a machine has a version that can score.

    Raises:
        NoVersionError: it has none.
    """
    # Loaded when a file is there to be scored.
    from faultxfer.steps import scoring

    scoring.require_scorer(model, machine)


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


def _score(request: ScoreRequest, _: str) -> Any:
    from faultxfer import pipeline

    return pipeline.score(request)


def _transfer(request: TransferRequest, _: str) -> Any:
    from faultxfer import pipeline

    return pipeline.transfer(request)


PLAINLY = Workers(_score, _transfer, require_scorer, check)
