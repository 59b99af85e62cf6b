"""One column for each sensor and one sensor for each column, or none, at the least cost.

Names, units and ranges speak for or against each pair by itself; correlations for two pairs
together, as what rises with the pressure here rises with it there. This is a quadratic assignment:
it is solved by linear ones (Kuhn, Naval Research Logistics 1955; ``scipy.optimize``), each with
the correlations to the columns that the one before it chose, and then by exchanging pairs (2-opt).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

# Two rank correlations of the same two sensors on two machines differ by about this.
_USUAL_DIFFERENCE = 0.15
# Parts of a slow signal that follow each other are alike, so the errors they show are too small.
_TRUST = 2.0
# Weight of the correlations beside everything else; of the sorted correlations of a column before
# any column is matched.
CORRELATIONS, _PROFILE = 3.4, 1.0
# Leaving a sensor without a column costs this, and a column without a sensor.
ABSENT = 3.0
_ROUNDS = 25
# Pairs are exchanged for at most this many sensors: after each exchange all pairs are compared.
_MOST_EXCHANGED = 150
# Of more matched sensors than this, evenly some are what the correlations are taken with.
MOST_COMPARED = 100
_NEVER = 1e6


@dataclass(frozen=True)
class Costs:
    """What matching each of d sensors with each of t columns costs.

    Attributes:
        alone: (d, t) by name, unit and range.
        source: (d, d) rank correlations of the sensors.
        target: (t, t) rank correlations of the columns.
        source_noise: (d, d) standard errors of the first, target_noise: (t, t) of the second.
        weight: of the correlations; 0 where they are not known.
    """

    alone: np.ndarray
    source: np.ndarray
    target: np.ndarray
    source_noise: np.ndarray
    target_noise: np.ndarray
    weight: float = CORRELATIONS

    def together(self, columns: np.ndarray) -> np.ndarray:
        """(d, t) what correlations with the sensors matched so far cost.

        Args:
            columns: (d,) the column of each sensor; -1 where it has none.
        """
        matched = np.flatnonzero(columns >= 0)
        if not self.weight or len(matched) < 2:
            return np.zeros(self.alone.shape)
        matched = matched[:: len(matched) // MOST_COMPARED + 1]
        total = np.zeros(self.alone.shape)
        own = np.zeros(self.alone.shape)
        for other in matched:
            column = columns[other]
            apart = strangeness(
                self.source[:, other, None] - self.target[None, :, column],
                self.source_noise[:, other, None],
                self.target_noise[None, :, column],
            )
            apart[other, :], apart[:, column] = 0.0, 0.0
            total += apart
            used = np.ones(self.alone.shape)
            used[other, :], used[:, column] = 0.0, 0.0
            own += used
        return self.weight * total / np.maximum(own, 1.0)

    def profile(self) -> np.ndarray:
        """(d, t) how differently a sensor and a column go with all others, whichever these are."""
        if not self.weight or min(self.alone.shape) < 3:
            return np.zeros(self.alone.shape)
        shares = np.linspace(0, 1, 9)
        source = np.quantile(_others(self.source), shares, axis=1).T
        target = np.quantile(_others(self.target), shares, axis=1).T
        apart = strangeness(source[:, None, :] - target[None, :, :])
        return _PROFILE * np.asarray(apart.mean(axis=2))


def strangeness(
    difference: np.ndarray, noise: np.ndarray | float = 0.0, other: np.ndarray | float = 0.0
) -> np.ndarray:
    """What a difference of two rank correlations costs, whose standard errors are known.

    Large ones cost little more than these.
    """
    usual = _USUAL_DIFFERENCE**2 + _TRUST * (np.square(noise) + np.square(other))
    return np.asarray(np.log1p(difference**2 / usual))


def _others(correlations: np.ndarray) -> np.ndarray:
    """(d, d - 1) correlations of each with the others, by size."""
    count = len(correlations)
    return correlations[~np.eye(count, dtype=bool)].reshape(count, count - 1)


def assign(costs: Costs) -> np.ndarray:
    """(d,) the column of each sensor; -1 where leaving it without one costs less."""
    columns = _cheapest(costs.alone + costs.profile())
    for weight in np.linspace(0.4, 1.0, _ROUNDS):
        before = columns
        columns = _cheapest(
            costs.alone + weight * costs.together(columns) + (1 - weight) * costs.profile()
        )
        if weight == 1.0 and (columns == before).all():
            break
    if len(columns) <= _MOST_EXCHANGED:
        columns = _exchanged(costs, columns)
    return columns


def _cheapest(cost: np.ndarray) -> np.ndarray:
    """(d,) the cheapest one-to-one assignment, in which all may stay without partner."""
    sensors, tags = cost.shape
    whole = np.full((sensors + tags, tags + sensors), _NEVER)
    whole[:sensors, :tags] = cost
    whole[np.arange(sensors), tags + np.arange(sensors)] = ABSENT
    whole[sensors + np.arange(tags), np.arange(tags)] = ABSENT
    whole[sensors:, tags:] = 0.0
    rows, columns = linear_sum_assignment(whole)
    found = np.full(sensors, -1)
    for row, column in zip(rows, columns, strict=True):
        if row < sensors and column < tags:
            found[row] = column
    return found


def exchange_costs(costs: Costs, columns: np.ndarray) -> np.ndarray:
    """(m, m) what it costs more if two of the m matched sensors exchange their columns.

    It is the change of the sum over sensors and, at the full weight, over pairs of them.
    """
    matched = np.flatnonzero(columns >= 0)
    own = columns[matched]
    alone = costs.alone[np.ix_(matched, own)]
    kept = np.diag(alone)
    change = alone + alone.T - kept[:, None] - kept[None, :]
    count = len(matched)
    if not costs.weight or count < 3:
        return np.asarray(change)
    source = costs.source[np.ix_(matched, matched)]
    target = costs.target[np.ix_(own, own)]
    noise = costs.source_noise[np.ix_(matched, matched)]
    other = costs.target_noise[np.ix_(own, own)]
    now = strangeness(source - target, noise, other)
    rows = np.zeros((count, count))
    for one in range(count):
        apart = strangeness(source[one][None, :] - target, noise[one][None, :], other)
        apart[:, one] = 0.0
        apart[np.arange(count), np.arange(count)] = 0.0
        rows[one] = apart.sum(axis=1)
    here = now.sum(axis=1) - np.diag(now)
    # `rows` and `here` count the exchanged pair itself differently: its correlation stays.
    before = here[:, None] + here[None, :] - 2 * now
    pairs = rows + rows.T - before
    return np.asarray(change + costs.weight * 2 * pairs / (count - 1))


def _exchanged(costs: Costs, columns: np.ndarray) -> np.ndarray:
    """The assignment after exchanges that make it cheaper, the best one first."""
    columns = columns.copy()
    for _ in range(4 * len(columns)):
        matched = np.flatnonzero(columns >= 0)
        if len(matched) < 2:
            break
        change = exchange_costs(costs, columns)
        one, other = np.unravel_index(int(np.argmin(change)), change.shape)
        if change[one, other] > -1e-9:
            break
        first, second = matched[one], matched[other]
        columns[first], columns[second] = columns[second], columns[first]
    return columns
