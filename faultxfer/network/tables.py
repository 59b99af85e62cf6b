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

from faultxfer.data.cuts import Cuts
from faultxfer.network.arrays import BINS, CLIPPED, ENCODED, MEMBER_LOGITS, ROBUST, ArrayNetwork

# Rows at a time, whose first hidden layer stays in the cache.
_ROWS = 512
# In narrower bins, in units of the robust scale, single precision decides how far a reading came;
# and the bins of a sensor follow each other without a gap within this share of their width.
_NARROW, _GAP = 1e-3, 1e-2


@dataclass(frozen=True)
class _Bins:
    """The bins of the sensors, b in all, one sensor after the other.

    Attributes:
        places: (s,) of the sensors among those that the network reads.
        cuts: of each sensor's bins the ends of all but the last.
        slope, offset: (b,) of how far a reading came in each bin; it came no less than nowhere, and
            no further than through.
        table: (b + s, units) what the first layer makes of a reading at the ends of the bins.
    """

    places: np.ndarray
    cuts: Cuts
    slope: np.ndarray
    offset: np.ndarray
    table: np.ndarray


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
        self._bins, dense = _tabled(network, kernel[clipped:])
        # Bins that are no tables are multiplied, as the clipped sensors are.
        self._dense_bins = [one[..., dense] for one in network.get_layer(BINS).weights]
        self._dense = np.vstack([kernel[:clipped], kernel[clipped:][dense], bias])
        self.names = frozenset({CLIPPED, MEMBER_LOGITS, *(own[-1][0] for own in self._layers)})

    def outputs(self, X: np.ndarray, found: dict[str, np.ndarray]) -> None:
        """Fill in what some layers give for (n, d) scaled sensors, (n, width) float32 by name."""
        robust, clipped = self._network.front(X)
        dense = self._multiplied(robust, clipped)
        for start in range(0, len(X), _ROWS):
            some = slice(start, start + _ROWS)
            first = self._first(dense[some], *self._numbers(robust[some]))
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
        bins = self._bins
        readings = robust[:, bins.places]
        number = bins.cuts(readings)
        readings *= bins.slope.take(number)
        readings += bins.offset.take(number)
        shares = np.empty((*number.shape, 2), dtype=np.float32)
        rows = np.empty(shares.shape, dtype=np.int32)
        np.clip(readings, 0, 1, out=shares[:, :, 1])
        np.subtract(1, shares[:, :, 1], out=shares[:, :, 0])
        # Each sensor before has one row more than bins.
        rows[:, :, 0] = number + np.arange(len(bins.places))
        np.add(rows[:, :, 0], 1, out=rows[:, :, 1])
        return shares.reshape(len(robust), -1), rows.reshape(len(robust), -1)

    def _first(self, dense: np.ndarray, shares: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(n, members * units) half of the first hidden layer before its activation."""
        ends = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
        table = self._bins.table
        counted = csr_array((shares.ravel(), rows.ravel(), ends), shape=(len(rows), len(table)))
        first = np.asarray(counted @ table)
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


def _tabled(network: ArrayNetwork, weights: np.ndarray) -> tuple[_Bins, np.ndarray]:
    """Bins of the sensors whose bins are tables, and positions of the bins of other sensors.

    Args:
        network: with a layer of bins.
        weights: (bins, units) of the first hidden layers on these.
    """
    kernel, bias = (one.astype(np.float64) for one in network.get_layer(BINS).weights)
    places, cuts = [], []
    tabled, dense = [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)]
    tables = [np.zeros((0, weights.shape[1]), dtype=np.float32)]
    for place, own in enumerate(kernel):
        bins = np.flatnonzero(own)
        bins = bins[np.argsort(-bias[bins] / own[bins])]
        slope, offset = own[bins], bias[bins]
        low, high = -offset / slope, (1 - offset) / slope
        apart = np.abs(low[1:] - high[:-1]) > _GAP * np.minimum(1 / slope[1:], 1 / slope[:-1])
        if (slope <= 0).any() or (1 / slope < _NARROW).any() or apart.any():
            dense.append(bins)
        elif len(bins):
            places.append(place)
            cuts.append(low[1:].astype(np.float32))
            tabled.append(bins)
            tables.append(_at_ends(weights[bins]))
    every = np.concatenate(tabled)
    # A bin is of one sensor.
    slope, offset = (one[every].astype(np.float32) for one in (kernel.sum(axis=0), bias))
    found = _Bins(np.array(places, dtype=int), Cuts(cuts), slope, offset, np.vstack(tables))
    return found, np.concatenate(dense)


def _at_ends(weights: np.ndarray) -> np.ndarray:
    """(b + 1, units) sums of the (b, units) weights of the bins that are passed."""
    passed = np.cumsum(weights, axis=0, dtype=np.float64)
    return np.pad(passed, ((1, 0), (0, 0))).astype(np.float32)


def _silu_of_half(x: np.ndarray) -> np.ndarray:
    """``2 x * sigmoid(2 x)``, in few passes over the memory."""
    found = np.tanh(x)
    found *= x
    found += x
    return np.asarray(found)
