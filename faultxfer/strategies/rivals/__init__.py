"""Honest alternatives to transfer.

To add one: a class here, a line in ``RIVALS``; the common suite then tests it. Those that pool or
rescale are learners of the stack, each under every input map.
"""

from __future__ import annotations

from faultxfer.bundle.input_map import BLEND, MAPS, NORMAL, OFFSET, SOURCE, TARGET
from faultxfer.strategies.alone import RivalFromScratch, RivalLearner
from faultxfer.strategies.learners.rivals import (
    AlwaysNormal,
    PooledBoosting,
    PooledLinear,
    ScratchBoosting,
    SourceThroughMap,
)
from faultxfer.strategies.protocol import Requirement, Rival
from faultxfer.strategies.rivals.scratch import ScratchLogistic
from faultxfer.strategies.rivals.scratch_network import ScratchNetwork
from faultxfer.strategies.rivals.source_as_is import SourceAsIs

_SCALED = {
    SOURCE: "source's scale",
    TARGET: "target's scale",
    NORMAL: "scale of normal rows",
    OFFSET: "offset of normal rows",
    BLEND: "blended scale",
}


def _rescaled(name: str) -> Rival:
    title = f"source model, {_SCALED[name]}"
    return RivalLearner(f"source_as_is_{name}", title, SourceThroughMap("network", name))


def _pooled(name: str) -> Rival:
    title = f"gradient boosting, source + target rows, {_SCALED[name]}"
    return RivalLearner(f"boosting_pooled_{name}", title, PooledBoosting(name), source_rows=True)


_ALL: tuple[Rival, ...] = (
    # Log-odds of the rows at hand would differ from fold to fold, and calibration could make
    # alarms of that. The calibrator states the prevalence.
    RivalFromScratch("always_normal", "always normal", AlwaysNormal(log_odds=0.0)),
    SourceAsIs(),
    *(_rescaled(name) for name in MAPS if name != SOURCE),
    ScratchNetwork(),
    ScratchLogistic(),
    RivalFromScratch(
        "boosting_target",
        "gradient boosting, target rows",
        ScratchBoosting(
            balanced=True, small_leaves=True, rounds=150, learning_rate=0.08, min_data_in_bin=3
        ),
        needs=(Requirement.BOTH_CLASSES,),
        windows=True,
    ),
    RivalLearner(
        "logistic_pooled",
        "logistic regression, source + target rows",
        PooledLinear(TARGET),
        source_rows=True,
    ),
    *(_pooled(name) for name in MAPS),
)
RIVALS: dict[str, Rival] = {rival.name: rival for rival in _ALL}
# Rivals that are one idea under several scales: idea -> name of the rival -> its scale in words.
VARIANTS: dict[str, dict[str, str]] = {
    "source_as_is": {f"source_as_is_{name}": _SCALED[name] for name in MAPS if name != SOURCE},
    "logistic_pooled": {"logistic_pooled": _SCALED[TARGET]},
    "boosting_pooled": {f"boosting_pooled_{name}": _SCALED[name] for name in MAPS},
}
# Ideas of which the report shows the scale that was best out of fold, with the idea's title.
CHOSEN: dict[str, str] = {
    "logistic_pooled": "logistic regression, source + target rows",
    "boosting_pooled": "gradient boosting, source + target rows",
}
