"""Sensors of one kind of which nothing shows which is which.

Two sensors are indistinguishable where exchanging their columns costs hardly more than not to: less
than two instruments of one kind, a little off each, differ by from machine to machine, or less than
what the same costs differ by from one part of the rows to another. So are two columns that one
sensor may have, and two sensors that may have one column.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from faultxfer.mapping.assigning import Costs, exchange_costs
from faultxfer.mapping.matching import Known, Matching, alone, compare
from faultxfer.mapping.statistics import SensorStatistics

# An exchange that costs less than this may be chance, whatever the parts say: on the families that
# the weights were chosen by, sensors made alike cost 0.1 at most and others 0.5 at least.
LEAST = 0.7
# Fewer pairs of parts than this show no noise.
_FEWEST = 4


@dataclass(frozen=True)
class AlikeSensors:
    """Sensors and columns that may be any of each other's.

    Attributes:
        sensors: of the contract.
        tags: of the file; those of the sensors in the order in which they are proposed, then
            others.
        margin: what the cheapest exchange inside costs more than none, as a log-likelihood.
    """

    sensors: tuple[str, ...]
    tags: tuple[str, ...]
    margin: float


def groups_of(
    source: Known,
    target: Known,
    source_rows: SensorStatistics | None,
    target_rows: SensorStatistics,
    matching: Matching,
) -> list[AlikeSensors]:
    """Groups inside of which nothing shows which column is which sensor's."""
    columns = matching.columns
    matched = np.flatnonzero(columns >= 0)
    if not len(matched):
        return []
    margin = exchange_costs(matching.costs, columns)
    noise = _noise(source, target, source_rows, target_rows, matching)
    unsure = np.maximum(LEAST, noise)
    nodes = _Nodes(matched, columns, source, target)
    close = nodes.margins(margin, matching)
    limits = np.full(close.shape, LEAST)
    limits[: len(matched), : len(matched)] = unsure
    return nodes.groups(close, close < limits)


@dataclass(frozen=True)
class _Nodes:
    """Matched pairs, then columns that are left, then sensors that are left."""

    matched: np.ndarray
    columns: np.ndarray
    source: Known
    target: Known

    @property
    def left_columns(self) -> np.ndarray:
        every = np.arange(len(self.target.names))
        return np.setdiff1d(every, self.columns[self.matched])

    @property
    def left_sensors(self) -> np.ndarray:
        return np.flatnonzero(self.columns < 0)

    def margins(self, exchanged: np.ndarray, matching: Matching) -> np.ndarray:
        """(k, k) what it costs more if two nodes change places."""
        pairs, own = len(self.matched), self.columns[self.matched]
        count = pairs + len(self.left_columns) + len(self.left_sensors)
        total = matching.costs.alone + matching.costs.together(self.columns)
        now = total[self.matched, own]
        found = np.full((count, count), np.inf)
        found[:pairs, :pairs] = exchanged
        other = total[np.ix_(self.matched, self.left_columns)] - now[:, None]
        found[:pairs, pairs : pairs + other.shape[1]] = other
        instead = (total[np.ix_(self.left_sensors, own)] - now[None, :]).T
        found[:pairs, pairs + other.shape[1] :] = instead
        found = np.minimum(found, found.T)
        np.fill_diagonal(found, np.inf)
        return np.asarray(found)

    def groups(self, margin: np.ndarray, close: np.ndarray) -> list[AlikeSensors]:
        """Nodes that could change places, directly or through others."""
        count, number = connected_components(close, directed=False)
        groups = [np.flatnonzero(number == group) for group in range(count)]
        return [self._group(nodes, margin) for nodes in groups if len(nodes) > 1]

    def _group(self, nodes: np.ndarray, margin: np.ndarray) -> AlikeSensors:
        pairs, more = len(self.matched), len(self.left_columns)
        both = self.matched[nodes[nodes < pairs]]
        columns = self.left_columns[nodes[(nodes >= pairs) & (nodes < pairs + more)] - pairs]
        sensors = self.left_sensors[nodes[nodes >= pairs + more] - pairs - more]
        return AlikeSensors(
            tuple(self.source.names[place] for place in (*both, *sensors)),
            tuple(self.target.names[place] for place in (*self.columns[both], *columns)),
            float(margin[np.ix_(nodes, nodes)].min()),
        )


def _noise(
    source: Known,
    target: Known,
    source_rows: SensorStatistics | None,
    target_rows: SensorStatistics,
    matching: Matching,
) -> np.ndarray | float:
    """(m, m) how much the costs of exchanges differ, from one part of the rows to another."""
    if source_rows is None or source_rows.parts * target_rows.parts < _FEWEST:
        return 0.0
    margins = []
    for one in range(source_rows.parts):
        for other in range(target_rows.parts):
            rows = source_rows.part(one), target_rows.part(other)
            costs = _costs(source, target, *rows, matching)
            margins.append(exchange_costs(costs, matching.columns))
    # Pairs of parts repeat each other: there are as many independent ones as parts.
    fewer = min(source_rows.parts, target_rows.parts)
    return np.asarray(np.std(margins, axis=0) / np.sqrt(fewer))


def _costs(
    source: Known,
    target: Known,
    source_rows: SensorStatistics,
    target_rows: SensorStatistics,
    matching: Matching,
) -> Costs:
    """What is weighed, as these parts of the rows show it."""
    ranges = compare(source, target, source_rows, target_rows)
    return dataclasses.replace(
        matching.costs,
        alone=alone(matching.names, matching.units) + ranges.cost,
        source=source_rows.correlations,
        target=target_rows.correlations,
    )
