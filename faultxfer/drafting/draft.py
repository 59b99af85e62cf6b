"""The text of a drafted contract: YAML for every reader, with comments for the one who edits it.

Only what differs from the defaults is written. Beside each sensor a comment says what was seen.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context
from typing import TYPE_CHECKING, Any

import yaml

from faultxfer.contract.schema import Label, Sensor
from faultxfer.drafting.labels import LabelSpellings
from faultxfer.reading.csv_options import Csv

if TYPE_CHECKING:
    from faultxfer.drafting.fault_logs import FoundLog

EQUIPMENT, RUN, TIME = "equipment_column", "run_column", "time_column"

_USUAL_MISSING: float = Sensor.model_fields["max_missing"].default
_LIMITS = {"min", "max"}
_HOLDING = """\
# `hold` is how long a value counts until the next one comes, for tags that are read at times of
# their own: two of the tag's usual steps, so that one reading may be lost, or as long as 95 % of
# its steps are."""
# Comments stand below each other, unless names are so long that they would leave the screen.
_WIDEST = 72

# By the end of a column name; `units.conversion` understands each of them.
UNITS = {
    "mm_s": "mm/s", "m_s2": "m/s2", "m_s": "m/s", "m3h": "m3/h", "m3_h": "m3/h", "l_min": "l/min",
    "lpm": "l/min",
    "kg_h": "kg/h", "bar": "bar", "mbar": "mbar", "kpa": "kPa", "mpa": "MPa", "pa": "Pa",
    "psi": "psi",
    "barg": "barg", "bara": "bara", "mbarg": "mbarg", "mbara": "mbara", "kpag": "kPag",
    "kpaa": "kPaa",
    "psig": "psig", "psia": "psia",
    "c": "degC", "degc": "degC", "k": "K", "degf": "degF", "rpm": "rpm", "hz": "Hz", "a": "A",
    "ma": "mA", "v": "V",
    "kv": "kV", "w": "W", "kw": "kW", "kwh": "kWh", "nm": "Nm", "pct": "%", "percent": "%",
    "mm": "mm", "um": "um",
    "g": "g", "kg": "kg", "s": "s", "ms": "ms", "ppm": "ppm", "db": "dB",
}  # fmt: skip

_HEAD = """\
# Data contract drafted from {rows} rows of {files}.
# Only what differs from the defaults is written; docs/data-contracts.md explains every field.
#
# Read every line before you use it, and
#   1. move what is not a measurement from `sensors` to `ignore`; check the units, which were
#      guessed from the names, and add `unit: bar` and the like where none was guessed;
#   2. set `min` and `max` to what the instrument can physically read. They stand at the range seen
#      in these rows, widened by that range on each side, which says nothing of another machine;
#      so they are marked `drafted: true`, and a reading outside them is told and does not warn;
#   3. then take `drafted: true` out of the braces, or type `faultxfer contract accept FILE SENSOR`:
#      readings outside are warned of, and without `on_breach: warn` their rows are set aside, as
#      the default is `quarantine`;
#   4. where a sensor is known to fail, move `max_rate` and `stuck_after` from the comment below it
#      into its braces. They are twice the fastest change and three times the longest standstill.
family: {family}
"""


