"""The text of a drafted contract: YAML that every reader takes alike, with comments for the person who edits it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context
from typing import Any

import yaml

from faultxfer.drafting.labels import LabelSpellings
from faultxfer.reading.csv_options import Csv

EQUIPMENT, RUN, TIME = "equipment_column", "run_column", "time_column"

_USUAL_MISSING = 0.2

# By the end of a column name; `units.conversion` understands each of them.
UNITS = {
    "mm_s": "mm/s", "m_s2": "m/s2", "m_s": "m/s", "m3h": "m3/h", "m3_h": "m3/h", "l_min": "l/min", "lpm": "l/min",
    "kg_h": "kg/h", "bar": "bar", "mbar": "mbar", "kpa": "kPa", "mpa": "MPa", "pa": "Pa", "psi": "psi",
    "barg": "barg", "bara": "bara", "mbarg": "mbarg", "mbara": "mbara", "kpag": "kPag", "kpaa": "kPaa",
    "psig": "psig", "psia": "psia",
    "c": "degC", "degc": "degC", "k": "K", "degf": "degF", "rpm": "rpm", "hz": "Hz", "a": "A", "ma": "mA", "v": "V",
    "kv": "kV", "w": "W", "kw": "kW", "kwh": "kWh", "nm": "Nm", "pct": "%", "percent": "%", "mm": "mm", "um": "um",
    "g": "g", "kg": "kg", "s": "s", "ms": "ms", "ppm": "ppm", "db": "dB",
}  # fmt: skip

_HEAD = """\
# Data contract drafted from {rows} rows of {files}.
# A draft: read every line, then
#   1. move what is not a measurement from `sensors` to `ignore`, and check the units (guessed from the names);
#   2. set `min` and `max` to what the instrument can physically read. They stand at the range seen in these rows,
#      widened by that range on each side, which says nothing about another machine;
#   3. then change `on_breach` from `warn` (say so, keep the row) to `quarantine` (set the row aside);
#   4. where a sensor can be known to fail, take `max_rate` and `stuck_after` from the comment below it into its braces.
#      The figures are twice the fastest change and three times the longest standstill seen.
# Every field is explained in docs/data-contracts.md.
version: 1
family: {family}
"""


@dataclass(frozen=True)
class Seen:
    """What the examples show of one sensor.

    Attributes:
        low, high: least and greatest value.
        missing: largest missing share of a file.
        still: most rows of a run, one after the other, with the same value.
        rate: fastest change, 0 where none is known.
        per: what time ``rate`` is for.
        switch: whether the cells say yes and no.
    """

    low: float
    high: float
    missing: float
    still: int
    rate: float
    per: str
    switch: bool = False


@dataclass(frozen=True)
class Draft:
    """What was found.

    Attributes:
        family: name of the equipment family.
        rows: number of example rows.
        files: their names.
        label: the label column.
        spellings: spellings of its classes.
        keys: column of each key, None where there is none.
        sensors: by name, in feature order.
        ignore: by name, why a column is no sensor.
        period: the usual time step, if there is one.
        csv: how the files are written, where that had to be said.
    """

    family: str
    rows: int
    files: str
    label: str
    spellings: LabelSpellings
    keys: dict[str, str | None]
    sensors: dict[str, Seen]
    ignore: dict[str, str]
    period: float | None
    csv: Csv = field(default_factory=Csv)


def write_draft(draft: Draft) -> str:
    """The draft as a commented YAML file."""
    return _HEAD.format(rows=draft.rows, files=draft.files, family=_scalar(draft.family)) + _body(
        draft
    )


def _sensor_lines(name: str, seen: Seen) -> list[str]:
    return [f"  {_scalar(name)}: {_sensor_line(name, seen)}", *_hint(seen)]


def _sensor_line(name: str, seen: Seen) -> str:
    fields = {"max_missing": f"{_max_missing(seen.missing):g}", "on_breach": "warn"}
    if seen.switch:
        note = "yes and no, read as 1 and 0"
        fields = {"dtype": "bool"} | fields
    elif seen.low < seen.high:
        note = f"seen {seen.low:g} to {seen.high:g}"
        fields = _range(seen.low, seen.high) | fields
    else:
        note = f"constant at {seen.low:g} in these rows, so no range was drafted"
    if seen.missing > _USUAL_MISSING:
        note += f"; missing in {seen.missing:.0%} of the rows of a file"
    fields = {"unit": quoted(_unit(name))} | fields
    return f"{_braces(fields)}  # {note}"


def _braces(fields: dict[str, str]) -> str:
    return f"{{{', '.join(f'{field}: {text}' for field, text in fields.items())}}}"


def _hint(seen: Seen) -> list[str]:
    """A comment with limits over time, and what was seen; a constant column or a switch says nothing of either."""
    if seen.switch:
        return []
    rate = _rounded(2 * seen.rate, ROUND_HALF_EVEN) if seen.rate else None
    hints = [f"max_rate: {rate} (seen {seen.rate:.3g} per {seen.per})"] if rate else []
    if seen.low < seen.high:
        rows = "row" if seen.still == 1 else "rows"
        hints.append(
            f"stuck_after: {max(10, 3 * seen.still)} (seen {seen.still} {rows} with one value)"
        )
    return [f"    # {', '.join(hints)}"] if hints else []


def _range(low: float, high: float) -> dict[str, str]:
    width = high - low
    bounds = {
        "min": _rounded(low - width, ROUND_FLOOR),
        "max": _rounded(high + width, ROUND_CEILING),
    }
    return {bound: text for bound, text in bounds.items() if text}


def _max_missing(missing: float) -> float:
    """The usual share, or a little more than what these rows lack: a contract must fit its own examples."""
    return (
        _USUAL_MISSING
        if missing <= _USUAL_MISSING
        else min(1.0, math.ceil(missing * 100 + 5) / 100)
    )


def plain_name(name: str) -> str:
    """A column name in lower case, with one underscore between words."""
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def _unit(name: str) -> str:
    plain = f"_{plain_name(name)}"
    return next(
        (UNITS[end] for end in sorted(UNITS, key=len, reverse=True) if plain.endswith(f"_{end}")),
        "",
    )


def _rounded(value: float, rounding: str) -> str | None:
    """Three significant digits, outwards, so that no row seen falls outside; None where there is no finite bound."""
    number = float(Context(prec=3, rounding=rounding).create_decimal(value))
    if not math.isfinite(
        number
    ):  # the widest numbers there are have no room to be rounded outwards
        return None
    # YAML 1.1 takes 1e+05 for text; its own writer knows how to spell it.
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else _yaml(number)


def _yaml(value: Any, **style: Any) -> str:
    text: str = yaml.safe_dump(value, allow_unicode=True, width=math.inf, **style)
    return text.removesuffix("\n").removesuffix("\n...")


def quoted(text: str) -> str:
    """A YAML string in double quotes, whatever stands in it."""
    return _yaml(text, default_style='"')


def _scalar(text: str) -> str:
    """Plain where every YAML reader takes it for text, else in quotes."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]+", text) and yaml.safe_load(text) == text
    return text if plain else quoted(text)


