"""Units as they stand in files: in a row below the header, or behind the number in a cell."""

from __future__ import annotations

import re

import pandas as pd

_ATOMS = (
    *("%", "‰", "ppm", "ppb", "pct", "dB", "dBA", "pH", "rpm", "RPM", "U", "r", "rev"),
    *("°C", "°F", "degC", "degF", "C", "F", "K", "°", "deg", "rad", "grad"),
    *("bar", "BAR", "Bar", "barg", "bara", "bar(g)", "bar(a)", "mbar", "mbarg", "mbara"),
    *("Pa", "hPa", "kPa", "MPa", "kPag", "kPaa", "MPag", "psi", "PSI", "psig", "psia", "mmHg"),
    *("Hz", "kHz", "A", "mA", "µA", "V", "mV", "kV", "W", "kW", "MW", "GW", "VA", "kVA", "MVA"),
    *("var", "VAr", "kVAr", "kvar", "Mvar", "MVAr", "Wh", "kWh", "MWh", "J", "kJ", "MJ", "GJ"),
    *("Ohm", "Ω", "kΩ", "MΩ", "S", "µS", "mS", "N", "kN", "Nm", "kNm", "hp", "PS"),
    *("g", "mg", "kg", "t", "lb", "lbs", "kgf", "m", "mm", "cm", "km", "um", "µm", "μm", "mil"),
    *("in", "ft", "yd", "l", "L", "ml", "hl", "gal", "Nm3", "Nm³", "s", "sec", "ms", "us", "µs"),
    *("min", "h", "hr", "d", "cP", "mPas", "cSt", "lx", "lux", "cd", "mol", "gpm", "lpm"),
    *("cfm", "ips", "Btu", "cal", "kcal"),
)
_POWER = r"(?:\^?-?[123]|[²³]|\*\*-?[23])?"
_ATOM = "(?:" + "|".join(map(re.escape, sorted(_ATOMS, key=len, reverse=True))) + ")" + _POWER
_UNIT = rf"(?:1\s?/\s?)?{_ATOM}(?:\s?[/*·]\s?{_ATOM})*"
_WHOLE = re.compile(_UNIT)
_BRACKETS = re.compile(r"^[\[(]\s*(.*?)\s*[\])]$")
_NUMBER = r"[+-]?(?:\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)(?:[eE][+-]?\d+)?"
_CELL = rf"^({_NUMBER}?)[ \u00a0\u202f]?({_UNIT})$"
_WITH_UNIT = re.compile(_CELL)
# This many cells show whether it is worth while to look at all of them.
_LOOK = 200
_MOST_UNITS = 4
# So many different numbers with one unit are no names of machines, although they are whole.
_FEWEST_NUMBERS = 20
# A column has units in its cells where at least this share of the cells that hold text has one.
_SHARE = 0.5


def unit_in(text: str) -> str:
    """The unit without brackets; empty where the text is none that plants write.

    >>> unit_in("[m3/h]"), unit_in("°C"), unit_in("Flow of the pump")
    ('m3/h', '°C', '')
    """
    plain = _BRACKETS.sub(r"\1", text.strip())
    return plain if _WHOLE.fullmatch(plain) else ""


def without_units(
    frame: pd.DataFrame, numeric: frozenset[str]
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """Cells such as ``12.5 bar`` as numbers, and by column the unit of each cell.

    Args:
        frame: text cells.
        numeric: columns that should hold numbers; empty where nobody knows which do.
    """
    changed: dict[str, pd.Series] = {}
    units: dict[str, pd.Series] = {}
    for name in map(str, frame):
        if numeric and name not in numeric:
            continue
        parts = split_cells(frame[name], certain=not numeric)
        if parts is not None:
            changed[name], units[name] = parts
    return (frame.assign(**changed) if changed else frame), units


def split_cells(cells: pd.Series, *, certain: bool = False) -> tuple[pd.Series, pd.Series] | None:
    """Numbers and units of cells such as ``12.5 bar``; None where the column has no such cells.

    Args:
        cells: (n,) text.
        certain: whether nothing says that the column holds measurements, so that names such as
            ``1A`` have to be told from them.

    Returns:
        (n,) text without the unit, and (n,) the unit, empty where a cell has none.
    """
    some = cells.iloc[:: max(1, len(cells) // _LOOK)]
    if not any(map(_WITH_UNIT.search, some.str.strip())):
        return None
    number, unit = _parts(cells)
    found = unit.notna()
    texts = ~cells.str.match(r"^\s*[+-]?[\d.,]*\s*$")
    if found.sum() < _SHARE * texts.sum() or unit.nunique() > _MOST_UNITS:
        return None
    if certain and not (found.mean() >= _SHARE and _measured(number[found], unit[found])):
        return None
    return cells.where(~found, number), unit.fillna("")


def _measured(number: pd.Series, unit: pd.Series) -> bool:
    """Whether numbers before a unit are readings, and not a part of names such as ``1A``."""
    fractions = bool(number.str.contains("[.,]").any())
    return fractions or (unit.nunique() == 1 and number.nunique() >= _FEWEST_NUMBERS)


def _parts(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """(n,) number and (n,) unit of each cell, missing where it is not one beside the other."""
    parts = cells.str.strip().str.extract(_CELL)
    return parts[0].str.rstrip(), parts[1]
