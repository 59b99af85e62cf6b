"""Source and target rows together."""

from __future__ import annotations

import numpy as np

from faultxfer.errors import StrategyError
from faultxfer.strategies.common import require_features, require_rows
from faultxfer.strategies.protocol import Task


def pooled_rows(task: Task, who: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, labels and weights of source and target together; both domains have the same total weight.

    Raises:
        StrategyError: the source's rows were not kept, the target has other sensors, or too few rows of a class.
    """
    source, target = task.source_rows, task.target
    if source is None:
        raise StrategyError(
            f"Source rows were expected by {who!r}, but the source model was registered without them",
            received={"source_rows": None},
            remedy="Pretrain with kept_source_rows above 0",
        )
    require_features(task)
    require_rows(task, who)
    X = np.concatenate([source.X, target.X])
    y = np.concatenate([source.y, target.y])
    weights = np.repeat([0.5 * len(y) / len(source), 0.5 * len(y) / len(target)], [len(source), len(target)])
    return X, y, weights
