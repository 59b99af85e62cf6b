"""Source and target rows together."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.frozen import Block
from faultxfer.strategies.learners.protocol import TrainingRows

_LEAST_WEIGHT = 0.05


def pooled(rows: TrainingRows, blocks: tuple[Block, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(m + n, k + 1) source then target rows with the domain flag last, and their labels."""
    source, target = rows.source.blocks(blocks), rows.target.blocks(blocks)
    return with_flag(source, target), np.concatenate([rows.source_y, rows.y])


def with_flag(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Source rows over target rows, with a last column that tells them apart.

    >>> with_flag(np.array([[7.0], [8.0]]), np.array([[9.0]]))
    array([[7., 0.],
           [8., 0.],
           [9., 1.]])
    """
    flag = np.r_[np.zeros(len(source)), np.ones(len(target))]
    return np.column_stack([np.vstack([source, target]), flag])


def domain_weights(source: int, target: int, target_share: float) -> np.ndarray:
    """(source + target,) weights of rows with mean 1, which give the target its share of the total.

    A target row weighs at least 1:

    >>> domain_weights(source=6, target=2, target_share=0.5).round(2)
    array([0.67, 0.67, 0.67, 0.67, 0.67, 0.67, 2.  , 2.  ])

    Args:
        source: number of rows.
        target: number of rows.
        target_share: between 0 and 1.
    """
    total = source + target
    of_target = max(target_share * total / target, 1.0)
    of_source = max((total - target * of_target) / source, _LEAST_WEIGHT)
    return np.repeat([of_source, of_target], [source, target])
