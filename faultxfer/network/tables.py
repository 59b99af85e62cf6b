"""The first layer of an ensemble as tables, for many rows.

Behind the bins of :mod:`faultxfer.network.ensemble` the first hidden layer is, sensor by sensor, a
piecewise-linear function of the reading. What it makes of a reading lies between what it makes of
the two ends of its bin, which are known beforehand. That is two rows of a table for each sensor,
where the layer multiplies all bins, most of which are 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from faultxfer.data.cuts import cuts_below
from faultxfer.network.arrays import BINS, CLIPPED, ENCODED, MEMBER_LOGITS, ROBUST, ArrayNetwork

# Rows at a time, whose first hidden layer stays in the cache.
_ROWS = 256
# In narrower bins, in units of the robust scale, single precision decides how far a reading came;
# and the bins of a sensor follow each other without a gap within this share of their width.
_NARROW, _GAP = 1e-3, 1e-2


@dataclass(frozen=True)
class _Sensor:
    """The bins of one sensor.

    Attributes:
        place: of the sensor among those that the network reads.
        cuts: (b - 1,) ends of all bins but the last, ascending.
        slope, offset: (b,) of how far a reading came in each bin; it came no less than nowhere, and
            no further than through.
        first: its first row in the table.
    """

    place: int
    cuts: np.ndarray
    slope: np.ndarray
    offset: np.ndarray
    first: int


class EnsembleTables:
    """What :meth:`.ArrayNetwork.outputs` gives of an ensemble with bins, for many rows.

    All weights of hidden layers are halved, for :func:`_silu_of_half`.

    Args:
        network: an ensemble; see :func:`tables_of`.
    """

    def __init__(self, network: ArrayNetwork) -> None:
        self._network = network
        members = range(network.width(MEMBER_LOGITS))
        self._layers = [list(_hidden(network, number)) for number in members]
        self._heads = [network.get_layer(f"head_{number}").weights for number in members]
        kernel = np.hstack([layers[0][1] for layers in self._layers])
        bias = np.hstack([layers[0][2] for layers in self._layers])
        clipped = network.width(CLIPPED)
        self._sensors, self._table, dense = _tabled(network, kernel[clipped:])
        # Bins that are no tables are multiplied, as the clipped sensors are.
        self._dense_bins = [one[..., dense] for one in network.get_layer(BINS).weights]
        self._dense = np.vstack([kernel[:clipped], kernel[clipped:][dense], bias])
        self.names = frozenset({CLIPPED, MEMBER_LOGITS, *(own[-1][0] for own in self._layers)})

    def outputs(self, X: np.ndarray, found: dict[str, np.ndarray]) -> None:
        """Fill in what some layers give for (n, d) scaled sensors, (n, width) float32 by name."""
        robust, clipped = self._network.front(X)
        dense = self._multiplied(robust, clipped)
        shares, rows = self._numbers(robust)
        for start in range(0, len(X), _ROWS):
            some = slice(start, start + _ROWS)
            first = self._first(dense[some], shares[some], rows[some])
            for name, values in self._rest(first, clipped[some]):
                if name in found:
                    found[name][some] = values
        if CLIPPED in found:
            found[CLIPPED][:] = clipped

    def _multiplied(self, robust: np.ndarray, clipped: np.ndarray) -> np.ndarray:
        """(n, k) what is multiplied: the clipped sensors, bins that are no tables, and 1."""
        kernel, bias = self._dense_bins
        one = np.ones((len(robust), 1), dtype=np.float32)
        return np.hstack([clipped, np.clip(robust @ kernel + bias, 0, 1), one])

    def _numbers(self, robust: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, 2 s) weights and numbers of the rows of the table that count, for s sensors."""
        shares = np.empty((len(robust), len(self._sensors), 2), dtype=np.float32)
        rows = np.empty(shares.shape, dtype=np.int32)
        for number, sensor in enumerate(self._sensors):
            reading = robust[:, sensor.place]
            place = cuts_below(reading, sensor.cuts)
            came = reading * sensor.slope.take(place) + sensor.offset.take(place)
            np.clip(came, 0, 1, out=shares[:, number, 1])
            np.add(place, sensor.first, out=rows[:, number, 0], casting="unsafe")
        np.subtract(1, shares[:, :, 1], out=shares[:, :, 0])
        np.add(rows[:, :, 0], 1, out=rows[:, :, 1])
        return shares.reshape(len(robust), -1), rows.reshape(len(robust), -1)

    def _first(self, dense: np.ndarray, shares: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(n, members * units) half of the first hidden layer before its activation."""
        ends = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
        counted = csr_array(
            (shares.ravel(), rows.ravel(), ends), shape=(len(rows), len(self._table))
        )
        first = np.asarray(counted @ self._table)
        first += dense @ self._dense
        return first

    def _rest(self, first: np.ndarray, clipped: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """The last hidden layer of each member by name, and the logits of all."""
        after = _silu_of_half(first)
        logits = np.empty((len(first), len(self._layers)), dtype=np.float32)
        begin = 0
        for number, layers in enumerate(self._layers):
            width = layers[0][1].shape[1]
            x = after[:, begin : begin + width]
            begin += width
            for _, kernel, bias in layers[1:]:
                x = x @ kernel
                x += bias
                x = _silu_of_half(x)
            yield layers[-1][0], x
            kernel, bias = self._heads[number]
            head = kernel[:, 0]
            logits[:, number] = x @ head[: x.shape[1]] + clipped @ head[x.shape[1] :] + bias
        yield MEMBER_LOGITS, logits


def tables_of(network: ArrayNetwork) -> EnsembleTables | None:
    """Tables of a network; None where it is no ensemble with bins."""
    layers = {layer.name for layer in network.layers}
    return EnsembleTables(network) if {ROBUST, BINS, ENCODED, MEMBER_LOGITS} <= layers else None


def _hidden(network: ArrayNetwork, member: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, half of the kernel and of the offset of each hidden layer of a member, in order."""
    start = f"member_{member}_hidden_"
    own = [layer for layer in network.layers if layer.name.startswith(start)]
    for layer in sorted(own, key=lambda layer: int(layer.name.removeprefix(start))):
        kernel, bias = layer.weights
        yield layer.name, kernel / 2, bias / 2


def _tabled(
    network: ArrayNetwork, weights: np.ndarray
) -> tuple[list[_Sensor], np.ndarray, np.ndarray]:
    """Sensors whose bins are tables, the table, and positions of the bins of other sensors.

    Args:
        network: with a layer of bins.
        weights: (bins, units) of the first hidden layers on these.
    """
    kernel, bias = (one.astype(np.float64) for one in network.get_layer(BINS).weights)
    sensors: list[_Sensor] = []
    parts, dense, first = [np.zeros((0, weights.shape[1]))], [], 0
    for place, own in enumerate(kernel):
        bins = np.flatnonzero(own)
        if not len(bins):
            continue
        bins = bins[np.argsort(-bias[bins] / own[bins])]
        slope, offset = own[bins], bias[bins]
        low, high = -offset / slope, (1 - offset) / slope
        apart = np.abs(low[1:] - high[:-1]) > _GAP * np.minimum(1 / slope[1:], 1 / slope[:-1])
        if (slope <= 0).any() or (1 / slope < _NARROW).any() or apart.any():
            dense.append(bins)
            continue
        cuts, slopes, offsets = (one.astype(np.float32) for one in (low[1:], slope, offset))
        sensors.append(_Sensor(place, cuts, slopes, offsets, first))
        # At the ends of the bins: the sum of those that are passed.
        passed = np.cumsum(weights[bins], axis=0, dtype=np.float64)
        parts.append(np.pad(passed, ((1, 0), (0, 0))))
        first += len(passed) + 1
    table = np.vstack(parts).astype(np.float32)
    return sensors, table, np.concatenate([np.zeros(0, dtype=int), *dense])


def _silu_of_half(x: np.ndarray) -> np.ndarray:
    """``2 x * sigmoid(2 x)``, in few passes over the memory."""
    found = np.tanh(x)
    found *= x
    found += x
    return np.asarray(found)
