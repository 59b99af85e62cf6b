"""A multilayer perceptron that is trained in arrays, where importing Keras would take longer.

The same layers, start, loss and steps as :func:`.build.build_network` and :func:`.fit.fit_network`
have: scaled sensors are clipped smoothly, He's start (He et al., "Delving deep into rectifiers",
ICCV 2015), both classes of the same total weight, AdamW (Loshchilov & Hutter, ICLR 2019) with a
cosine decay. Only the random draws differ, and the order in which floats are added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.special import expit

from faultxfer.network.arrays import silu
from faultxfer.network.recipe import Recipe, class_weights

SOFT_CLIP = 4.0
_FIRST_MOMENT, _SECOND_MOMENT, _EPSILON = 0.9, 0.999, 1e-7
# Of a normal distribution that is cut off at two standard deviations.
_SPREAD_OF_CUT = 0.87962566
_CHUNK = 4096


class Perceptron:
    """Hidden layers with SiLU, and one logit.

    Args:
        sensors: number of inputs ``d``.
        hidden: units of each hidden layer.
        dropout: share of units dropped after each hidden layer while training.
        seed: of the weights, the shuffle and the dropout.
    """

    def __init__(self, sensors: int, hidden: tuple[int, ...], dropout: float, seed: int) -> None:
        self._dropout, self._rng = dropout, np.random.default_rng(seed)
        shapes = list(pairwise((sensors, *hidden, 1)))
        # One array holds all weights, so that a step of the optimizer is a handful of operations.
        self._weights = np.zeros(sum((above + 1) * below for above, below in shapes), np.float32)
        self._layers = _parts(self._weights, shapes)
        self._slopes = np.zeros_like(self._weights)
        self._slopes_of = _parts(self._slopes, shapes)
        for kernel, _ in self._layers[:-1]:
            kernel[:] = _cut_normal(self._rng, kernel.shape) * np.sqrt(2 / kernel.shape[0])
        last = self._layers[-1][0]
        limit = np.sqrt(6 / sum(last.shape))
        last[:] = self._rng.uniform(-limit, limit, last.shape)

    def fit(self, x: np.ndarray, y: np.ndarray, recipe: Recipe) -> None:
        """Fit on (n, d) scaled sensors and (n,) labels, all epochs."""
        inputs, labels = _clipped(x), y.astype(np.float32)
        weights = class_weights(y)
        size = min(recipe.batch_size, len(y))
        steps = -(-len(y) // size) * recipe.epochs
        first, second = np.zeros_like(self._weights), np.zeros_like(self._weights)
        step = 0
        for _ in range(recipe.epochs):
            order = self._rng.permutation(len(y))
            for start in range(0, len(y), size):
                rows = order[start : start + size]
                self._descend(inputs[rows], labels[rows], weights[rows])
                rate = recipe.learning_rate * 0.5 * (1 + np.cos(np.pi * step / steps))
                step += 1
                first += (1 - _FIRST_MOMENT) * (self._slopes - first)
                second += (1 - _SECOND_MOMENT) * (self._slopes**2 - second)
                unbiased = np.sqrt(1 - _SECOND_MOMENT**step) / (1 - _FIRST_MOMENT**step)
                self._weights *= np.float32(1 - rate * recipe.weight_decay)
                length = np.float32(rate * unbiased)
                self._weights -= length * first / (np.sqrt(second) + np.float32(_EPSILON))

    def logits(self, x: np.ndarray) -> np.ndarray:
        """(n,) float64 fault logits for (n, d) scaled sensors."""
        found = np.empty(len(x))
        for start in range(0, len(x), _CHUNK):
            out = _clipped(x[start : start + _CHUNK])
            for kernel, offset in self._layers[:-1]:
                out = silu(out @ kernel + offset)
            kernel, offset = self._layers[-1]
            found[start : start + _CHUNK] = (out @ kernel + offset)[:, 0]
        return found

    def _descend(self, x: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
        """Leave the slopes of the weighted log-loss of (b, d) rows in ``_slopes``."""
        entering, gains = [x], []
        for kernel, offset in self._layers[:-1]:
            out, gain = self._hidden(entering[-1] @ kernel + offset)
            entering.append(out)
            gains.append(gain)
        kernel, offset = self._layers[-1]
        logits = (entering[-1] @ kernel + offset)[:, 0]
        back = (weights * (expit(logits) - labels) / len(labels))[:, None]
        for number in reversed(range(len(self._layers))):
            of_kernel, of_offset = self._slopes_of[number]
            np.matmul(entering[number].T, back, out=of_kernel)
            of_offset[:] = back.sum(axis=0)
            if number:
                back = (back @ self._layers[number][0].T) * gains[number - 1]

    def _hidden(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What leaves a hidden layer of which some units are dropped, and its slope by ``z``."""
        share = expit(z)
        out = z * share
        gain = share + out * (1 - share)
        if self._dropout:
            kept = self._rng.random(z.shape, dtype=np.float32) >= self._dropout
            scale = kept * np.float32(1 / (1 - self._dropout))
            out *= scale
            gain *= scale
        return out, gain


def _parts(
    flat: np.ndarray, shapes: Sequence[tuple[int, int]]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernel and offset of each layer, as parts of one array."""
    parts, start = [], 0
    for above, below in shapes:
        end = start + above * below
        parts.append((flat[start:end].reshape(above, below), flat[end : end + below]))
        start = end + below
    return parts


def _cut_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draws of standard deviation 1, none beyond two of those of the normal distribution."""
    drawn = rng.standard_normal(shape)
    while (far := np.abs(drawn) > 2).any():
        drawn[far] = rng.standard_normal(int(far.sum()))
    return np.asarray(drawn / _SPREAD_OF_CUT)


def _clipped(x: np.ndarray) -> np.ndarray:
    clipped = SOFT_CLIP * np.tanh(np.asarray(x, dtype=np.float32) / SOFT_CLIP)
    return np.asarray(clipped, dtype=np.float32)
