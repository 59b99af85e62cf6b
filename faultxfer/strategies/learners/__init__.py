"""Learners of the stack. To add one: a class in a file here, a line in a list below."""

from __future__ import annotations

from faultxfer.bundle.input_map import MAPS
from faultxfer.strategies.learners.protocol import Learner, TrainingRows
from faultxfer.strategies.learners.rivals import (
    AlwaysNormal,
    PooledBoosting,
    PooledLinear,
    ScratchBoosting,
    ScratchForest,
    ScratchLinear,
    SourceThroughMap,
)

__all__ = ["Learner", "TrainingRows", "default_learners", "rivals"]


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
