"""A machine's own rows as a caller gives them: which columns they have, and which rows are scored.

They go through the same door as files that are scored: the same shapes, the same reading, the same
rules. But a request is no file. Nothing is refused for the share of rows that are bad, and every
row gets an answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from faultxfer.contract.check import Check, begin_check
from faultxfer.contract.machines import to_contract
from faultxfer.contract.named_columns import absent_of
from faultxfer.contract.outcome import Checked, refusal
from faultxfer.contract.schema import Contract, Equipment, Sensor
from faultxfer.contract.shapes import frame_shaped, keys_of_moments
from faultxfer.contract.tallies import outside
from faultxfer.contract.units import conversion
from faultxfer.errors import DataError
from faultxfer.reading import columns
from faultxfer.reading.table import RawTable

_SAME = (1.0, 0.0)


@dataclass(frozen=True)
class JudgedRows:
    """What becomes of each row.

    Attributes:
        checked: the accepted rows, with their places in ``columns.ROW``, and the table as read.
        remark: (n,) text by place: why a row is not scored, or why it is marked; empty for others.
    """

    checked: Checked
    remark: np.ndarray

    def __len__(self) -> int:
        return len(self.remark)


@dataclass(frozen=True)
class MachineRows:
    """What one machine's own rows look like.

    Attributes:
        contract: that its model was trained under.
        machine: its name there.
        fills: sensors whose missing readings the model can fill in, those of a whole column too.
    """

    contract: Contract
    machine: str
    fills: frozenset[str] = frozenset()

    @cached_property
    def own(self) -> Equipment:
        """How the machine's rows differ from the contract."""
        return self.contract.equipment.get(self.machine, Equipment())

    def tag(self, name: str) -> str:
        """What the machine calls a column of the contract."""
        tags = {meant: tag for tag, meant in self.own.aliases.items()}
        return tags.get(name, name)

    @property
    def columns(self) -> dict[str, bool]:
        """Names of the columns that are looked at, in order, and whether each is required."""
        return self._of_moments() if self.contract.long is None else self._of_readings()

    def _of_readings(self) -> dict[str, bool]:
        """Columns of rows in long form: needed ones, and those that tell moments apart."""
        long = self.contract.long
        required = dict.fromkeys(long.columns if long else (), True)
        optional = dict.fromkeys(keys_of_moments(self.contract), False)
        return required | {name: False for name in optional if name not in required}

    def _of_moments(self) -> dict[str, bool]:
        """Columns of rows with a column for each sensor: needed ones, and others that count."""
        contract, needed = self.contract, self._needed
        inputs = (*contract.features, *sorted(contract.quality_columns), *contract.where)
        found = {self.tag(name): name in needed for name in inputs}
        # Date and time of day are joined before anything gets the contract's name.
        found |= dict.fromkeys(contract.csv.time_parts, True)
        others = [*contract.key_columns, *contract.condition_columns]
        if contract.label.marks:
            others.append(contract.label.column)
        joined = contract.csv.joined_time
        optional = {self.tag(name): False for name in others if name != joined}
        return found | {name: False for name in optional if name not in found}

    @property
    def _needed(self) -> set[str]:
        """Columns without which no row is scored: sensors, their qualities, and conditions."""
        sensors = self.contract.sensors.items()
        had = {name: one for name, one in sensors if name not in self.fills}
        qualities = {one.quality.column for one in had.values() if one.quality}
        return {*had, *qualities, *self.contract.where}

    @property
    def units(self) -> dict[str, str]:
        """The unit of each sensor by the machine's name for it; empty where none is known."""
        sensors = self.contract.sensors.items()
        return {self.tag(name): self._unit(name, sensor) for name, sensor in sensors}

    def _unit(self, name: str, sensor: Sensor) -> str:
        return self.own.units.get(name, sensor.unit)

    def require_units(self, given: Mapping[str, str]) -> None:
        """Compare units that a caller says its rows have with those the machine has.

        Args:
            given: unit by the machine's name for a sensor. Other spellings of a unit are the same.

        Raises:
            DataError: one is another unit, or no sensor has the name.
        """
        expected = self.units
        for tag, unit in given.items():
            if tag not in expected:
                raise DataError(
                    f"A unit is given for {tag!r}, which is no sensor of {self.machine}",
                    received={tag: unit},
                    where=f"units of {self.machine}",
                    remedy=f"The sensors are {', '.join(expected)}",
                )
            if expected[tag] and not _is_same(unit, expected[tag]):
                raise DataError(
                    f"The model takes column {tag!r} in {expected[tag]}, not in {unit}",
                    received={tag: unit},
                    where=f"units of {self.machine}",
                    remedy=f"Send the column in {expected[tag]}, or correct the machine's unit in "
                    "the contract and transfer again",
                )

    def judge(self, rows: pd.DataFrame) -> JudgedRows:
        """Bring rows into the contract's shape and units, and decide which of them are scored.

        Args:
            rows: as the machine writes them. Without the contract's column of machines all rows
                are this machine's. Without the column of a sensor that the model fills in, every
                reading of it is missing.

        Returns:
            One entry for each row; in long form one for each moment, in the order of time.

        Raises:
            DataError: a column is missing or lies outside its range as a whole, the rows can be
                read in more than one way, or the contract refuses them.
        """
        self._require_columns(set(map(str, rows.columns)))
        table = self._with_all_tags(frame_shaped(self._named(rows), self.contract))
        check = begin_check(
            table,
            self.contract,
            labelled=False,
            equipment=self.machine,
            fills=self.fills,
            of_a_file=False,
        )
        if check.has_rows:
            self._require_possible(check)
        checked = check.ended()
        if checked.refused:
            raise refusal(checked.findings, "The rows do not fit the contract")
        return JudgedRows(checked, self._remarks(check, checked))

    def _require_columns(self, present: set[str]) -> None:
        required = [name for name, needed in self.columns.items() if needed]
        missing = [name for name in required if name not in present]
        if missing:
            names = {self.tag(name): name for name in self.contract.features}
            raise DataError(
                f"The rows lack {len(missing)} column(s) of {self.machine}: {', '.join(missing)}",
                received={"columns": sorted(present)},
                code="COLUMN-MISSING",
                remedy=f"Send the columns {', '.join(required)}",
                absent=absent_of([names.get(tag, tag) for tag in missing], self.contract),
            )

    def _named(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with the name of the machine, where the contract has a column for it."""
        column = self.contract.equipment_column
        present = set(map(str, rows.columns))
        if column is None or {column, self.tag(column)} & present:
            return rows
        return rows.assign(**{column: self.machine})

    def _with_all_tags(self, table: RawTable) -> RawTable:
        """In long form, with columns for tags of which the request has no reading."""
        present = {*table.names}
        absent = [
            self.tag(name)
            for name in self.contract.features
            if not {name, self.tag(name)} & present
        ]
        if self.contract.long is None or len(absent) in (0, len(self.contract.features)):
            return table
        frame = table.frame.assign(**dict.fromkeys(absent, "")).astype("str")
        return dataclasses.replace(table, frame=frame, header=(*table.header, *absent))

    def _require_possible(self, check: Check) -> None:
        """Refuse a column of which every reading lies outside: nearly always it is its unit."""
        for name, sensor in self.contract.sensors.items():
            readings = check.values[name][check.mine]
            known = readings[~np.isnan(readings)]
            if sensor.on_breach == "warn" or not len(known) or not outside(known, sensor).all():
                continue
            tag, unit = self.tag(name), self._unit(name, sensor)
            raise DataError(
                f"Every reading of column {tag!r} lies outside what is possible, "
                f"{self._range(name, (sensor.min, sensor.max))}",
                received={tag: self._range(name, (known.min(), known.max()))},
                where=f"column {tag!r}",
                code="SENSOR-OUT-OF-RANGE",
                column=tag,
                remedy=f"Send the column in {unit}, as the model was trained"
                if unit
                else "Check the unit of the column",
            )

    def _range(self, name: str, ends: tuple[float | None, float | None]) -> str:
        """Two values of the contract in the machine's own unit and scale, for people."""
        unit = self._unit(name, self.contract.sensors[name])
        factor, offset = to_contract(self.own, name, self.contract)
        own = [None if end is None else (end - offset) / factor for end in ends]
        low, high = own if factor > 0 else reversed(own)
        first = "-∞" if low is None else f"{low:.6g}"
        last = "∞" if high is None else f"{high:.6g}"
        return f"{first} to {last} {unit}".rstrip()

    def _remarks(self, check: Check, checked: Checked) -> np.ndarray:
        remark = np.full(len(check.table), "", dtype=object)
        remark[~check.asked] = f"not scored: no row of {self.machine}"
        reasons = check.notes.reasons()
        aside = reasons != ""
        remark[aside] = [f"set aside: {reason}" for reason in reasons[aside]]
        for rows in (checked.accepted, checked.unscored):
            if rows is not None and columns.REMARK in rows:
                remark[rows[columns.ROW].to_numpy()] = rows[columns.REMARK].to_numpy(dtype=object)
        return remark


def _is_same(given: str, expected: str) -> bool:
    try:
        return bool(np.allclose(conversion(given, expected), _SAME, rtol=1e-9, atol=1e-12))
    except ValueError:
        return False
