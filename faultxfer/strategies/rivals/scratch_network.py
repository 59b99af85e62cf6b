"""A network without the source's weights."""

from __future__ import annotations

from faultxfer.bundle.scaler import fit_scaler
from faultxfer.network.perceptron import Perceptron
from faultxfer.network.recipe import Recipe
from faultxfer.strategies.common import epochs_of, rows_to_fit
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
        """Train for as many steps as a fine-tuned network gets.

        Raises:
            StrategyError: there are fewer than two target rows of a class.
        """
        require(task, self)
        target, options = rows_to_fit(task.target), task.options
        network = Perceptron(len(target.features), _HIDDEN, _DROPOUT, options.seed)
        scaler = fit_scaler(target.X)
        epochs = epochs_of(len(target), options)
        recipe = Recipe(_LEARNING_RATE, _WEIGHT_DECAY, options.batch_size, epochs)
        network.fit(scaler(target.X), target.y, recipe)
        return lambda X, windows=None: network.logits(scaler(X))
