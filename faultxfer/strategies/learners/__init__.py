"""Learners of the stack. To add one: a class in a file here, a line in a list below."""

from __future__ import annotations

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.input_map import MAPS
from faultxfer.strategies.learners.boosting import SCRATCH
from faultxfer.strategies.learners.over_windows import BEHIND, OverWindows
from faultxfer.strategies.learners.protocol import Learner, TrainingRows
from faultxfer.strategies.learners.rivals import (
    SOURCE_NETWORK,
    AlwaysNormal,
    PooledBoosting,
    PooledLinear,
    ScratchBoosting,
    ScratchForest,
    ScratchLinear,
    SourceThroughMap,
)
from faultxfer.strategies.learners.sensors_differ import learners_for_missing, learners_for_new

__all__ = [
    "SOURCE_NETWORK",
    "Learner",
    "TrainingRows",
    "default_learners",
    "learners_beside",
    "learners_over_windows",
    "over_windows",
    "rivals",
]


def rivals() -> tuple[Learner, ...]:
    """What an honest report compares with."""
    return (
        AlwaysNormal(),
        ScratchLinear(),
        ScratchForest(),
        ScratchBoosting(),
        PooledLinear("source"),
        PooledLinear("target"),
        PooledBoosting("source"),
        PooledBoosting("target"),
        SourceThroughMap("linear", "source"),
        SourceThroughMap("trees", "source"),
    )


def default_learners() -> tuple[Learner, ...]:
    """The rivals, and the source network as it is under every input map.

    Heads, forests and boosting on top of the source's models did not add to these
    (``docs/transfer-quality.md``).
    """
    networks = [SourceThroughMap("network", name) for name in MAPS]
    return (*rivals(), *networks)


# Half the trees of a forest, and trees that see a quarter of four features a sensor: so that these
# cost what they do on readings.
_SOME = {"feature_fraction": 0.25}
_WITH_WINDOWS: tuple[Learner, ...] = (
    ScratchLinear(),
    ScratchForest(trees=100),
    ScratchBoosting(**{**SCRATCH, **_SOME}),
    PooledLinear("target"),
    PooledBoosting("target", **_SOME),
    SourceThroughMap("linear", "source"),
    SourceThroughMap("trees", "source"),
)


def learners_over_windows() -> tuple[Learner, ...]:
    """Most rivals once more, on windows of the rows before a row beside the readings."""
    return tuple(OverWindows(one) for one in _WITH_WINDOWS)


def over_windows(learner: Learner) -> tuple[Learner, ...]:
    """What stands for a learner on windows in the stack; nothing where nothing does."""
    return tuple(one for one in learners_over_windows() if one.name == learner.name + BEHIND)


def learners_beside(source: Bundle) -> tuple[Learner, ...]:
    """What stands beside the default where a machine's sensors are not those of its source.

    Args:
        source: narrowed to the machine (:mod:`faultxfer.strategies.narrowing`).
    """
    lacks = source.models is not None and source.models.whole is not None
    has_new = len(source.features) > len(source.scaler.mean)
    missing = learners_for_missing() if lacks else ()
    return (*missing, *(learners_for_new() if has_new else ()))
