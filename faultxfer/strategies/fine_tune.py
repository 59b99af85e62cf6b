"""Freeze all but the last layers of the source network and go on training them on the target."""

from __future__ import annotations

import math
from typing import Any

from faultxfer.bundle.scaler import Scaler
from faultxfer.network.fit import History, Recipe, apply_network, fit_network
from faultxfer.network.freeze import copy_network, freeze_all_but_last
from faultxfer.strategies.common import candidate_bundle, choose_scaler
from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import FittedStrategy, Requirement, Task

_TRAINABLE_LAYERS = 2
_PULL = 0.0


class FineTune:
    """Fine-tuning of the last layers, started from the source's weights, with a smaller learning rate."""

    name = "fine_tune"
    title = "fine-tune the last layers"
    paper = (
        'Yosinski et al., "How transferable are features in deep neural networks?", NeurIPS 2014; with `pull`, Li et '
        'al., "Explicit inductive bias for transfer learning" (L2-SP), ICML 2018'
    )
    needs: tuple[Requirement, ...] = (Requirement.SENSORS, Requirement.BOTH_CLASSES)
    options = frozenset({"input_map", "trainable_layers", "learning_rate", "pull"})
    freezes = True

    def fit(self, task: Task) -> FittedStrategy:
        """Fine-tune.

        Raises:
            StrategyError: one of ``needs`` is missing, or the network has fewer layers than are to be trained.
        """
        require(task, self)
        scaler = choose_scaler(task, self.name)
        network = copy_network(task.source.network)
        history = tune(
            network, scaler, task, task.options.trainable_layers or _TRAINABLE_LAYERS, _PULL
        )
        return FittedStrategy(candidate_bundle(task, scaler, network, self.name), history)


def tune(network: Any, scaler: Scaler, task: Task, trainable_layers: int, pull: float) -> History:
    """Train the last layers of a network in place; returns its training curves.

    ``pull`` is the L2-SP strength where the options give none; it pulls towards the weights ``network`` comes with.
    """
    options = task.options
    cut = freeze_all_but_last(network, trainable_layers)
    frozen_features = apply_network(cut.extractor, scaler(task.target.X))
    steps_per_epoch = math.ceil(len(task.target) / options.batch_size)
    recipe = Recipe(
        learning_rate=options.learning_rate,
        weight_decay=0.0,  # decay pulls towards zero, away from what the source taught
        batch_size=options.batch_size,
        epochs=max(options.epochs, math.ceil(options.steps / steps_per_epoch)),
        pull=pull if options.pull is None else options.pull,
    )
    return fit_network(cut.head, frozen_features, task.target.y, recipe, seed=options.seed)
