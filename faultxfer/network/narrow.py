"""A source network for a machine that lacks some of its sensors: the same weights, other inputs.

The first layer of a source network is fixed and affine, from scaled sensors to robust units. What a
machine lacks is guessed there as an affine function of what it has, so the guess becomes part of
that layer, and everything behind it stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.network.arrays import ROBUST, ArrayNetwork


@dataclass(frozen=True)
class Guess:
    """m lacking sensors as an affine function of c others, in engineering units.

    Attributes:
        common: (c,) positions of the others among the network's sensors.
        lacking: (m,) positions of these.
        weights: (c, m).
        offset: (m,).
    """

    common: np.ndarray
    lacking: np.ndarray
    weights: np.ndarray
    offset: np.ndarray


def narrowed_network(
    network: ArrayNetwork, mean: np.ndarray, scale: np.ndarray, guess: Guess
) -> ArrayNetwork:
    """The network on (n, c) scaled readings of the common sensors.

    Args:
        network: of :func:`faultxfer.network.ensemble.build_ensemble`, on d scaled sensors.
        mean: (d,) of the scaling stage in front of it; the narrowed network expects that of the c
            sensors.
        scale: (d,) likewise.
        guess: how the others are filled in.
    """
    kernel, bias = (
        np.asarray(weights, dtype=np.float64) for weights in network.get_layer(ROBUST).weights
    )
    return network.narrowed(len(guess.common), _folded(kernel, bias, (mean, scale), guess))


def _folded(
    kernel: np.ndarray, bias: np.ndarray, scaling: tuple[np.ndarray, np.ndarray], guess: Guess
) -> list[np.ndarray]:
    """Kernel (c, k) and bias (k,) that guess first and then do what (d, k) and (k,) did."""
    (mean, scale), common, lacking = scaling, guess.common, guess.lacking
    of_lacking = kernel[lacking] / scale[lacking][:, None]
    weights = scale[common][:, None] * (guess.weights @ of_lacking)
    # What the lacking sensors are guessed as where the others read their means, from their own.
    at_means = mean[common] @ guess.weights + guess.offset - mean[lacking]
    return [kernel[common] + weights, bias + at_means @ of_lacking]
