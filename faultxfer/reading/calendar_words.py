"""Names of months and halves of the day in the languages whose labels are read, in English."""

from __future__ import annotations

import re

import pandas as pd

# English, Dutch, German, French, Spanish, Italian, Portuguese; a name may be cut after these
# letters. No two months share a beginning.
_BEGINNINGS = (
    ("jan", "gen", "ene", "jän"),
    ("feb", "fev", "fév"),
    ("mar", "mär", "mrz", "mrt", "maa", "mae"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mei", "mag"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "ago", "aoû", "aou"),
    ("sep", "set"),
    ("oct", "okt", "out", "ott"),
    ("nov",),
    ("dec", "dez", "déc", "dic"),
)
_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_OF = {
    beginning: month
    for month, beginnings in enumerate(_BEGINNINGS, start=1)
    for beginning in beginnings
}
_LONGEST_FIRST = sorted(_MONTH_OF, key=len, reverse=True)
MONTH = rf"(?:{'|'.join(_LONGEST_FIRST)})[^\W\d_]*\.?"
_A_MONTH = re.compile(rf"(?<![^\W\d_]){MONTH}", re.IGNORECASE)
# Spanish has spaces between the letters, German has words.
_MORNING, _EVENING = r"a\.?\s?m\.?|vorm\.?", r"p\.?\s?m\.?|nachm\.?"
_HALVES = (
    (re.compile(rf"(?<![^\W\d_])(?:{_MORNING})(?![^\W\d_])", re.IGNORECASE), "AM"),
    (re.compile(rf"(?<![^\W\d_])(?:{_EVENING})(?![^\W\d_])", re.IGNORECASE), "PM"),
)


def month_of(name: str) -> int:
    """The number of a month from its name, which matches ``MONTH``.

    >>> month_of("Okt"), month_of("févr."), month_of("março"), month_of("juillet")
    (10, 2, 3, 7)
    """
    plain = name.lower()
    return next(_MONTH_OF[begin] for begin in _LONGEST_FIRST if plain.startswith(begin))


def in_english(cells: pd.Series) -> pd.Series:
    """The same cells with English three-letter months, and AM or PM."""
    named = cells.str.replace(_A_MONTH, _english_month, regex=True)
    return with_plain_halves(named)


def with_plain_halves(cells: pd.Series) -> pd.Series:
    """The same cells with AM or PM for each half of the day."""
    for pattern, half in _HALVES:
        cells = cells.str.replace(pattern, half, regex=True)
    return cells


def _english_month(found: re.Match[str]) -> str:
    return _ENGLISH[month_of(found.group()) - 1]