@dataclass(frozen=True)
class Seen:
    """What the examples show of one sensor.

    Attributes:
        low, high: least and greatest value.
        missing: largest missing share of a file, from 0 to 1.
        step: usual change from one row to the next; None where no two rows show one.
        still: most rows of a run, one after the other, with the same value.
        rate: fastest change, 0 where none is known.
        per: what time ``rate`` is for.
        switch: whether the cells say yes and no.
        note: what to ask about it, where its content raises a question.
        keep: why it stays a sensor though it is a counter; empty where nothing has to be said.
        nothing: spellings of values far off all others, which may stand for no reading.
        unit: the unit that the files state; empty where they state none.
        hold: how long its value counts, where it has times of its own; empty elsewhere.
        every: its usual time between two readings, where it is held.
        quality: the column that says what its readings are worth; empty where none does.
        good: spellings of a quality that counts.
    """

    low: float
    high: float
    missing: float
    step: float | None
    still: int
    rate: float
    per: str
    switch: bool = False
    note: str = ""
    keep: str = ""
    nothing: tuple[str, ...] = ()
    unit: str = ""
    hold: str = ""
    every: str = ""
    quality: str = ""
    good: tuple[str, ...] = ()


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
        csv: how the files are written, where that had to be given.
        why: by role, what shows a key that no usual name shows.
        looks_like: by role, a column that may be meant, where none was found.
        blank: why blank cells of the label mean that nobody labelled the row; empty where they are
            mistakes.
        qualities: by column of quality that a sensor has, why it is one.
        log: the log of faults that labels the rows; None where a column does.
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
    why: dict[str, str] = field(default_factory=dict)
    looks_like: dict[str, str] = field(default_factory=dict)
    blank: str = ""
    qualities: dict[str, str] = field(default_factory=dict)
    log: FoundLog | None = None

    @property
    def questions(self) -> list[str]:
        """What a person has to decide about labels, a sentence each."""
        asked = [f"{self.label}: {question}" for question in self.spellings.questions]
        return [*asked, *(self.log.questions if self.log else ())]


def write_draft(draft: Draft) -> str:
    """The draft as a commented YAML file."""
    head = _HEAD.format(rows=draft.rows, files=draft.files, family=_scalar(draft.family))
    lines = [
        *_label_lines(draft),
        *_key_lines(draft),
        *_sensor_lines(draft.sensors),
        *_quality_lines(draft.qualities),
        *_ignore_lines(draft.ignore),
        *_csv_lines(draft.csv),
        *_nothing_lines(draft),
        *_examples(list(draft.sensors)),
    ]
    return head + "\n".join(lines) + "\n"


# The sections


def _label_lines(draft: Draft) -> list[str]:
    lines = [
        "",
        "# The label column, and how its classes may be spelt; other spellings are set aside.",
        "label:",
        f"  column: {_scalar(draft.label)}",
    ]
    for name, spellings in (("normal", draft.spellings.normal), ("fault", draft.spellings.fault)):
        note = draft.spellings.note(int(name == "fault"))
        if note or spellings != Label.model_fields[name].default:
            lines.append(f"  {name}: {_listed(spellings)}{note}")
    if draft.spellings.unknown:
        lines.append(f"  unknown: {_listed(draft.spellings.unknown)}")
    if draft.spellings.exclude:
        lines.append(f"  exclude: {_listed(draft.spellings.exclude)}")
    if draft.blank:
        lines.append(f"  blank: unknown  # {draft.blank}")
    if draft.log:
        lines += draft.log.section()
    return [*lines, *(f"  # {question}" for question in draft.spellings.questions)]


def _listed(spellings: tuple[str, ...]) -> str:
    return f"[{', '.join(map(quoted, spellings))}]"


_WITHOUT = {
    EQUIPMENT: "no column found; all rows count as one machine, named like the family",
    RUN: "no column found; each file counts as one recording",
    TIME: "no column found; the order of the rows in the file is kept",
}


def _key_lines(draft: Draft) -> list[str]:
    lines = [
        "",
        "# Which machine, which recording of it, and when. A split keeps rows of one run together.",
    ]
    for role, without in _WITHOUT.items():
        lines.append(_key_line(draft, role, without))
    if draft.period is None:
        lines.append("# sampling_period: no regular step of time found; gaps are not reported")
    else:
        period = _yaml(draft.period).removesuffix(".0")
        lines.append(f"sampling_period: {period}  # the usual step of the time column")
    return lines


def _key_line(draft: Draft, role: str, without: str) -> str:
    name = draft.keys[role]
    if name:
        why = draft.why.get(role, "")
        return f"{role}: {_scalar(name)}" + (f"  # {why}" if why.startswith("found") else "")
    maybe = draft.looks_like.get(role)
    return f"# {role}: {without}" + (f"; {quoted(maybe)} looks like one" if maybe else "")


