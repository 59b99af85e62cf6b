"""What changed between two contracts, field by field, and whether older models remain valid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from faultxfer.contract.changes import NOTHING, Change, Meaning, plain, shown, under
from faultxfer.contract.machines import to_contract
from faultxfer.contract.schema import Contract, Equipment, Label, Sensor
from faultxfer.contract.units import conversion, one_sided
from faultxfer.findings import SEVERITIES, Severity
from faultxfer.reading.csv_options import Csv


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
        """Machines whose rows give other numbers now: models trained with them are not valid."""
        ended = {change.machine for change in self.changes if change.ends == "machine"}
        return tuple(sorted(machine for machine in ended if machine))

    @property
    def verdict(self) -> str:
        """One or two sentences: valid or not, why, and what to do."""
        if not self.changes:
            return "The two contracts mean the same. Old models remain valid."
        reasons = dict.fromkeys(change.field for change in self.changes if change.ends == "all")
        if reasons:
            return (
                f"Old models are NOT valid, because of {', '.join(reasons)}. "
                "Pretrain again under the new contract."
            )
        kinds = ", ".join(dict.fromkeys(change.kind for change in self.changes))
        if self.machines:
            return (
                "Old models remain valid, except those trained with rows of "
                f"{', '.join(self.machines)}: these rows give other numbers now, "
                f"so train those models again. Changed: {kinds}."
            )
        return (
            "Old models remain valid: their inputs and their answer mean what they meant. "
            f"Changed: {kinds}."
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        return {
            "same": not self.changes,
            "models_valid": self.models_valid,
            "machines_not_valid": list(self.machines),
            "verdict": self.verdict,
            "changes": [asdict(change) for change in self.changes],
        }


_FAMILY = {"family": "another family of equipment is another task"}
_KEYS = {
    "equipment_column": "how machines are told apart; no model sees it",
    "run_column": "what is held out together when models are judged; compare metrics with care",
    "time_column": "the order of rows when models are judged; compare metrics with care",
}
_IGNORE = {"ignore": "columns that no model ever sees"}
_SLICES = {"slices": "slices of the rows that the gate compares; no model sees them"}
_IMPUTED = {"max_imputed": "rows with more missing sensors are set aside, others filled"}
_ROWS = {
    "where": "other rows are used: inputs and answer mean the same, but older models may not know "
    "such rows; compare metrics with care",
    "mode_column": "in which operating mode a row was recorded; no model sees it",
    "running": "when the machine runs; no model sees it",
}
_HOW = (
    "how files are read; the sensors mean what they meant, but each model reads files and "
    "requests of the shape that it was trained with"
)
_SHAPE = {"long": _HOW, "tag_files": _HOW}
_PERIOD = {"sampling_period": "from which step on a gap is reported"}


def diff_contracts(old: Contract, new: Contract) -> ContractDiff:
    """Compare two contracts by their meaning.

    Spelling, comments and defaults written out do not count.
    """
    return ContractDiff(
        (
            *plain(old, new, _FAMILY, "family", "all"),
            *_label(old.label, new.label),
            *plain(old, new, _KEYS, "key columns"),
            *_sensors(old.sensors, new.sensors),
            *plain(old, new, _IGNORE, "ignored columns"),
            *plain(old, new, _SLICES, "slices"),
            *plain(old, new, _ROWS, "operating modes"),
            *plain(old, new, _PERIOD, "sampling period"),
            *plain(old, new, _IMPUTED, "limits"),
            *_machines(old, new),
            *_rules(old, new),
            *plain(old, new, _SHAPE, "shape of the files"),
            *under("csv", _csv(old.csv, new.csv)),
        )
    )


# The label


def _label(old: Label, new: Label) -> Iterator[Change]:
    other = {"column": "another column may mean something else"}
    yield from under("label", plain(old, new, other, "label", "all"))
    moved = set(old.normal) & set(new.faults) | set(old.faults) & set(new.normal)
    yield from under("label", plain(old, new, _LOG, "log of faults"))
    spelt = old.spellings
    for field, after in new.spellings.items():
        before = spelt[field]
        if set(before) != set(after):
            meaning = _spellings(before, after, moved, new)
            yield _change(f"label.{field}", "label spellings", before, after, meaning)
    if old.types != new.types and set(old.faults) == set(new.faults):
        yield _change("label.fault", "label spellings", old.fault, new.fault, _OTHER_TYPES)
    if old.blank != new.blank:
        yield _change("label.blank", "label spellings", old.blank, new.blank, _blank(old, new))


_LOG = {
    "log": "how a log of faults labels rows; the label means what it meant, but compare metrics "
    "with care"
}
_OTHER_TYPES: Meaning = ("the same rows are faults, of other types; no model sees the type", "none")


def _spellings(old: tuple[str, ...], new: tuple[str, ...], moved: set[str], now: Label) -> Meaning:
    turned = sorted(moved.intersection({*old, *new}))
    if turned:
        return f"{', '.join(turned)} meant the other class before", "all"
    added = [text for text in new if text not in old]
    gone = [text for text in old if text not in new]
    unused = [text for text in gone if text in (*now.unknown, *now.exclude)]
    elsewhere = [text for text in gone if text in (*now.normal, *now.faults)]
    aside = [text for text in gone if text not in (*unused, *elsewhere)]
    parts = []
    if added:
        parts.append(f"{', '.join(added)} is understood now")
    if unused:
        parts.append(f"rows with {', '.join(unused)} are not learnt from now")
    if elsewhere:
        parts.append(f"rows with {', '.join(elsewhere)} are learnt from now")
    if aside:
        parts.append(f"rows with {', '.join(aside)} are set aside now")
    return "; ".join(parts), "none"


def _blank(old: Label, new: Label) -> Meaning:
    """What it means that blank cells count as something else."""
    if {old.blank, new.blank} == {"normal", "fault"}:
        return "blank cells meant the other class before", "all"
    if new.blank is None:
        return "rows with a blank label are set aside now", "none"
    return f"rows with a blank label count as {new.blank} now", "none"


def _change(field: str, kind: str, old: Any, new: Any, meaning: Meaning) -> Change:
    return Change(field, kind, shown(old), shown(new), *meaning)


# The sensors

_REMOVED: Meaning = ("removed: old models need it as input", "all")
_ADDED: Meaning = ("added: old models have no input for it", "all")
_REORDERED: Meaning = (
    "reordered: every model finds its sensors by name; only new ones have the new order",
    "none",
)


def _sensors(old: dict[str, Sensor], new: dict[str, Sensor]) -> Iterator[Change]:
    removed = [name for name in old if name not in new]
    added = [name for name in new if name not in old]
    for name in removed:
        yield Change(f"sensors.{name}", "sensors", "a sensor", NOTHING, *_REMOVED)
    for name in added:
        yield Change(f"sensors.{name}", "sensors", NOTHING, "a sensor", *_ADDED)
    both = [name for name in old if name in new]
    order = [name for name in new if name in old]
    if both != order:
        kind = "order of the sensors"
        yield _change("sensors", kind, ", ".join(both), ", ".join(order), _REORDERED)
    for name in both:
        yield from under(f"sensors.{name}", _sensor(old[name], new[name]))


def _sensor(old: Sensor, new: Sensor) -> Iterator[Change]:
    other_unit = old.unit != new.unit and _unit(old.unit, new.unit)[1] == "all"
    for field, (kind, judged) in _SENSOR_FIELDS.items():
        before, after = getattr(old, field), getattr(new, field)
        if before == after:
            continue
        meaning = judged(before, after)
        if other_unit and field in {"min", "max", "max_rate"}:
            meaning = "a limit in the new unit", "none"
        yield _change(field, kind, before, after, meaning)


def _unit(old: str, new: str) -> Meaning:
    unknown = "nobody can tell whether the numbers stay the same"
    if not old or not new:
        return f"without a unit on both sides {unknown}", "all"
    if one_sided(old, new):
        return f"gauge or absolute is said on one side only: {unknown}", "all"
    try:
        factor, offset = conversion(old, new)
    except ValueError:
        return "another quantity, or a unit that cannot be converted", "all"
    if _same((factor, offset), (1, 0)):
        return "the same unit, spelt otherwise", "none"
    return f"other numbers: 1 {old} is {factor + offset:.6g} {new}", "all"


def _limit(wider_if_more: bool, unlimited: str) -> Callable[[Any, Any], Meaning]:
    """What a changed limit means: which of two values lets more rows pass."""

    def meaning(old: float | None, new: float | None) -> Meaning:
        if new is None:
            return f"wider: {unlimited}", "none"
        if old is not None and (new > old) == wider_if_more:
            return "wider: more rows pass", "none"
        return "narrower: fewer rows pass", "none"

    return meaning


_TYPES = {
    "number": "fractions are allowed now, yes and no are not",
    "whole": "fractions break the rule now",
    "bool": "yes and no are read as 1 and 0 now, other numbers are not",
}


def _type(_old: str, new: str) -> Meaning:
    return _TYPES[new], "none"


def _stricter(old: Severity, new: Severity) -> Meaning:
    more = SEVERITIES.index(new) < SEVERITIES.index(old)
    return f"{'stricter' if more else 'milder'} where the rule is broken", "none"


def _kept(_old: str, new: str) -> Meaning:
    if new:
        return "the rules of columns leave it alone", "none"
    return "the rules of columns look at it again", "none"


def _imputing(_old: bool, new: bool) -> Meaning:
    if new:
        return "rows without its value are filled by models that can predict it", "none"
    return "rows without its value are set aside", "none"


def _accepted(_old: bool, new: bool) -> Meaning:
    if new:
        return "drafted again: readings outside the limits are told, and no more", "none"
    return "accepted: what lies outside the limits is treated by the rules now", "none"


def _reading(_old: Any, _new: Any) -> Meaning:
    return "which readings count as missing changes, what they measure does not", "none"


def _holding(old: str | None, new: str | None) -> Meaning:
    if old is None or new is None:
        return "rows that were set aside are filled now, or the other way round", "all"
    return "values are held for another time: other rows reach the model", "none"


_SENSOR_FIELDS: dict[str, tuple[str, Callable[[Any, Any], Meaning]]] = {
    "unit": ("units", _unit),
    "dtype": ("limits", _type),
    "min": ("limits", _limit(wider_if_more=False, unlimited="no lower limit")),
    "max": ("limits", _limit(wider_if_more=True, unlimited="no upper limit")),
    "max_missing": ("limits", _limit(wider_if_more=True, unlimited="any share may be missing")),
    "max_rate": ("limits", _limit(wider_if_more=True, unlimited="any change is believed")),
    "stuck_after": ("limits", _limit(wider_if_more=True, unlimited="no value counts as stuck")),
    "on_breach": ("rules", _stricter),
    "drafted": ("limits", _accepted),
    "keep": ("rules", _kept),
    "quality": ("quality", _reading),
    "hold": ("holding", _holding),
    "impute": ("limits", _imputing),
}


# The machines


def _machines(old: Contract, new: Contract) -> Iterator[Change]:
    learnt = {*new.sensors, new.label.column}
    for machine in dict.fromkeys([*old.equipment, *new.equipment]):
        before = old.equipment.get(machine, Equipment())
        after = new.equipment.get(machine, Equipment())
        moved = set()
        for name in set(old.sensors) & set(new.sensors):
            if not _same(to_contract(before, name, old), to_contract(after, name, new)):
                moved.add(name)
        changes = [
            *_tags(before, after, learnt),
            *_numbers(before, after, moved),
            *_lacks(before, after),
        ]
        for change in under(f"equipment.{machine}", changes):
            yield replace(change, machine=machine)


def _tags(old: Equipment, new: Equipment, learnt: set[str]) -> Iterator[Change]:
    """By column, as another tag for what models learn from may be another instrument."""
    before = {column: tag for tag, column in old.aliases.items()}
    after = {column: tag for tag, column in new.aliases.items()}
    for column in dict.fromkeys([*before, *after]):
        first, second = before.get(column), after.get(column)
        meaning: Meaning = ("the machine's tag for the column", "none")
        if first and second and column in learnt:
            meaning = ("another tag, and maybe another instrument", "machine")
        if first != second:
            yield _change(f"aliases → {column}", "aliases", first, second, meaning)


def _numbers(old: Equipment, new: Equipment, moved: set[str]) -> Iterator[Change]:
    for field in ("units", "scale"):
        before, after = getattr(old, field), getattr(new, field)
        for sensor in dict.fromkeys([*before, *after]):
            first, second = before.get(sensor), after.get(sensor)
            meaning: Meaning = ("the machine's rows give the same numbers as before", "none")
            if sensor in moved:
                meaning = ("the machine's rows give other numbers", "machine")
            if first != second:
                yield _change(f"{field}.{sensor}", f"{field} of a machine", first, second, meaning)


def _lacks(old: Equipment, new: Equipment) -> Iterator[Change]:
    if set(old.lacks) == set(new.lacks):
        return
    meaning: Meaning = (
        "models made without a sensor do not look at it; train them again to use it",
        "none",
    )
    if set(new.lacks) - set(old.lacks):
        meaning = ("the machine lacks a sensor that its models need", "machine")
    yield _change("lacks", "sensors of a machine", old.lacks, new.lacks, meaning)


def _same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(one, other, strict=True)
    )


# How files are written

# With another one of these the same cell, such as 1.234, is another number.
_MARKS = ("decimal", "thousands")


def _csv(old: Csv, new: Csv) -> Iterator[Change]:
    for field in type(old).model_fields:
        before, after = getattr(old, field), getattr(new, field)
        meaning: Meaning = ("how files are read", "none")
        if field in _MARKS and before and after:
            meaning = (
                "another mark was pinned before: the same cells are other numbers now",
                "all",
            )
        if before != after:
            yield _change(field, "csv options", before, after, meaning)


# The rules


def _rules(old: Contract, new: Contract) -> Iterator[Change]:
    for code in dict.fromkeys([*old.rules, *new.rules]):
        before, after = old.severity(code), new.severity(code)
        if before != after:
            yield _change(f"rules.{code}", "rules", before, after, _stricter(before, after))
