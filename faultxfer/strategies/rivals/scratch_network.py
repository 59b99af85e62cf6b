"""A network without the source's weights."""

from __future__ import annotations

import math

from faultxfer.bundle.scaler import fit_scaler
from faultxfer.network.build import build_network
from faultxfer.network.fit import Recipe, fit_network, logits_of, make_deterministic
from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import Requirement, Scorer, Task

_HIDDEN, _DROPOUT = (128, 64, 32), 0.1
_LEARNING_RATE = 2e-3
_WEIGHT_DECAY = 0.01


class ScratchNetwork:
    """A multilayer perceptron fitted on the target's rows and scale."""

    name = "scratch_network"
    title = "network from scratch"
    needs: tuple[Requirement, ...] = (Requirement.BOTH_CLASSES,)
    uses_source = False
    as_is = False

    def fit(self, task: Task) -> Scorer:
        """Fit; needs two target rows of each class. Raises StrategyError below that."""
        require(task, self)
        options = task.options
        make_deterministic(options.seed)
        network = build_network(len(task.target.features), _HIDDEN, _DROPOUT)
        scaler = fit_scaler(task.target.X)
        steps_per_epoch = math.ceil(len(task.target) / options.batch_size)
        epochs = max(options.epochs, math.ceil(options.steps / steps_per_epoch))
        recipe = Recipe(_LEARNING_RATE, _WEIGHT_DECAY, options.batch_size, epochs)
        fit_network(network, scaler(task.target.X), task.target.y, recipe, seed=options.seed)
        return lambda X: logits_of(network, scaler(X))
