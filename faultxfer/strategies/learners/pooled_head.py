"""Linear head on frozen features, fitted on source and target rows together."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.frozen import Block
from faultxfer.bundle.members import Member
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.heads import hidden_spread
from faultxfer.strategies.learners.protocol import BaseLearner, TrainingRows

# Source rows in the fit: it is quadratic in features, and more rows changed little in the linear rivals.
_SOURCE_ROWS = 2000


class PooledHead(BaseLearner):
    """The neural counterpart of the pooled linear rival: hidden features beside the sensors, with a domain flag."""

    family = "pooled-head"
    paper = 'Daumé III, "Frustratingly easy domain adaptation", ACL 2007, on deep features (Donahue et al., ICML 2014)'

    def __init__(self, map_name: str, penalty: float = 3.0) -> None:
        self.map_name, self.penalty = map_name, penalty
        self.name = f"pooled-head@{map_name}"

    def fit(self, rows: TrainingRows) -> Member:
        """Newton's method on at most ``_SOURCE_ROWS`` source rows and all target rows."""
        block = Block("hidden", self.map_name)
        picked = np.arange(0, len(rows.source_y), max(1, len(rows.source_y) // _SOURCE_ROWS))[
            :_SOURCE_ROWS
        ]
        source, target = rows.source.block(block)[picked], rows.target.block(block)
        features = np.vstack([source, target])
        flag = np.concatenate([np.zeros(len(source)), np.ones(len(target))])[:, None]
        fitted = fit_logistic(
            np.hstack([features, flag]),
            np.concatenate([rows.source_y[picked], rows.y]),
            np.append(self.penalty * hidden_spread(rows) ** 2, 1.0),
        )
        return self.linear((block,), fitted, flag=True)
