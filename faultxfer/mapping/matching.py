"""Which column is which sensor: names, units, ranges and correlations weighed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from faultxfer.mapping.assigning import CORRELATIONS, Costs, assign
from faultxfer.mapping.names import Words, likeness, without_prefix, words_of
from faultxfer.mapping.quantities import Writing, fits, named_quantity, writings, zero
from faultxfer.mapping.ranges import Ranges, compare_ranges
from faultxfer.mapping.statistics import SensorStatistics

# What names that are the same gain, and what a unit that cannot be the sensor's costs.
NAME, WRONG_UNIT = 6.0, 6.0


@dataclass(frozen=True)
class Known:
    """What is known of one side beside its readings.

    Attributes:
        names: of the sensors, or of the columns of the file.
        units: by name, the unit; names without one are left out.
        descriptions: by name, words that say what it is.
    """

    names: tuple[str, ...]
    units: Mapping[str, str]
    descriptions: Mapping[str, str]

    def unit(self, name: str) -> str:
        """The unit; empty where it is unknown."""
        return self.units.get(name, "")

    def words(self) -> list[Words]:
        """The words of each name, without the prefix that all have."""
        bare = without_prefix(self.names)
        return [
            words_of(short, named_quantity(self.unit(name)), self.descriptions.get(name, ""))
            for name, short in zip(self.names, bare, strict=True)
        ]


@dataclass(frozen=True)
class Matching:
    """The cheapest assignment, and what decided.

    Attributes:
        columns: (d,) place of each sensor's column; -1 where it has none.
        names: (d, t) likeness of the names.
        ranges: costs of the ranges, and how each column would be written; None without readings.
        units: (d, t) bool: the units cannot be the same quantity.
        costs: everything that was weighed.
        source_words, target_words: of the names.
    """

    columns: np.ndarray
    names: np.ndarray
    ranges: Ranges | None
    units: np.ndarray
    costs: Costs
    source_words: tuple[Words, ...]
    target_words: tuple[Words, ...]


def match(
    source: Known,
    target: Known,
    source_rows: SensorStatistics | None,
    target_rows: SensorStatistics,
) -> Matching:
    """Match sensors with columns.

    Args:
        source: d sensors of the contract.
        target: t columns of the new file.
        source_rows: statistics of the sensors' normal rows; None where nothing is known.
        target_rows: statistics of the columns as they stand in the file.
    """
    words = tuple(source.words()), tuple(target.words())
    names = likeness(*words)
    wrong = _wrong_units(source, target)
    told = alone(names, wrong)
    if source_rows is None:
        nothing = np.zeros((len(source.names),) * 2)
        unknown = np.zeros(target_rows.correlations.shape)
        costs = Costs(told + _UNKNOWN, nothing, unknown, nothing, unknown, weight=0.0)
        return Matching(assign(costs), names, None, wrong, costs, *words)
    ranges = compare(source, target, source_rows, target_rows)
    costs = Costs(
        told + ranges.cost,
        source_rows.correlations,
        target_rows.correlations,
        source_rows.noise,
        target_rows.noise,
        CORRELATIONS,
    )
    return Matching(assign(costs), names, ranges, wrong, costs, *words)


def alone(names: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """(d, t) what names and units say of each pair by itself."""
    return np.asarray(WRONG_UNIT * wrong - NAME * names)


# Without readings of the source, a pair has to be spoken for by its names: this is more than it
# costs to leave both alone.
_UNKNOWN = 6.5


def compare(
    source: Known, target: Known, source_rows: SensorStatistics, target_rows: SensorStatistics
) -> Ranges:
    """How far the readings of each sensor and each column lie apart."""
    zeros = [zero(source.unit(name)) for name in source.names]
    return compare_ranges(source_rows.quantiles, target_rows.quantiles, ways(source, target), zeros)


def ways(source: Known, target: Known) -> Sequence[Sequence[Sequence[Writing]]]:
    """By sensor and column, how the column may write the sensor's readings."""
    return [
        [writings(source.unit(name), target.unit(tag)) for tag in target.names]
        for name in source.names
    ]


def _wrong_units(source: Known, target: Known) -> np.ndarray:
    """(d, t) 1 where both units are known and measure different things."""
    found = np.zeros((len(source.names), len(target.names)))
    for row, name in enumerate(source.names):
        for column, tag in enumerate(target.names):
            one, other = source.unit(name), target.unit(tag)
            found[row, column] = bool(one and other and not fits(other, one))
    return found
