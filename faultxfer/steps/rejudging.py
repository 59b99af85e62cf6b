"""Judge and register, and judge again where another promotion came first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from faultxfer.errors import ChampionMovedError
from faultxfer.progress import progress
from faultxfer.steps.registration import TransferResult
from faultxfer.steps.repeats import Unchanged
from faultxfer.steps.sources import Fetched, fetch_champion

# Each takes seconds; who loses more often than this has a registry in which something else is wrong.
_JUDGEMENTS = 20

Judging = Callable[[Fetched, Path], TransferResult]
Repeating = Callable[[Fetched], Unchanged | None]


def judge_until_settled(
    judged: Judging,
    repeated: Repeating,
    fetched: Fetched,
    *,
    model: str,
    equipment: str,
    work: Path,
) -> TransferResult | Unchanged:
    """The result of ``judged`` on the champion that is still one when the candidate is promoted.

    Args:
        judged: measures, asks the gate and registers, against the champion given, in the folder given.
        repeated: what came of the same request, where that promotion which came first was made for it: the same
            transfer may have been started twice.
        fetched: source and champion as they were when the transfer began.
        model: the source model.
        equipment: the machine.
        work: folder for what passes between the steps.

    Raises:
        ChampionMovedError: other promotions came first again and again.
    """
    for number in range(1, _JUDGEMENTS + 1):
        folder = work / f"judgement-{number}"
        folder.mkdir()
        try:
            return judged(fetched, folder)
        except ChampionMovedError:
            if number == _JUDGEMENTS:
                raise
        if repeat := repeated(fetched):
            return repeat
        progress.info("Another promotion came first: judging again, against the new champion")
        fetched = fetch_champion(fetched, model, equipment, work=folder)
    raise AssertionError("unreachable")
