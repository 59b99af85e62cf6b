"""How a network is fitted, and the losses by which that is judged: plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

History = dict[str, list[float]]


@dataclass(frozen=True)
class Recipe:
    """How to fit.

    Attributes:
        learning_rate: of AdamW, decayed to zero by a cosine over all epochs.
        weight_decay: of AdamW (Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR
            2019).
        batch_size: rows in a step.
        epochs: passes over the rows.
        patience: epochs without a better validation loss before stopping; unused without validation
            rows.
        pull: strength of the penalty ``pull / 2 * Σ (weight − start)²`` on the trainable weights'
            distance from where
            they start, beside the mean loss of a step: L2-SP (Li et al., "Explicit inductive bias
            for transfer learning with convolutional networks", ICML 2018). 0 leaves it out.
    """

    learning_rate: float
    weight_decay: float
    batch_size: int
    epochs: int
    patience: int = 8
    pull: float = 0.0


def class_weights(y: np.ndarray) -> np.ndarray:
    """(n,) float32 weights with mean 1 that give both classes the same total weight.

    The fitted probabilities are then not those of the rows; the calibrator puts that right.
    """
    share = np.clip(y.mean(), 1e-6, 1 - 1e-6)
    weights = np.where(y == 1, 0.5 / share, 0.5 / (1 - share))
    return np.asarray(weights, dtype=np.float32)


def weighted_loss(logits: np.ndarray, y: np.ndarray) -> float:
    """Class-balanced log-loss of (n,) logits."""
    return float(np.average(_losses(logits, y), weights=class_weights(y)))


def plain_loss(logits: np.ndarray, y: np.ndarray) -> float:
    """Log-loss of (n,) logits."""
    return float(_losses(logits, y).mean())


def _losses(logits: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(0, np.where(y == 1, -logits, logits)))
