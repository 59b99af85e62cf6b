"""What changed between two contracts, field by field, and whether models trained under the first remain valid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from faultxfer.contract.changes import Change, Told, plain, shown, under
from faultxfer.contract.schema import Contract, Equipment, Label, Scale, Sensor
from faultxfer.contract.units import conversion, one_sided


@dataclass(frozen=True)
class ContractDiff:
    """All changes from one contract to another, in the order of the schema."""

    changes: tuple[Change, ...]

    @property
    def models_valid(self) -> bool:
        """Whether models trained under the first contract may be used under the second."""
        return all(change.ends != "all" for change in self.changes)

    @property
    def machines(self) -> tuple[str, ...]:
        """Machines whose rows now give other numbers, so that models trained with them are not valid."""
        return tuple(
            sorted(
                {
                    change.machine
                    for change in self.changes
                    if change.ends == "machine" and change.machine
                }
            )
        )

    @property
    def verdict(self) -> str:
        """One or two sentences: valid or not, why, and what to do."""
        if not self.changes:
            return "The two contracts mean the same. Old models remain valid."
        reasons = dict.fromkeys(change.field for change in self.changes if change.ends == "all")
        if reasons:
            return f"Old models are NOT valid, because of {', '.join(reasons)}. Pretrain again under the new contract."
        kinds = ", ".join(dict.fromkeys(change.kind for change in self.changes))
        if self.machines:
            return (
                f"Old models remain valid, except those trained with rows of {', '.join(self.machines)}: "
                f"these rows give other numbers now, so train those models again. Changed: {kinds}."
            )
        return f"Old models remain valid: their inputs and their answer mean what they meant. Changed: {kinds}."

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        return {
            "same": not self.changes,
            "models_valid": self.models_valid,
            "machines_not_valid": list(self.machines),
            "verdict": self.verdict,
            "changes": [asdict(change) for change in self.changes],
        }


def diff_contracts(old: Contract, new: Contract) -> ContractDiff:
    """Compare two contracts by their meaning; spelling, comments and defaults written out do not count."""
    csv_fields = tuple(type(old.csv).model_fields)
    changes = [
        *plain(
            old, new, {"family": "another family of equipment is another task"}, "family", "all"
        ),
        *_label(old.label, new.label),
        *plain(old, new, _KEYS, "key columns"),
        *_sensors(old.sensors, new.sensors),
        *plain(old, new, {"ignore": "columns that no model ever sees"}, "ignored columns"),
        *plain(
            old,
            new,
            {"slices": "parts of the rows that the gate compares; no model sees them"},
            "slices",
        ),
        *plain(
            old, new, {"sampling_period": "from which step on a gap is told"}, "sampling period"
        ),
        *_machines(old, new),
        *_rules(old, new),
        *under(
            "csv",
            plain(old.csv, new.csv, dict.fromkeys(csv_fields, "how files are read"), "csv options"),
        ),
    ]
    return ContractDiff(tuple(changes))


_KEYS = {
    "equipment_column": "how machines are told apart; no model sees it",
    "run_column": "what is held out together when models are judged; compare figures with care",
    "time_column": "the order of rows when models are judged; compare figures with care",
}


# The label


def _label(old: Label, new: Label) -> Iterator[Change]:
    other = {"column": "another column may tell something else"}
    yield from under("label", plain(old, new, other, "label", "all"))
    moved = set(old.normal) & set(new.fault) | set(old.fault) & set(new.normal)
    for field in ("normal", "fault"):
        before, after = getattr(old, field), getattr(new, field)
        if set(before) != set(after):
            told = _spellings(before, after, moved)
            yield Change(f"label.{field}", "label spellings", shown(before), shown(after), *told)


def _spellings(old: tuple[str, ...], new: tuple[str, ...], moved: set[str]) -> Told:
    turned = sorted(moved.intersection({*old, *new}))
    if turned:
        return f"{', '.join(turned)} meant the other class before", "all"
    added, gone = (
        [text for text in one if text not in other] for one, other in ((new, old), (old, new))
    )
    said = [f"{', '.join(added)} is understood now"] if added else []
    said += [f"rows with {', '.join(gone)} are set aside now"] if gone else []
    return "; ".join(said), "none"


# The sensors


def _sensors(old: dict[str, Sensor], new: dict[str, Sensor]) -> Iterator[Change]:
    for name in old:
        if name not in new:
            yield Change(
                f"sensors.{name}",
                "sensors",
                "a sensor",
                "–",
                "removed: old models need it as input",
                "all",
            )
    for name in new:
        if name not in old:
            yield Change(
                f"sensors.{name}",
                "sensors",
                "–",
                "a sensor",
                "added: old models have no input for it",
                "all",
            )
    both, reordered = (
        [name for name in one if name in other] for one, other in ((old, new), (new, old))
    )
    if both != reordered:
        meaning = (
            "reordered: every model finds its sensors by name; only new ones have the new order"
        )
        yield Change(
            "sensors",
            "order of the sensors",
            ", ".join(both),
            ", ".join(reordered),
            meaning,
            "none",
        )
    for name in both:
        yield from under(f"sensors.{name}", _sensor(old[name], new[name]))


def _sensor(old: Sensor, new: Sensor) -> Iterator[Change]:
    other_unit = old.unit != new.unit and _unit(old.unit, new.unit)[1] == "all"
    for field, (kind, told) in _SENSOR_FIELDS.items():
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            measured = other_unit and field in {"min", "max", "max_rate"}
            said: Told = ("a limit in the new unit", "none") if measured else told(before, after)
            yield Change(field, kind, shown(before), shown(after), *said)


def _unit(old: str, new: str) -> Told:
    if not old or not new:
        return (
            "without a unit on both sides nobody can tell whether the numbers stay the same",
            "all",
        )
    if one_sided(old, new):
        return (
            "gauge or absolute is said on one side only: nobody can tell whether the numbers stay the same",
            "all",
        )
    try:
        factor, offset = conversion(old, new)
    except ValueError:
        return "another quantity, or a unit that cannot be converted", "all"
    if _same((factor, offset), (1, 0)):
        return "the same unit, spelt otherwise", "none"
    return f"other numbers: 1 {old} is {factor + offset:.6g} {new}", "all"


def _limit(wider_if_more: bool, unlimited: str) -> Callable[[Any, Any], Told]:
    """Words for a limit: which of two values lets more rows pass."""

    def told(old: float | None, new: float | None) -> Told:
        if new is None:
            return f"wider: {unlimited}", "none"
        wider = old is not None and (new > old) == wider_if_more
        return ("wider: more rows pass" if wider else "narrower: fewer rows pass"), "none"

    return told


_TYPES = {
    "number": "fractions are allowed now, yes and no are not",
    "whole": "fractions break the rule now",
    "bool": "yes and no are read as 1 and 0 now, other numbers are not",
}


def _type(_old: str, new: str) -> Told:
    return _TYPES[new], "none"


_STRICTNESS = ("warn", "quarantine", "refuse")


def _stricter(old: str, new: str) -> Told:
    more = _STRICTNESS.index(new) > _STRICTNESS.index(old)
    return ("stricter" if more else "milder") + " where the rule is broken", "none"


_SENSOR_FIELDS: dict[str, tuple[str, Callable[[Any, Any], Told]]] = {
    "unit": ("units", _unit),
    "dtype": ("limits", _type),
    "min": ("limits", _limit(wider_if_more=False, unlimited="no lower limit")),
    "max": ("limits", _limit(wider_if_more=True, unlimited="no upper limit")),
    "max_missing": ("limits", _limit(wider_if_more=True, unlimited="any share may be missing")),
    "max_rate": ("limits", _limit(wider_if_more=True, unlimited="any change is believed")),
    "stuck_after": ("limits", _limit(wider_if_more=True, unlimited="no value counts as stuck")),
    "on_breach": ("rules", _stricter),
}


# The machines


def _machines(old: Contract, new: Contract) -> Iterator[Change]:
    for machine in dict.fromkeys([*old.equipment, *new.equipment]):
        own = old.equipment.get(machine, Equipment()), new.equipment.get(machine, Equipment())
        moved = {
            name
            for name in old.sensors
            if name in new.sensors and _differs(old, new, machine, name)
        }
        changes = [*_tags(*own, {*new.sensors, new.label.column}), *_numbers(*own, moved)]
        for change in under(f"equipment.{machine}", changes):
            yield replace(change, machine=machine)


def _tags(old: Equipment, new: Equipment, learnt: set[str]) -> Iterator[Change]:
    """By column, as another tag for what models learn from may be another instrument."""
    before, after = ({column: tag for tag, column in own.aliases.items()} for own in (old, new))
    for column in dict.fromkeys([*before, *after]):
        first, second = before.get(column), after.get(column)
        if first != second:
            told: Told = ("the machine's tag for the column", "none")
            if first and second and column in learnt:
                told = ("another tag, and maybe another instrument", "machine")
            yield Change(f"aliases → {column}", "aliases", shown(first), shown(second), *told)


def _numbers(old: Equipment, new: Equipment, moved: set[str]) -> Iterator[Change]:
    for field in ("units", "scale"):
        before, after = getattr(old, field), getattr(new, field)
        for sensor in dict.fromkeys([*before, *after]):
            first, second = before.get(sensor), after.get(sensor)
            told: Told = ("the machine's rows give the same numbers as before", "none")
            if sensor in moved:
                told = ("the machine's rows give other numbers", "machine")
            if first != second:
                yield Change(
                    f"{field}.{sensor}", f"{field} of a machine", shown(first), shown(second), *told
                )


def _differs(old: Contract, new: Contract, machine: str, sensor: str) -> bool:
    return not _same(_line(old, machine, sensor), _line(new, machine, sensor))


def _line(contract: Contract, machine: str, sensor: str) -> tuple[float, float]:
    """Factor and offset from a machine's cells to the contract's numbers."""
    own, unit = contract.equipment.get(machine, Equipment()), contract.sensors[sensor].unit
    factor, offset = conversion(own.units.get(sensor, unit), unit)
    scale = own.scale.get(sensor, Scale())
    return scale.factor * factor, scale.offset * factor + offset


def _same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(one, other, strict=True)
    )


# The rules


def _rules(old: Contract, new: Contract) -> Iterator[Change]:
    for code in dict.fromkeys([*old.rules, *new.rules]):
        before, after = old.severity(code), new.severity(code)
        if before != after:
            yield Change(f"rules.{code}", "rules", before, after, *_stricter(before, after))
