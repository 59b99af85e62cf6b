"""Source and target rows together."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.frozen import Block
from faultxfer.strategies.learners.protocol import TrainingRows


def pooled(rows: TrainingRows, block: Block) -> tuple[np.ndarray, np.ndarray]:
    """(m + n, k + 1) source then target rows with the domain flag last, and their labels."""
    parts = []
    for views, flag in ((rows.source, 0.0), (rows.target, 1.0)):
        features = views.block(block)
        parts.append(np.hstack([features, np.full((len(features), 1), flag)]))
    return np.vstack(parts), np.concatenate([rows.source_y, rows.y])


def domain_weights(source: int, target: int, share: float) -> np.ndarray:
    """(source + target,) weights of rows with mean 1 that give the target's ``share`` of the total, at least one each.

    Args:
        source: how many rows.
        target: how many rows.
        share: of the target, between 0 and 1.
    """
    every = source + target
    each = max(share * every / target, 1.0)
    return np.concatenate(
        [np.full(source, max((every - target * each) / source, 0.05)), np.full(target, each)]
    )
