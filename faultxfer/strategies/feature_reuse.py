"""Keep all but the last layer of the source network as a feature extractor and fit a new head."""

from __future__ import annotations

import numpy as np

from faultxfer.network.features import NetworkFeatures
from faultxfer.strategies.common import candidate_bundle, choose_scaler
from faultxfer.strategies.learners.heads import fit_pulled_head
from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import FittedStrategy, Requirement, Task

_PENALTY = 10.0


class FeatureReuse:
    """Frozen extractor and a new convex head, pulled towards the source's: no gradient steps."""

    name = "feature_reuse"
    title = "frozen features, new head"
    paper = (
        'Donahue et al., "DeCAF: a deep convolutional activation feature", ICML 2014; pulled '
        "towards the source's head as by Li et al., \"Explicit inductive bias for transfer "
        'learning", ICML 2018'
    )
    needs: tuple[Requirement, ...] = (
        Requirement.SENSORS,
        Requirement.BOTH_CLASSES,
        Requirement.SOURCE_ENSEMBLE,
    )
    options = frozenset({"input_map"})
    freezes = True

    def fit(self, task: Task) -> FittedStrategy:
        """Fit the head by Newton's method.

        Raises:
            StrategyError: one of ``needs`` is missing.
        """
        require(task, self)
        scaler = choose_scaler(task, self.name)
        extractor = NetworkFeatures(task.source.network, scaler.mean, scaler.scale)
        features, _ = extractor(task.target.X)
        head = fit_pulled_head(features.astype(np.float64), task.target.y, extractor.head, _PENALTY)
        network = extractor.with_head(head)
        return FittedStrategy(candidate_bundle(task, scaler, network, self.name))
