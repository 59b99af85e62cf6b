"""Text cells as numbers, or as yes and no, by the dialect of their file alone."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from faultxfer.errors import DataError
from faultxfer.reading import columns
from faultxfer.reading.dialect import Dialect

_EXPONENT = r"(?:[eE][+-]?\d+)?"
_DIGITS_OF = re.compile("[0-9eE.,-]+")
# Of so many cells it is worth a look which ones are plain digits.
_MANY = 10_000
# With a mark that may be a decimal mark or stand between thousands.
_MARKED = rf"^[+-]?\d*[.,][\d.,]*{_EXPONENT}$"


def number_pattern(decimal: str, thousands: str | None) -> str:
    """A regular expression (RE2 and ``re``) for one whole number with these marks."""
    mark = re.escape(decimal)
    whole = rf"(?:\d+|\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+)" if thousands else r"\d+"
    return rf"^[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+){_EXPONENT}$"


def missing_cells(text: pd.Series, dialect: Dialect) -> pd.Series:
    """Whether each cell is one of the spellings of a missing value."""
    cells = _as_written(text)
    if len(cells) < _MANY:
        found = _missing(_trimmed(cells), dialect).to_numpy(zero_copy_only=False)
        return pd.Series(found, index=text.index, dtype=bool)
    # Nearly all cells are digits, which few spellings of a missing value look like.
    odd = _odd(cells, ".,")
    found = odd.copy()
    found[odd] = _missing(_trimmed(cells.filter(pa.array(odd))), dialect).to_numpy(
        zero_copy_only=False
    )
    like_digits = [
        spelt for spelt in columns.MISSING | dialect.missing if _DIGITS_OF.fullmatch(spelt)
    ]
    for spelt in {case(spelt) for spelt in like_digits for case in (str, str.upper)}:
        found |= pc.equal(cells, spelt).fill_null(False).to_numpy(zero_copy_only=False)
    return pd.Series(found, index=text.index, dtype=bool)


def numbers(text: pd.Series, dialect: Dialect, *, where: str) -> pd.Series:
    """Cells as float64; NaN where a cell is missing or no finite number of this dialect.

    Args:
        text: cells as they stand in the file.
        dialect: of the file.
        where: file and column, for the error.

    Raises:
        DataError: the file does not tell its decimal mark, and the cells need it.
    """
    cells = _as_written(text)
    values = _of_digits(cells, dialect) if len(cells) >= _MANY else None
    if values is None:
        values = _values(cells, dialect, where)
    return pd.Series(values, index=text.index, name=text.name)


def _of_digits(cells: Any, dialect: Dialect) -> np.ndarray | None:
    """Values of many cells of which few hold more than one number; None where it is not so."""
    mark = dialect.decimal
    if mark is None or dialect.thousands or dialect.missing:
        return None
    if cells.offset:
        return None
    odd = _odd(cells, mark)
    known = pa.py_buffer(np.packbits(~odd, bitorder="little"))
    plain = pa.Array.from_buffers(cells.type, len(cells), [known, *cells.buffers()[1:]])
    plain = pc.replace_substring(plain, mark, ".") if mark != "." else plain
    try:
        values = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    values = np.where(np.isfinite(values), values, np.nan)
    values[odd] = _values(cells.filter(pa.array(odd)), dialect, "")
    return values


def _odd(cells: Any, marks: str) -> np.ndarray:
    """(n,) bool: cells with more than digits, these marks and what exponents are written with.

    Empty cells are among them. The bytes of all cells are looked up at once: a pattern takes ten
    times as long.
    """
    offsets = np.frombuffer(cells.buffers()[1], np.int64)
    offsets = offsets[cells.offset : cells.offset + len(cells) + 1]
    found: np.ndarray = (np.diff(offsets) == 0) | cells.is_null().to_numpy(zero_copy_only=False)
    text = bytes(memoryview(cells.buffers()[2] or b"")[offsets[0] : offsets[-1]])
    digits = f"0123456789eE-{marks}".encode()
    strange = text.translate(bytes(code not in digits for code in range(256)))
    places = np.flatnonzero(np.frombuffer(strange, dtype=bool)) + offsets[0]
    found[np.searchsorted(offsets, places, side="right") - 1] = True
    return found


def _values(cells: Any, dialect: Dialect, where: str) -> np.ndarray:
    """(n,) float64 of any cells."""
    cells = _trimmed(cells)
    cells = pc.if_else(_missing(cells, dialect), pa.scalar(None, cells.type), cells)
    if dialect.decimal is None:
        _require_no_marks(cells, where)
    values = _floats(cells, dialect.decimal or ".", dialect.thousands).to_numpy(
        zero_copy_only=False
    )
    return np.where(np.isfinite(values), values, np.nan)


def _as_written(text: pd.Series) -> Any:
    cells = pa.array(text, from_pandas=True)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    # A column of nulls alone has no type.
    return cells.cast(pa.large_string())


def _trimmed(cells: Any) -> Any:
    return pc.utf8_trim_whitespace(cells)


def _missing(cells: Any, dialect: Dialect) -> Any:
    spellings = pa.array(sorted(columns.MISSING | dialect.missing), cells.type)
    return pc.or_(pc.is_in(pc.utf8_lower(cells), value_set=spellings), pc.is_null(cells))


def _require_no_marks(cells: Any, where: str) -> None:

    marked = cells.filter(pc.match_substring_regex(cells, _MARKED))
    if len(marked):
        raise DataError(
            "The numbers cannot be read in one way only: the mark in them may be a decimal mark, "
            "or stand between thousands",
            received={"cells": marked.slice(0, 3).to_pylist()},
            where=where,
            code="FILE-AMBIGUOUS",
            remedy='Pin what it means in the contract: `csv: {decimal: ","}`, '
            'or `csv: {decimal: ".", thousands: ","}`',
        )


def _floats(cells: Any, decimal: str, thousands: str | None) -> Any:

    if decimal == "." and not thousands:
        try:
            return pc.cast(cells, pa.float64())
        except pa.ArrowInvalid:
            pass  # some cell is text; the slower way tells which
    fits = pc.match_substring_regex(cells, number_pattern(decimal, thousands))
    plain = pc.if_else(fits, cells, pa.scalar(None, cells.type))
    if thousands:
        plain = pc.replace_substring(plain, thousands, "")
    plain = pc.replace_substring(plain, decimal, ".") if decimal != "." else plain
    return pc.cast(pc.utf8_ltrim(plain, "+"), pa.float64())


# Not `open` and `closed`: an open valve is on, an open contact is off.
_WORDS = {
    1.0: "true yes on t y wahr ja ein an vrai oui marche verdadero sí si encendido vero sì acceso "
    "verdadeiro sim "
    "ligado waar aan",
    0.0: "false no off f n falsch nein aus faux non arrêt arret falso apagado spento não nao "
    "desligado onwaar nee uit",
}
_DIGITS = {1.0: ("1", "1.0", "1,0"), 0.0: ("0", "0.0", "0,0")}
_MEANING = {word: value for value, words in _WORDS.items() for word in words.split()}
_MEANING |= {digits: value for value, spellings in _DIGITS.items() for digits in spellings}


def booleans(text: pd.Series, dialect: Dialect) -> pd.Series:
    """Cells as float64 1 and 0; NaN where a cell is missing or says neither."""
    cells = text.str.strip().str.lower()
    meant = cells.map({cell: _MEANING.get(cell) for cell in cells.unique()}).astype("float64")
    return meant.mask(missing_cells(text, dialect))
