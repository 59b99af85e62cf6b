"""Linear head on frozen features, fitted on source and target rows together."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.frozen import Block
from faultxfer.bundle.members import Member
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.heads import hidden_spread
from faultxfer.strategies.learners.pooling import with_flag
from faultxfer.strategies.learners.protocol import BaseLearner, TrainingRows

# Newton's method is quadratic in features, and more rows changed little in the linear rivals.
_SOURCE_ROWS = 2000


class PooledHead(BaseLearner):
    """Frozen features of source and target rows with a domain flag, as the pooled linear rival.

    Args:
        map_name: input map of the target's rows.
        penalty: on a weight, by the standard deviation of its feature.
    """

    family = "pooled-head"
    paper = (
        'Daumé III, "Frustratingly easy domain adaptation", ACL 2007, on deep features '
        "(Donahue et al., ICML 2014)"
    )

    def __init__(self, map_name: str, penalty: float = 3.0) -> None:
        self.block, self.penalty = Block("hidden", map_name), penalty
        self.name = f"pooled-head@{map_name}"

    def fit(self, rows: TrainingRows) -> Member:
        """Newton's method on some source rows and all target rows, at equal weight."""
        step = max(1, len(rows.source_y) // _SOURCE_ROWS)
        some = slice(0, step * _SOURCE_ROWS, step)
        source, target = rows.source.block(self.block)[some], rows.target.block(self.block)
        y = np.concatenate([rows.source_y[some], rows.y])
        # The flag is the last feature.
        penalty = np.append(self.penalty * hidden_spread(rows) ** 2, 1.0)
        return self.linear(
            (self.block,), fit_logistic(with_flag(source, target), y, penalty), flag=True
        )
