"""One Keras network that says what the stack says, for those who must ship a single file."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.input_map import TARGET
from faultxfer.bundle.scaler import fit_scaler
from faultxfer.config import NetworkOptions
from faultxfer.network.pretrain import fit_ensemble
from faultxfer.strategies.common import candidate
from faultxfer.strategies.protocol import Adapted, Task
from faultxfer.strategies.stack import StackedCandidates

# The teacher labels as many rows as the network needs, so labels are never short and early stopping has nothing to do.
_STUDENT = NetworkOptions(members=2, teacher_share=1.0, synthetic_rows=15_000, batch_size=256, epochs=12)
_SOURCE_ROWS = 2000


class SingleNetwork:
    """Distillation: a new network learns the stack's probabilities on target, source and synthetic rows."""

    name = "single_network"
    title = "one network distilled from the stack"
    paper = 'Hinton et al., "Distilling the knowledge in a neural network", 2015'
    freezes = False

    def fit(self, task: Task) -> Adapted:
        """Fit the stack, then its student.

        Raises:
            StrategyError: the stack cannot be fitted.
        """
        teacher = StackedCandidates(self.name).fit(task).bundle
        X = np.vstack([task.target.X, *_more_rows(task, teacher)])
        scaler = fit_scaler(X)

        def says(scaled: np.ndarray) -> np.ndarray:
            return teacher.probabilities(scaled * scaler.scale + scaler.mean)

        network, history = fit_ensemble(
            scaler(X), np.zeros(len(X)), says, None, seed=task.options.seed, options=_STUDENT
        )
        return Adapted(candidate(task, scaler, network, self.name), history)


def _more_rows(task: Task, teacher: Bundle) -> list[np.ndarray]:
    """Source rows as they are, and as the target would have read them."""
    if task.source_rows is None or teacher.stack is None:
        return []
    drawn = np.random.default_rng(task.options.seed).permutation(len(task.source_rows))[:_SOURCE_ROWS]
    rows, to_source = task.source_rows.X[np.sort(drawn)], teacher.stack.maps[TARGET]
    return [rows, (rows - to_source.offset) / to_source.gain]