def _sensor_lines(sensors: dict[str, Seen]) -> list[str]:
    lines = [
        "",
        "# In the model's feature order. Beside each sensor stands what was seen.",
        "sensors:",
    ]
    if any(seen.hold for seen in sensors.values()):
        lines.insert(-1, _HOLDING)
    written = {name: f"  {_scalar(name)}: {_fields(name, seen)}" for name, seen in sensors.items()}
    width = min(_WIDEST, max(map(len, written.values()), default=0))
    for name, seen in sensors.items():
        lines.append(f"{written[name]:<{width}}  # {_remark(seen)}")
        lines += _limits_over_time(seen)
    return lines


def _quality_lines(qualities: dict[str, str]) -> list[str]:
    """Why columns stand as qualities of sensors, as comments."""
    if not qualities:
        return []
    listed = [f"#   {_scalar(name)}: {reason}" for name, reason in qualities.items()]
    return ["", "# Columns that say what readings are worth, each at its sensor:", *listed]


def _ignore_lines(ignore: dict[str, str]) -> list[str]:
    if not ignore:
        return []
    listed = [f"  - {_scalar(name)}  # {reason}" for name, reason in ignore.items()]
    return ["", "# Columns that the model never sees.", "ignore:", *listed]


def _csv_lines(csv: Csv) -> list[str]:
    """How the examples had to be read."""
    given = csv.model_dump(include=csv.model_fields_set)
    if not given:
        return []
    lines = ["", "# How the files are written, as it was given for this draft."]
    if csv.columns:
        lines.append("# They have no header row: `columns` names all columns, in the file's order.")
    return [*lines, "csv:", *[f"  {name}: {_option(value)}" for name, value in given.items()]]


def _nothing_lines(draft: Draft) -> list[str]:
    """A proposal for values that may stand for no reading; a person must know."""
    spellings = dict.fromkeys(text for seen in draft.sensors.values() for text in seen.nothing)
    if not spellings:
        return []
    return [
        "",
        '# These values lie far off all others and come again: they look like "no reading".',
        "# If they are, take the `# ` away (below `csv:`, if the line is there already):",
        "# csv:",
        f"#   missing: [{', '.join(map(quoted, spellings))}]",
    ]


def _option(value: bool | int | str | tuple[str, ...]) -> str:
    if isinstance(value, int):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else f"[{', '.join(map(_scalar, value))}]"


# What a machine elsewhere may have where the contract has the first.
_ELSEWHERE = {
    "bar": "psi", "kPa": "psi", "MPa": "psi", "barg": "psig", "bara": "psia",
    "degC": "degF", "m3/h": "gpm", "l/min": "gpm", "rpm": "Hz",
    "mm/s": "in/s", "m/s": "ft/s", "kW": "hp", "kg": "lb", "mm": "in",
}  # fmt: skip


def _examples(sensors: list[str]) -> list[str]:
    """Commented fields that no rows can show; without the `# ` in front they are valid."""
    convertible = [name for name in sensors if unit_of_name(name) in _ELSEWHERE]
    sensor = _scalar((convertible or sensors)[0])
    units = []
    if convertible:
        unit = _ELSEWHERE[unit_of_name(convertible[0])]
        units = [f"#     units: {{{sensor}: {_scalar(unit)}}}"]
    return [
        "",
        "# A machine with other tags, units or scales, by its name in that column. For example:",
        "# equipment:",
        "#   the-new-machine:",
        f"#     aliases: {{PT-101: {sensor}}}",
        *units,
        f"#     scale: {{{sensor}: {{factor: 0.1, offset: 0}}}}",
        "",
        "# What happens where a rule is broken, where it differs from the default. For example:",
        "# rules:",
        "#   SENSOR-STUCK: quarantine",
        "#   TIME-GAP: refuse",
    ]


# One sensor


