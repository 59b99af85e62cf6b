"""Honest alternatives to transfer. To add one: a class here, a line in ``RIVALS``; the common suite then tests it."""

from __future__ import annotations

from faultxfer.strategies.protocol import Rival
from faultxfer.strategies.rivals.boosting import PooledBoosting, TargetBoosting
from faultxfer.strategies.rivals.logistic import PooledLogistic, TargetLogistic
from faultxfer.strategies.rivals.scratch_network import ScratchNetwork
from faultxfer.strategies.rivals.source_as_is import SourceAsIs

RIVALS: dict[str, Rival] = {
    rival.name: rival
    for rival in (
        SourceAsIs(),
        ScratchNetwork(),
        TargetLogistic(),
        TargetBoosting(),
        PooledLogistic(),
        PooledBoosting(),
    )
}
