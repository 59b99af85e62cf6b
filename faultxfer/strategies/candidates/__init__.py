"""Candidates of the stack. To add one: a class in a file here, a line in :func:`default_candidates`."""

from __future__ import annotations

from faultxfer.bundle.input_map import MAPS
from faultxfer.strategies.candidates.heads import AdaptedInput, FreshHead, MapHead, WideHead
from faultxfer.strategies.candidates.instances import ReweightedBoosting, SeveralMaps, TrAdaBoost
from faultxfer.strategies.candidates.pooled_head import PooledHead
from faultxfer.strategies.candidates.protocol import Candidate, Rows
from faultxfer.strategies.candidates.rivals import (
    AlwaysNormal,
    PooledBoosting,
    PooledLinear,
    ScratchBoosting,
    ScratchForest,
    ScratchLinear,
    SourceAsIs,
)
from faultxfer.strategies.candidates.source_logits import (
    BinHead,
    LogitForest,
    LogitHead,
    ResidualBoosting,
    WideLogitHead,
)

__all__ = [
    "Candidate",
    "Rows",
    "SourceAsIs",
    "default_candidates",
    "instance_transfers",
    "neural_transfers",
    "pooled_heads",
    "rivals",
    "tree_transfers",
]


def rivals() -> tuple[Candidate, ...]:
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
        SourceAsIs("linear", "source"),
        SourceAsIs("trees", "source"),
    )


def default_candidates() -> tuple[Candidate, ...]:
    """The rivals, and the source network as it is under every input map.

    Heads, forests and boosting on top of the source's models did not add to these (``docs/transfer-quality.md``).
    """
    return (*rivals(), *(SourceAsIs("network", name) for name in MAPS))


def tree_transfers() -> tuple[Candidate, ...]:
    """Transfer that needs the source's trees and its linear model, and no network."""
    maps = ("target", "normal", "offset", "blend")
    both = ("trees", "linear")
    return (
        *(SourceAsIs("trees", name) for name in maps),
        *(SourceAsIs("linear", name) for name in maps),
        *(PooledLinear(name) for name in ("normal", "offset")),
        *(PooledBoosting(name) for name in ("normal", "offset")),
        *(PooledBoosting(name, share=0.5) for name in ("source", "target", "normal", "offset")),
        LogitForest(("trees",)),
        LogitForest(both),
        ResidualBoosting(("trees",), ("source",)),
        ResidualBoosting(("trees",)),
        ResidualBoosting(both),
        LogitHead(both),
        WideLogitHead(("trees",)),
        WideLogitHead(both),
        BinHead(),
        BinHead(("trees",)),
    )


def neural_transfers() -> tuple[Candidate, ...]:
    """Transfer through the source network, frozen."""
    maps = ("source", "target", "normal", "offset")
    three = ("network", "trees", "linear")
    return (
        *(SourceAsIs("network", name) for name in (*maps, "blend")),
        *(MapHead(name, penalty) for name in maps for penalty in (1.0, 10.0)),
        *(FreshHead(name, 3.0) for name in maps),
        *(WideHead(name) for name in maps),
        *(
            AdaptedInput(name, strength)
            for name in ("source", "normal", "target")
            for strength in (1.0,)
        ),
        AdaptedInput("source", 5.0),
        LogitForest(("network",)),
        LogitForest(("network", "trees")),
        ResidualBoosting(("network",)),
        ResidualBoosting(("network", "trees")),
        LogitHead(("network",)),
        LogitHead(three),
        WideLogitHead(("network",)),
        WideLogitHead(three),
        BinHead(("network",)),
        BinHead(("network", "trees")),
    )


def instance_transfers() -> tuple[Candidate, ...]:
    """Transfer that ships nothing of the source but needs its rows while it is fitted."""
    return (
        ReweightedBoosting("source"),
        ReweightedBoosting("target"),
        TrAdaBoost("source"),
        TrAdaBoost("target"),
        SeveralMaps(("source", "target"), 0.5),
        SeveralMaps(("source", "target", "normal", "offset"), 0.5),
        SeveralMaps(("source", "target", "normal", "offset"), 0.1),
        PooledBoosting("source", share=0.8),
        PooledBoosting("target", share=0.8),
        ResidualBoosting(("trees",), ("source",), rounds=120),
        ResidualBoosting(("trees",), rounds=120),
    )


def pooled_heads() -> tuple[Candidate, ...]:
    """Heads on frozen features that see the source's rows while they are fitted."""
    maps = ("source", "target", "offset")
    return (*(PooledHead(name) for name in maps), *(PooledHead(name, share=0.5) for name in maps))
