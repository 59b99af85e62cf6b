"""What is proposed for each sensor, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.mapping.alike import AlikeSensors, groups_of
from faultxfer.mapping.matching import Known, Matching, match
from faultxfer.mapping.quantities import Writing, writings, zero
from faultxfer.mapping.ranges import next_best
from faultxfer.mapping.statistics import HIGH, LOW, SensorStatistics
from faultxfer.wording import listed, reading

# A pair that costs more than this is weak. On the sets and seeds that the weights were chosen by,
# 99 % of the cheaper ones are right, and 84 % of the others.
WEAK = 3.0
_WEAK = "Weak: no better column was found, and this one may be another sensor"
# A unit and scale that is cheaper by less than this than any other is unsure: of those that were
# cheaper by more all were right, of the others four in ten.
SURE_OF_UNIT = 1.0
# Readings that are farther apart than this as they fit best may as well be those of a machine of
# another size in another unit.
FAR = 3.0
_AS_IT_IS = Writing("", 1.0, 1.0, 0.0, 0.0)
# Correlations that are shown: so many, of at least this size.
_SHOWN, _TELLING = 2, 0.3


@dataclass(frozen=True)
class Proposal:
    """What is proposed for one sensor.

    Attributes:
        sensor: of the contract.
        tag: the column of the file; None where none is plausible.
        writing: how the column writes the sensor's readings.
        alike: the group inside of which nothing shows which is which; None elsewhere.
        doubt: why it should not be taken over unread, beside ``alike``; empty where it may be.
        evidence: what speaks for it, in words.
    """

    sensor: str
    tag: str | None
    writing: Writing
    alike: AlikeSensors | None
    doubt: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def to_contract(self) -> tuple[float, float]:
        """Factor and offset from the file's numbers to the contract's."""
        return self.writing.factor, self.writing.offset

    @property
    def sure(self) -> bool:
        """Whether there is one column, plausible by itself, and no other that is as good."""
        return self.tag is not None and self.alike is None and not self.doubt


@dataclass(frozen=True)
class Proposals:
    """What is proposed for a machine.

    Attributes:
        sensors: a proposal for each sensor of the contract, in its order.
        new: columns that no sensor was found for.
        alike: groups that a person has to settle.
        matching: what was weighed.
    """

    sensors: tuple[Proposal, ...]
    new: tuple[str, ...]
    alike: tuple[AlikeSensors, ...]
    matching: Matching

    def of(self, sensor: str) -> Proposal:
        """The proposal of a sensor."""
        return next(one for one in self.sensors if one.sensor == sensor)

    @property
    def missing(self) -> tuple[str, ...]:
        """Sensors without a plausible column."""
        return tuple(one.sensor for one in self.sensors if one.tag is None and one.alike is None)


def propose(
    source: Known,
    target: Known,
    source_rows: SensorStatistics | None,
    target_rows: SensorStatistics,
) -> Proposals:
    """Propose a column for each sensor; see :func:`faultxfer.mapping.matching.match`."""
    matching = match(source, target, source_rows, target_rows)
    alike = groups_of(source, target, source_rows, target_rows, matching)
    evidence = _Evidence(source, target, source_rows, target_rows, matching)
    total = matching.costs.alone + matching.costs.together(matching.columns)
    proposals = []
    for place, sensor in enumerate(source.names):
        column = int(matching.columns[place])
        group = next((one for one in alike if sensor in one.sensors), None)
        if column < 0:
            proposals.append(Proposal(sensor, None, _AS_IT_IS, group))
            continue
        way, told = evidence.writing(place, column), evidence.of(place, column)
        doubt = _WEAK if total[place, column] > WEAK else evidence.doubt_of_unit(place, column)
        proposals.append(Proposal(sensor, target.names[column], way, group, doubt, told))
    settled = set(matching.columns.tolist())
    open_tags = {tag for group in alike for tag in group.tags}
    new = tuple(
        tag
        for place, tag in enumerate(target.names)
        if place not in settled and tag not in open_tags
    )
    return Proposals(tuple(proposals), new, tuple(alike), matching)


@dataclass(frozen=True)
class _Evidence:
    """Everything that was known, to be put into words."""

    source: Known
    target: Known
    source_rows: SensorStatistics | None
    target_rows: SensorStatistics
    matching: Matching

    def writing(self, place: int, column: int) -> Writing:
        """How a column writes a sensor's readings: as fits best, or as its unit says."""
        if self.matching.ranges is None:
            return self._ways(place, column)[0]
        return self.matching.ranges.writing[place][column]

    def _ways(self, place: int, column: int) -> tuple[Writing, ...]:
        stated = self.target.unit(self.target.names[column])
        return writings(self.source.unit(self.source.names[place]), stated)

    def doubt_of_unit(self, place: int, column: int) -> str:
        """Which other unit or scale fits hardly worse; empty where none does."""
        if self.source_rows is None:
            return ""
        ranges = self.matching.ranges
        stated = self.target.unit(self.target.names[column])
        if ranges is not None and not stated and ranges.cost[place, column] > FAR:
            return "Unit or scale unsure: the readings lie far apart in every one"
        other = next_best(
            self.source_rows.quantiles[place],
            self.target_rows.quantiles[column],
            self._ways(place, column),
            zero(self.source.unit(self.source.names[place])),
        )
        if other is None or other[1] >= SURE_OF_UNIT:
            return ""
        best, second = written_as(self.writing(place, column)), written_as(other[0])
        return f"Unit or scale unsure: {best} fits hardly better than {second}"

    def of(self, place: int, column: int) -> tuple[str, ...]:
        """What speaks for a sensor's column: names, unit, range, correlations."""
        told = [self._names(place, column), self._unit(column)]
        if self.source_rows is not None:
            told += [self._range(self.source_rows, place, column)]
            told += [self._correlations(self.source_rows, place, column)]
        return tuple(filter(None, told))

    def _names(self, place: int, column: int) -> str:
        one, other = self.matching.source_words[place], self.matching.target_words[column]
        if one.text == other.text:
            return "the same name"
        shared = [word.replace("_", " ") for word in one.all if word in set(other.all)]
        if self.matching.names[place, column] > 0 and shared:
            return f"names share {listed(shared)}"
        if self.matching.names[place, column] < 0:
            return "the names contradict each other"
        return ""

    def _unit(self, column: int) -> str:
        stated = self.target.unit(self.target.names[column])
        return f"the file says {stated}" if stated else ""

    def _range(self, known: SensorStatistics, place: int, column: int) -> str:
        """The middle eight tenths of the readings on both sides, in the contract's unit."""
        way = self.writing(place, column)
        there = known.quantiles[place, [LOW, HIGH]]
        here = self.target_rows.quantiles[column, [LOW, HIGH]] * way.factor + way.offset
        if not np.isfinite([*there, *here]).all():
            return ""
        unit = self.source.unit(self.source.names[place])
        return f"{_span(here)} here, {_span(there)} there{f' ({unit})' if unit else ''}"

    def _correlations(self, known: SensorStatistics, place: int, column: int) -> str:
        """How it goes with the sensors that it goes with most, on both machines."""
        others = [
            other
            for other in np.argsort(-np.abs(known.correlations[place]), kind="stable")
            if other != place and self.matching.columns[other] >= 0
        ]
        told = []
        for other in others[:_SHOWN]:
            there = known.correlations[place, other]
            here = self.target_rows.correlations[column, self.matching.columns[other]]
            if abs(there) >= _TELLING:
                told.append(f"{self.source.names[other]} {here:+.2f} here, {there:+.2f} there")
        return f"goes with {'; '.join(told)}" if told else ""


def _span(ends: np.ndarray) -> str:
    low, high = sorted(float(end) for end in ends)
    return f"{reading(low)} to {reading(high)}"


def written_as(way: Writing) -> str:
    """How a column writes a sensor's readings, in words.

    >>> written_as(Writing("psi", 0.1, 0.0069, 0.0, 0.5))
    'in psi, times 0.1'
    """
    parts = [f"in {way.unit}"] if way.unit else []
    if way.scale != 1.0:
        parts.append(f"times {way.scale:g}")
    return ", ".join(parts) or "as they stand in the file"
