"""Freeze all but the last layers of the source network and go on training them on the target."""

from __future__ import annotations

from faultxfer.strategies.common import candidate_bundle, choose_scaler, tune
from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import FittedStrategy, Requirement, Task

_TRAINABLE_LAYERS = 2


class FineTune:
    """Fine-tuning of the last layers from the source's weights, with a smaller learning rate."""

    name = "fine_tune"
    title = "fine-tune the last layers"
    paper = (
        'Yosinski et al., "How transferable are features in deep neural networks?", NeurIPS 2014; '
        'with `pull`, Li et al., "Explicit inductive bias for transfer learning" (L2-SP), ICML 2018'
    )
    needs: tuple[Requirement, ...] = (Requirement.SENSORS, Requirement.BOTH_CLASSES)
    options = frozenset({"input_map", "trainable_layers", "learning_rate", "pull"})
    freezes = True

    def fit(self, task: Task) -> FittedStrategy:
        """Train the last layers on.

        Raises:
            StrategyError: one of ``needs`` is missing, or the network has fewer layers than are to
                be trained.
        """
        require(task, self)
        scaler = choose_scaler(task, self.name)
        layers = task.options.trainable_layers or _TRAINABLE_LAYERS
        network, history = tune(task.source.network, scaler, task, layers)
        return FittedStrategy(candidate_bundle(task, scaler, network, self.name), history)
