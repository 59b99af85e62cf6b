"""Freeze all but the last layers of the source network and go on training them on the target."""

from __future__ import annotations

import math

from faultxfer.network.fit import Recipe, apply_network, fit_network
from faultxfer.network.freeze import copy_network, freeze_all_but_last
from faultxfer.strategies.common import candidate, choose_scaler, require_features, require_rows
from faultxfer.strategies.protocol import Adapted, Task


class FineTune:
    """Fine-tuning of the last layers, started from the source's weights, with a smaller learning rate."""

    name = "fine_tune"
    title = "fine-tune the last layers"
    paper = 'Yosinski et al., "How transferable are features in deep neural networks?", NeurIPS 2014'
    freezes = True

    def fit(self, task: Task) -> Adapted:
        """Fine-tune; needs two target rows of each class. Raises StrategyError below that."""
        require_features(task)
        require_rows(task, self.name)
        options = task.options
        scaler = choose_scaler(task)
        cut = freeze_all_but_last(copy_network(task.source.network), options.trainable_layers)
        frozen_features = apply_network(cut.extractor, scaler(task.target.X))
        steps_per_epoch = math.ceil(len(task.target) / options.batch_size)
        recipe = Recipe(
            learning_rate=options.learning_rate,
            weight_decay=0.0,  # decay pulls towards zero, away from what the source taught
            batch_size=options.batch_size,
            epochs=max(options.epochs, math.ceil(options.steps / steps_per_epoch)),
        )
        history = fit_network(cut.head, frozen_features, task.target.y, recipe, seed=options.seed)
        return Adapted(candidate(task, scaler, cut.whole, self.name), history)
