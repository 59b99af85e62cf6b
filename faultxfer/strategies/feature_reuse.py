"""Keep everything but the last layer of the source network as a feature extractor and fit a new head."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from faultxfer.bundle.scaler import fit_scaler
from faultxfer.errors import StrategyError
from faultxfer.network.ensemble import is_ensemble
from faultxfer.network.features import NetworkFeatures
from faultxfer.network.freeze import copy_network, freeze_all_but_last
from faultxfer.strategies.common import candidate, choose_scaler, require_features, require_rows
from faultxfer.strategies.protocol import Adapted, Task

# Inverse strength of the L2 penalty on standardised features; strong, as there are often more features than faults.
_INVERSE_PENALTY = 0.1


class FeatureReuse:
    """Frozen extractor and a new convex head: logistic regression on the last hidden layer."""

    name = "feature_reuse"
    title = "frozen features, new head"
    paper = 'Donahue et al., "DeCAF: a deep convolutional activation feature", ICML 2014'
    freezes = True

    def fit(self, task: Task) -> Adapted:
        """Fit the head; needs two target rows of each class. Raises StrategyError below that."""
        require_features(task)
        require_rows(task, self.name)
        if not is_ensemble(task.source.network):
            raise StrategyError(
                f"A source network as this release makes it was expected by {self.name!r}",
                received={"network": task.source.network.name},
                remedy="Pretrain again, or choose `--strategy fine_tune`",
            )
        scaler = choose_scaler(task)
        network = copy_network(task.source.network)
        freeze_all_but_last(network, 1)
        extractor = NetworkFeatures(network, scaler.mean, scaler.scale)
        features = extractor(task.target.X)[0].astype(np.float64)
        standard = fit_scaler(features)
        head = LogisticRegression(C=_INVERSE_PENALTY, class_weight="balanced", max_iter=2000)
        head.fit(standard(features), task.target.y)
        # The head's own scaling is folded into its weights, so that the network stays one of plain layers.
        coef = head.coef_[0] / standard.scale
        extractor.set_head(coef, head.intercept_[0] - float(coef @ standard.mean))
        return Adapted(candidate(task, scaler, network, self.name))