def _fields(name: str, seen: Seen) -> str:
    """What differs from a sensor's defaults, in braces."""
    fields = {}
    if unit := seen.unit or unit_of_name(name):
        fields["unit"] = _scalar(unit)
    if seen.switch:
        fields["dtype"] = "bool"
    elif seen.low < seen.high:
        fields |= _range(seen.low, seen.high)
    if seen.missing > _USUAL_MISSING:
        fields["max_missing"] = f"{_max_missing(seen.missing):g}"
    if seen.quality:
        good = f", good: {_listed(seen.good)}" if seen.good else ""
        fields["quality"] = f"{{column: {_scalar(seen.quality)}{good}}}"
    if seen.hold:
        fields["hold"] = seen.hold
    if seen.keep:
        fields["keep"] = quoted(seen.keep)
    fields["on_breach"] = "warn"
    if fields.keys() & _LIMITS:
        fields["drafted"] = "true"
    return f"{{{', '.join(f'{field}: {text}' for field, text in fields.items())}}}"


def _remark(seen: Seen) -> str:
    """Range, missing share and usual step, as far as a sensor has them."""
    missing = f"missing in {_percent(seen.missing)}" if seen.missing else "none missing"
    if seen.switch:
        return f"yes and no, read as 1 and 0, {missing}"
    if seen.low == seen.high:
        return f"constant at {seen.low:g} in these rows, so without a range; {missing}"
    remark = f"seen {seen.low:.5g} to {seen.high:.5g}, {missing}"
    if seen.step is not None:
        remark += f", usual step {seen.step:.3g}"
    if seen.hold:
        remark += f"; times of its own, a reading every {seen.every}: held {seen.hold}"
    if seen.nothing:
        remark += f"; {', '.join(seen.nothing)} left out: no reading?"
    return f"{remark}; {seen.note}" if seen.note else remark


def _percent(share: float) -> str:
    """A share from 0 to 1 for people.

    >>> _percent(0.5), _percent(0.0004)
    ('50%', 'less than 1%')
    """
    return f"{share:.0%}" if share >= 0.01 else "less than 1%"


def _limits_over_time(seen: Seen) -> list[str]:
    """A comment with limits over time; a constant column or a switch shows nothing of either."""
    if seen.switch:
        return []
    hints = []
    rate = _rounded(2 * seen.rate, ROUND_HALF_EVEN) if seen.rate else None
    if rate:
        hints.append(f"max_rate: {rate} (seen {seen.rate:.3g} per {seen.per})")
    if seen.low < seen.high:
        longest = "1 row" if seen.still == 1 else f"{seen.still} rows"
        hints.append(f"stuck_after: {max(10, 3 * seen.still)} (seen {longest} with one value)")
    return [f"    # {', '.join(hints)}"] if hints else []


def _range(low: float, high: float) -> dict[str, str]:
    width = high - low
    least, most = _rounded(low - width, ROUND_FLOOR), _rounded(high + width, ROUND_CEILING)
    bounds = {"min": least, "max": most}
    return {bound: text for bound, text in bounds.items() if text}


def _max_missing(missing: float) -> float:
    """A little more than what these rows lack: a contract must fit its own examples."""
    return min(1.0, math.ceil(missing * 100 + 5) / 100)


def plain_name(name: str) -> str:
    """A column name in lower case, with one underscore between words.

    >>> plain_name("Discharge Pressure (bar)")
    'discharge_pressure_bar'
    """
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def unit_of_name(name: str) -> str:
    """The unit that a name ends in; empty where it ends in none.

    >>> unit_of_name("Bearing Temp [degC]"), unit_of_name("alpha")
    ('degC', '')
    """
    plain = f"_{plain_name(name)}"
    for end in sorted(UNITS, key=len, reverse=True):
        if plain.endswith(f"_{end}"):
            return UNITS[end]
    return ""


# YAML


def _rounded(value: float, rounding: str) -> str | None:
    """Three significant digits as YAML; None where there is no finite bound.

    Limits are rounded outwards, so that no row seen falls outside.
    """
    number = float(Context(prec=3, rounding=rounding).create_decimal(value))
    # The widest numbers there are have no room to be rounded outwards.
    if not math.isfinite(number):
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
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_/]+", text) and yaml.safe_load(text) == text
    return text if plain else quoted(text)