def _body(draft: Draft) -> str:
    lines = [
        "",
        "# The label column, and how its two classes may be spelt. Any other spelling is set aside.",
        "label:",
        f"  column: {_scalar(draft.label)}",
        f"  normal: [{', '.join(map(quoted, draft.spellings.normal))}]{draft.spellings.note(0)}",
        f"  fault: [{', '.join(map(quoted, draft.spellings.fault))}]{draft.spellings.note(1)}",
        "",
        "# Which machine, which recording of it, and when. Rows of one run never lie on two sides of a split.",
        *[_key_line(role, draft.keys[role]) for role in (EQUIPMENT, RUN, TIME)],
        _period_line(draft.period),
        "",
        "# The sensors in the model's feature order.",
        "sensors:",
        *[line for name, seen in draft.sensors.items() for line in _sensor_lines(name, seen)],
        "",
        "# Columns that the model never sees.",
        "ignore:" if draft.ignore else "ignore: []",
        *[f"  - {_scalar(name)}  # {reason}" for name, reason in draft.ignore.items()],
        *_csv_lines(draft.csv),
        *_examples(list(draft.sensors)),
    ]
    return "\n".join(lines) + "\n"


_WITHOUT = {
    EQUIPMENT: "no column found; all rows count as one machine, named like the family",
    RUN: "no column found; each file counts as one recording",
    TIME: "no column found; the order of the rows in the file is kept",
}


def _key_line(role: str, name: str | None) -> str:
    return f"{role}: {_scalar(name)}" if name else f"{role}: null  # {_WITHOUT[role]}"


def _period_line(period: float | None) -> str:
    if period is None:
        return "sampling_period: null  # no regular step of time found, so gaps are not told"
    return (
        f"sampling_period: {_yaml(period).removesuffix('.0')}  # the usual step of the time column"
    )


def _csv_lines(csv: Csv) -> list[str]:
    """What was pinned to read the examples."""
    pinned = {
        name: value for name, value in csv.model_dump().items() if name in csv.model_fields_set
    }
    if not pinned:
        return []
    without = [
        "# They have no header row: `columns` names all their columns, in the order of the file."
    ]
    return [
        "",
        "# How the files are written, as it was said for this draft.",
        *(without if csv.columns else []),
        "csv:",
        *[f"  {name}: {_pin(value)}" for name, value in pinned.items()],
    ]


def _pin(value: bool | str | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else f"[{', '.join(map(_scalar, value))}]"


# What a machine elsewhere may have where the contract has the first.
_ELSEWHERE = {
    "bar": "psi", "kPa": "psi", "MPa": "psi", "barg": "psig", "bara": "psia",
    "degC": "degF", "m3/h": "gpm", "l/min": "gpm", "rpm": "Hz",
    "mm/s": "in/s", "m/s": "ft/s", "kW": "hp", "kg": "lb", "mm": "in",
}  # fmt: skip
_RULES = ["# rules:", "#   SENSOR-STUCK: quarantine", "#   TIME-GAP: refuse"]


def _examples(sensors: list[str]) -> list[str]:
    """Commented fields that no rows can tell; without the `# ` in front they are valid."""
    unit, shown = next(
        ((_ELSEWHERE[_unit(name)], name) for name in sensors if _unit(name) in _ELSEWHERE), ("", "")
    )
    sensor = _scalar(shown or sensors[0])
    units = [f"#     units: {{{sensor}: {quoted(unit)}}}"] if unit else []
    return [
        "",
        "# A machine whose files have other tags, units or scales, by its name in the equipment column. For example:",
        "# equipment:",
        "#   the-new-machine:",
        f"#     aliases: {{PT-101: {sensor}}}",
        *units,
        f"#     scale: {{{sensor}: {{factor: 0.1, offset: 0}}}}",
        "",
        "# What happens where a rule is broken, if it is to be another thing than usual. For example:",
        *_RULES,
    ]
