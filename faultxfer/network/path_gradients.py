"""What each sensor adds to a network's output, against reference rows: integrated gradients.

Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017, against several
references (Erion et al., "Improving performance of deep learning models with axiomatic attribution
priors and expected gradients", Nature Machine Intelligence 2021). The path leads straight from a
reference to a row through what the fixed input layers make of them: clipped sensors and bins, each
of which belongs to one sensor. Behind these layers the network is smooth, so that few points of the
path suffice, and the first hidden layer moves in a straight line too, so that it is computed for
the ends alone. The points of Gauss and Lobatto have both ends among them, where the slopes are
shared: a reference's by all rows, a row's by all its references. All in arrays: the weights are
read once, and TensorFlow is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import Legendre

from faultxfer.network.arrays import (
    BINS,
    CLIPPED,
    LOGIT,
    MEMBER_LOGITS,
    ROBUST,
    ArrayNetwork,
    Layer,
)

# Points of Gauss and Lobatto on the path from one reference to a row, both ends among them.
_POINTS = 4
# Rows at a time: pairs of some twenty references each, a few hundred units wide, fit into a cache.
_ROWS = 4
# Sensors at a time, which bounds the memory for what each makes of the first hidden layer.
_SENSORS = 16


@dataclass(frozen=True)
class Encoded:
    """Rows behind the input layers.

    Attributes:
        inputs: (n, e) float32, of one sensor each.
        first: (n, members * units) float32 of the first hidden layer before its activation.
    """

    inputs: np.ndarray
    first: np.ndarray

    def take(self, rows: np.ndarray) -> Encoded:
        """The rows at the given positions."""
        return Encoded(self.inputs[rows], self.first[rows])


@dataclass(frozen=True)
class _End:
    """Rows at one end of a path, with the slopes of the output by the first hidden layer there."""

    inputs: np.ndarray
    first: np.ndarray
    slope: np.ndarray


class PathGradients:
    """Contributions to a weighted sum of a network's last features.

    The features are those of :class:`faultxfer.network.features.NetworkFeatures`: the last hidden
    layer of each member, side by side, then the clipped sensors; for a network of one member that
    is no ensemble, the last hidden layer alone.

    Args:
        network: as :func:`.ensemble.build_ensemble` or :func:`.build.build_network` makes it.
    """

    def __init__(self, network: ArrayNetwork) -> None:
        self.sensors = int(network.input_shape[1])
        named = {layer.name: layer for layer in network.layers}
        self._ensemble = MEMBER_LOGITS in named
        self._read_input_layers(named)
        prefixes = [""]
        if self._ensemble:
            count = network.width(MEMBER_LOGITS)
            prefixes = [f"member_{number}_" for number in range(count)]
        members = [_hidden(named, prefix) for prefix in prefixes]
        self._first = np.hstack([layers[0][0] for layers in members])
        self._first_bias = np.hstack([layers[0][1] for layers in members])
        # (members, a, b) kernels and (members, 1, b) offsets of each later layer.
        self._later = [
            (np.stack([kernel for kernel, _ in layer]), np.stack([b for _, b in layer])[:, None])
            for layer in list(zip(*members, strict=True))[1:]
        ]
        self._count = len(members)
        self.head = self._output_weights(named)

    def _output_weights(self, named: dict[str, Layer]) -> np.ndarray:
        """(h,) weights of the network's own logit on its last features."""
        last = np.asarray(named[LOGIT].weights[0][:, 0], dtype=np.float64)
        if not self._ensemble:
            return last
        hidden, direct = [], np.zeros(self._clipped)
        for number, share in enumerate(last):
            kernel = share * named[f"head_{number}"].weights[0][:, 0].astype(np.float64)
            hidden.append(kernel[: -self._clipped])
            direct += kernel[-self._clipped :]
        return np.concatenate([*hidden, direct])

    def _read_input_layers(self, named: dict[str, Layer]) -> None:
        """How sensors are rescaled, clipped and cut into bins, and whose each input is."""
        self._robust = self._bins = None
        self._clip = float(named[CLIPPED].settings["scale"])
        owner = np.arange(self.sensors)
        if self._ensemble:
            self._robust = named[ROBUST].weights
            owner = self._robust[0].argmax(axis=0)
        self._clipped = len(owner)
        if BINS in named:
            self._bins = named[BINS].weights
            owner = np.concatenate([owner, owner[np.abs(self._bins[0]).argmax(axis=0)]])
        self._owner = np.zeros((len(owner), self.sensors), dtype=np.float32)
        self._owner[np.arange(len(owner)), owner] = 1.0

    def encode(self, scaled: np.ndarray) -> Encoded:
        """(n, d) scaled sensors behind the input layers."""
        robust = scaled.astype(np.float32)
        if self._robust is not None:
            robust = robust @ self._robust[0] + self._robust[1]
        inputs = self._clip * np.tanh(robust / self._clip)
        if self._bins is not None:
            shares = np.clip(robust @ self._bins[0] + self._bins[1], 0, 1)
            inputs = np.hstack([inputs, shares])
        return Encoded(inputs, inputs @ self._first + self._first_bias)

    def __call__(
        self,
        rows: Encoded,
        pool: Encoded,
        nearest: np.ndarray,
        scale: np.ndarray,
        weights: np.ndarray,
    ) -> np.ndarray:
        """(n, d) contributions, summed over each row's references.

        Args:
            rows: n rows.
            pool: m reference rows.
            nearest: (n, j) positions of each row's references in the pool.
            scale: (n, j) what each reference counts for.
            weights: (h,) of the last features.
        """
        hidden, direct = self._parted(weights.astype(np.float32))
        used, places = np.unique(nearest, return_inverse=True)
        near = self._end(pool.take(used), hidden)
        places = places.reshape(nearest.shape)
        slopes = np.empty((*nearest.shape, self._first.shape[1]), dtype=np.float32)
        for start in range(0, len(nearest), _ROWS):
            some = np.arange(start, min(start + _ROWS, len(nearest)))
            far = self._end(rows.take(some), hidden)
            slopes[some] = self._of_some(far, near, places[some], hidden)
        slopes *= scale[:, :, None].astype(np.float32)
        found = self._by_sensor(rows.inputs, near.inputs, places, slopes)
        if self._ensemble:
            moved = _apart(rows.inputs[:, : self._clipped], near.inputs, places, scale)
            found += (moved * direct) @ self._owner[: self._clipped]
        return found

    def _by_sensor(
        self, rows: np.ndarray, near: np.ndarray, places: np.ndarray, slopes: np.ndarray
    ) -> np.ndarray:
        """(n, d) what the sensors' moves of the first layer add, by (n, j, units) slopes there.

        A sensor's own move of it is known for each row and each reference, which are far fewer
        than their pairs. The pairs of one reference are handed out together.
        """
        found = np.zeros((len(rows), self.sensors))
        flat, together = slopes.reshape(places.size, -1), slopes.sum(axis=1)[:, :, None]
        order = np.argsort(places, axis=None, kind="stable")
        ends = np.searchsorted(places.ravel()[order], np.arange(1, len(near)))
        of_reference = np.split(order, ends)
        for start in range(0, self.sensors, _SENSORS):
            some = range(start, min(start + _SENSORS, self.sensors))
            found[:, some] = (self._moved(rows, some) @ together)[:, :, 0]
            less = np.empty((places.size, len(some)), dtype=np.float32)
            for pairs, moved in zip(of_reference, self._moved(near, some), strict=True):
                less[pairs] = flat[pairs] @ moved.T
            found[:, some] -= less.reshape(*places.shape, -1).sum(axis=1)
        return found

    def _moved(self, inputs: np.ndarray, sensors: range) -> np.ndarray:
        """(n, s, units) what each of some sensors makes of the first hidden layer by itself."""
        moved = [inputs[:, own] @ self._first[own] for own in map(self._inputs_of, sensors)]
        return np.stack(moved, axis=1)

    def _inputs_of(self, sensor: int) -> np.ndarray:
        return np.flatnonzero(self._owner[:, sensor])

    def _end(self, rows: Encoded, hidden: np.ndarray) -> _End:
        return _End(rows.inputs, rows.first, self._slope(rows.first, hidden))

    def _of_some(self, far: _End, near: _End, places: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        """(n, j, units) mean slopes by the first hidden layer, on the paths to rows."""
        n, j = places.shape
        start = near.first[places].reshape(n * j, -1)
        step = (far.first[:, None] - near.first[places]).reshape(n * j, -1)
        ends, inside = _lobatto(_POINTS)
        total = ends * (near.slope[places] + far.slope[:, None]).reshape(n * j, -1)
        for place, share in inside:
            total += share * self._slope(start + place * step, hidden)
        return np.asarray(total.reshape(n, j, -1))

    def _parted(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(members, units) weights of the last hidden layers, and (k,) of the clipped sensors."""
        direct = np.zeros(self._clipped, dtype=np.float32)
        hidden = weights
        if self._ensemble:
            hidden, direct = weights[: -self._clipped], weights[-self._clipped :]
        return hidden.reshape(self._count, -1), direct

    def _slope(self, first: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(pairs, members * units) slope at one place, forward and back through the members."""
        pairs = len(first)
        before = first.reshape(pairs, self._count, -1).transpose(1, 0, 2)
        slopes = []
        for kernel, bias in self._later:
            after, slope = _silu(before)
            slopes.append(slope)
            before = after @ kernel + bias
        back = weights[:, None] * _silu(before)[1]
        for (kernel, _), slope in zip(reversed(self._later), reversed(slopes), strict=True):
            back = (back @ kernel.transpose(0, 2, 1)) * slope
        return np.asarray(back.transpose(1, 0, 2).reshape(pairs, -1))


def _apart(rows: np.ndarray, near: np.ndarray, places: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(n, k) rows minus their references, summed over these, each scaled by itself."""
    reference = near[:, : rows.shape[1]][places]
    weighted = np.einsum("nj,njk->nk", scale, reference)
    return np.asarray(scale.sum(axis=1)[:, None] * rows - weighted)


@cache
def _lobatto(points: int) -> tuple[float, list[tuple[float, float]]]:
    """Weight of each end of the path from 0 to 1, and place and weight of each point inside.

    >>> ends, inside = _lobatto(3)  # Simpson's rule
    >>> round(6 * ends), [(place, round(6 * share)) for place, share in inside]
    (1, [(0.5, 4)])
    """
    highest = Legendre.basis(points - 1)
    places = np.asarray(highest.deriv().roots(), dtype=np.float64)
    ends = 1 / (points * (points - 1))
    shares = ends / highest(places) ** 2
    return ends, list(zip(((places + 1) / 2).tolist(), shares.tolist(), strict=True))


def _hidden(named: dict[str, Layer], prefix: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernel and offset of each hidden layer of a member, first to last."""
    start = f"{prefix}hidden_"
    depths = sorted(int(name.removeprefix(start)) for name in named if name.startswith(start))
    members = [named[f"{start}{depth}"].weights for depth in depths]
    return [(kernel, offset) for kernel, offset in members]


def _silu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``x * sigmoid(x)`` and its slope."""
    # In place: these arrays are what takes the time.
    gate = np.negative(x)
    with np.errstate(over="ignore"):  # one over infinity is the right 0
        np.exp(gate, out=gate)
    gate += 1
    np.reciprocal(gate, out=gate)
    after = x * gate
    slope = x - after
    slope += 1
    slope *= gate
    return after, slope
