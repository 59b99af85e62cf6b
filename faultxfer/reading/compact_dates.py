"""Times written in digits alone, such as 202603311405."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faultxfer.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# By the number of digits.
_FORMS = {
    8: ("%Y%m%d",),
    10: ("%y%m%d%H%M",),
    12: ("%Y%m%d%H%M", "%y%m%d%H%M%S"),
    14: ("%Y%m%d%H%M%S",),
}
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
# So many cells tell whether it is worth while to look at all of them.
_LOOK = 1000
_DAY_ALONE = 8


def compact_form(cells: pd.Series, otherwise: str, where: str) -> str | None:
    """The format of compact stamps; None where the numbers are plain ones.

    Args:
        cells: stripped text cells, missing ones left out.
        otherwise: the pin under which they would be read as numbers.
        where: file and column, for the error.

    Raises:
        DataError: they may be stamps or numbers, or have a year of two digits.
    """
    digits = cells[cells.str.fullmatch(r"\d+")]
    if not len(digits):
        return None
    length = int(digits.str.len().mode()[0])
    forms = [form for form in _FORMS.get(length, ()) if _share(digits.iloc[:_LOOK], form) >= 0.5]
    shares = {form: _share(digits, form) for form in forms}
    certain = [form for form, share in shares.items() if share == 1]
    if len(certain) == 1 and certain[0].startswith("%Y"):
        return certain[0]
    # A counter may well pass through numbers that look like a day.
    doubtful = certain or [
        form for form, share in shares.items() if share >= 0.5 and length > _DAY_ALONE
    ]
    if doubtful:
        raise _ambiguous(digits, [*doubtful, otherwise], where)
    return None


def _share(digits: pd.Series, form: str) -> float:
    """The share of cells that are a moment of these years."""
    import pandas as pd

    years = pd.to_datetime(digits, format=form, errors="coerce").dt.year
    return float(
        (years.between(_FIRST_YEAR, _LAST_YEAR) & (digits.str.len() == _length(form))).mean()
    )


def _length(form: str) -> int:
    return next(length for length, forms in _FORMS.items() if form in forms)


def _ambiguous(digits: pd.Series, pins: list[str], where: str) -> DataError:
    return DataError(
        "Times that can be read in one way only were expected, but these may be a date in digits or a number",
        received={"cells": list(digits.iloc[:3])},
        where=where,
        code="FILE-AMBIGUOUS",
        remedy="Pin it in the contract: "
        + " or ".join(f'`csv: {{time_format: "{pin}"}}`' for pin in pins),
    )
