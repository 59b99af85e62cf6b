"""First a convex head on frozen features, then fine-tuning from there."""

from __future__ import annotations

import numpy as np

from faultxfer.network.arrays import ArrayNetwork
from faultxfer.network.features import NetworkFeatures
from faultxfer.network.recipe import class_weights
from faultxfer.strategies.common import candidate_bundle, choose_scaler, tune
from faultxfer.strategies.learners.heads import fit_pulled_head
from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import FittedStrategy, Requirement, Task

_PENALTY = 10.0


class LinearProbeFineTune:
    """Fine-tuning from a head that fits, so that the features are distorted less on the way."""

    name = "linear_probe_fine_tune"
    title = "new head, then fine-tune all layers"
    paper = (
        'Kumar et al., "Fine-tuning can distort pretrained features and underperform '
        'out-of-distribution", ICLR 2022; with `pull`, Li et al., "Explicit inductive bias for '
        'transfer learning" (L2-SP), ICML 2018'
    )
    needs: tuple[Requirement, ...] = (
        Requirement.SENSORS,
        Requirement.BOTH_CLASSES,
        Requirement.SOURCE_ENSEMBLE,
    )
    options = frozenset({"input_map", "trainable_layers", "learning_rate", "pull"})
    freezes = True

    def fit(self, task: Task) -> FittedStrategy:
        """Fit a head for each member, then train on.

        Raises:
            StrategyError: one of ``needs`` is missing, or the network has fewer layers than are to
                be trained.
        """
        require(task, self)
        scaler = choose_scaler(task, self.name)
        probed = probe(NetworkFeatures(task.source.network, scaler.mean, scaler.scale), task)
        network, history = tune(probed, scaler, task, task.options.trainable_layers)
        return FittedStrategy(candidate_bundle(task, scaler, network, self.name), history)


def probe(extractor: NetworkFeatures, task: Task) -> ArrayNetwork:
    """The network with a head for each member that is fitted on its own features.

    Fine-tuning fits each member by itself too. The loss is that of the fine-tuning, both classes at
    equal weight: the probe ends where its gradient vanishes.
    """
    features = extractor(task.target.X)[0].astype(np.float64)
    y = task.target.y
    weights = class_weights(y).astype(np.float64)
    heads = []
    for member in range(extractor.members):
        seen = features[:, extractor.seen_by(member)]
        heads.append(fit_pulled_head(seen, y, extractor.head_of(member), _PENALTY, weights))
    return extractor.with_heads(heads)
