"""How a flow run ends: a named state, and one sentence that a person reads in the list of runs.

A refusal is no failure: the work was done, and its result is that nothing was promoted. It is no
plain success either. So it is ``Completed``, as all that was done, and is called ``Refused``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from faultxfer.errors import FaultxferError
from faultxfer.wording import counted, percent

if TYPE_CHECKING:
    # The steps are loaded when they run; how a run ends must not load them.
    from faultxfer.fleet.outcomes import FleetResult
    from faultxfer.landing.events import Watched
    from faultxfer.learning_curves.measuring import LearningResult
    from faultxfer.steps.intake import CheckedRows
    from faultxfer.steps.pretraining import PretrainResult
    from faultxfer.steps.registration import TransferResult
    from faultxfer.steps.repeats import Unchanged
    from faultxfer.steps.scoring import ScoreResult


class UnfitError(Exception):
    """Why a run failed in the end that did what it was asked: a check that refuses a file.

    Attributes:
        made: what the command's caller asked for, such as the findings.
    """

    def __init__(self, message: str, made: Any) -> None:
        super().__init__(message)
        self.made = made


# Outcomes of a transfer that are no plain success, and how their state is called.
STATES = {
    "provisional": "Provisional",
    "waiting": "Waiting",
    "refused": "Refused",
    "unchanged": "Unchanged",
    "dry run": "DryRun",
}


def ended(kind: str, work: Callable[[], Any]) -> State[Any]:
    """Do ``work``; the state that the flow run ends in, with what was made or went wrong.

    Args:
        kind: name of the flow.
        work: what the flow does.
    """
    try:
        result = work()
    except Exception as error:
        return failed(error)
    return _ENDINGS[kind](result)


def failed(error: Exception) -> State[Any]:
    """``Failed`` with the error's sentence; where it went wrong is for a log of details alone."""
    if isinstance(error, FaultxferError):
        return Failed(message=str(error), data=error)
    get_run_logger().debug("Where it went wrong", exc_info=error)
    kind = type(error).__name__
    return Failed(
        message=f"Something went wrong inside faultxfer ({kind}: {error}). "
        "`PREFECT_LOGGING_LEVEL=DEBUG` shows where.",
        data=error,
    )


def _of_transfer(result: TransferResult | Unchanged) -> State[Any]:
    name = STATES.get(result.outcome)
    return Completed(name=name, message=_told(result), data=result)


def _told(result: TransferResult | Unchanged) -> str:
    """What came of a transfer; of a refusal the reason."""
    from faultxfer.evaluate.plant_words import why
    from faultxfer.steps.repeats import Unchanged

    if isinstance(result, Unchanged):
        return f"{result.reason}."
    if result.outcome == "refused":
        return why(result.report, result.decision, result.override)
    return _sentence(result.headline)


def _of_check(rows: CheckedRows) -> State[Any]:
    from faultxfer.contract.outcome import refusal

    if rows.refused:
        message = str(refusal(rows.findings, "The files do not fit the contract"))
        return Failed(message=message, data=UnfitError(message, rows))
    counts = f"{counted(rows.read, 'row')} read, {rows.accepted:,} accepted"
    return Completed(message=f"{counts}, {rows.quarantined:,} set aside.", data=rows)


def _of_source(result: PretrainResult) -> State[Any]:
    message = f"Registered: {result.model} version {result.version}, a source model."
    return Completed(message=message, data=result)


def _of_scores(result: ScoreResult) -> State[Any]:
    rows = result.rows.accepted
    share = f" ({percent(result.alarm_rows / rows)} of the rows)" if rows else ""
    message = (
        f"{counted(rows, 'row')} scored with version {result.model_version}, "
        f"{counted(result.alarm_count, 'alarm')}{share}: {result.out}."
    )
    said = " ".join(filter(None, (message, result.lost_note, result.banner)))
    return Completed(message=said, data=result)


def _of_curve(result: LearningResult) -> State[Any]:
    answers = result.short or result.answers
    return Completed(message=" ".join(answers[:1]), data=result)


def _of_watch(result: Watched) -> State[Any]:
    message = _sentence(result.headline)
    if result.bad:
        message = f"{message} {result.bad[0].sentence}"
        return Failed(message=message, data=UnfitError(message, result))
    return Completed(message=message, data=result)


def _of_fleet(result: FleetResult) -> State[Any]:
    message = _sentence(result.headline)
    if result.outcome == "failed":
        worst = result.machines[0]
        message = f"{message} {worst.machine}: {worst.told}"
        return Failed(message=message, data=UnfitError(message, result))
    name = STATES["refused"] if result.outcome == "refused" else None
    return Completed(name=name, message=message, data=result)


def _sentence(headline: str) -> str:
    return f"{headline[0].upper()}{headline[1:]}."


_ENDINGS: dict[str, Callable[[Any], State[Any]]] = {
    "transfer": _of_transfer,
    "validate": _of_check,
    "pretrain": _of_source,
    "score": _of_scores,
    "learning-curve": _of_curve,
    "watch-folder": _of_watch,
    "fleet": _of_fleet,
}
