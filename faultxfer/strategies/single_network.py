"""One Keras network that predicts what the stack predicts, for whoever must ship a single file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from faultxfer.bundle.input_map import TARGET, InputMap
from faultxfer.bundle.scaler import Scaler, fit_scaler
from faultxfer.config import NetworkOptions
from faultxfer.data.dataset import Dataset
from faultxfer.network.arrays import ArrayNetwork
from faultxfer.network.recipe import History
from faultxfer.network.size import MOST_READ
from faultxfer.strategies.common import candidate_bundle
from faultxfer.strategies.fixed_stack import FALLBACK
from faultxfer.strategies.protocol import FittedStrategy, Task
from faultxfer.strategies.stack import StackedLearners

# The teacher labels as many rows as the network needs, so labels are never short and early stopping
# has nothing to do.
_STUDENT = NetworkOptions(
    members=2, teacher_share=1.0, synthetic_rows=15_000, batch_size=256, epochs=12
)
_SOURCE_ROWS = 2000


class SingleNetwork:
    """Distillation: a new network learns the stack's probabilities on all rows and made-up ones."""

    name = "single_network"
    title = "one network distilled from the stack"
    paper = 'Hinton et al., "Distilling the knowledge in a neural network", 2015'
    needs = StackedLearners.needs
    options = StackedLearners.options
    freezes = False

    def fit(self, task: Task) -> FittedStrategy:
        """Fit the stack, then its student.

        Raises:
            StrategyError: the stack cannot be fitted.
        """
        teacher = StackedLearners(self.name).fit(task).bundle
        # The stack has refused by now where either is missing.
        if task.source_rows is None or teacher.stack is None:
            raise ValueError("There are no source rows or no stack")
        to_source, source = teacher.stack.maps[TARGET], _as_on_target(task, task.source_rows)
        wide = task.target.X.shape[1] > MOST_READ
        read = task.source.network.positions_read if wide else None
        network, scaler, history = distil(
            teacher.probabilities, task.target.X, source, to_source, task.options.seed, read
        )
        bundle = candidate_bundle(task, scaler, network, self.name)
        if FALLBACK in teacher.lineage:
            lineage = bundle.lineage | {FALLBACK: teacher.lineage[FALLBACK]}
            bundle = dataclasses.replace(bundle, lineage=lineage)
        return FittedStrategy(bundle, history)


def _as_on_target(task: Task, rows: Dataset) -> np.ndarray:
    """(m, d) source rows with the target's sensors; new ones read as in any row of the target."""
    features, X = task.source.features, task.target.X
    known = [rows.features.index(name) for name in features if name in rows.features]
    anywhere = np.random.default_rng(task.options.seed).integers(len(X), size=len(rows))
    return np.hstack([rows.X[:, known], X[anywhere, len(known) :]])


def distil(
    teacher: Callable[[np.ndarray], np.ndarray],
    target: np.ndarray,
    source: np.ndarray,
    to_source: InputMap,
    seed: int,
    read: np.ndarray | None = None,
) -> tuple[ArrayNetwork, Scaler, History]:
    """A network that predicts what ``teacher`` predicts, its scaling stage and training curves.

    Args:
        teacher: (k, d) rows in engineering units to (k,) probabilities.
        target: (n, d) target rows.
        source: (m, d) source rows; some are shown as they are, and as the target would have read
            them.
        to_source: from the target's readings to the source's units.
        seed: of all draws.
        read: (k,) positions of the sensors that the network looks at; all of them if left out.
    """
    from faultxfer.network.pretrain import fit_ensemble

    drawn = np.random.default_rng(seed).permutation(len(source))[:_SOURCE_ROWS]
    rows = source[np.sort(drawn)]
    known = len(to_source.gain)
    as_target_reads = np.hstack([to_source.back(rows[:, :known]), rows[:, known:]])
    X = np.vstack([target, rows, as_target_reads])
    scaler = fit_scaler(X)

    def scaled_teacher(scaled: np.ndarray) -> np.ndarray:
        return teacher(scaled * scaler.scale + scaler.mean)

    # The labels are the teacher's alone (`teacher_share`), so those given here are not looked at.
    labels = np.zeros(len(X))
    network, history = fit_ensemble(
        scaler(X), labels, scaled_teacher, None, seed=seed, options=_STUDENT, read=read
    )
    return network, scaler, history
