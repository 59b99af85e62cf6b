"""A table written in any dialect is read back as it was.

And its numbers are the numbers written.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reading import Spelling, read

VALUES = [1234567.25, -1234.5, 0.75, 12.0, -0.01, 999.99]
SPACES = (" ", "\u00a0", "'")

VARIATIONS = [
    Spelling(separator, decimal, thousands, encoding, line_end, quote_all, packing)
    for (separator, (decimal, thousands), encoding), (line_end, quote_all, packing) in zip(
        product(
            ",;\t|",
            [(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'"), (",", "\u00a0")],
            ["utf-8", "utf-8-sig", "utf-16", "cp1252"],
        ),
        list(product(["\n", "\r\n", "\r"], [False, True], ["", ".gz", ".zst"])) * 10,
        strict=False,
    )
] + [Spelling(*marks, line_end=end, quote_all=quoted)
     for marks in product(",;\t|", ".,", ["", " "], ["utf-8", "cp1252"])
     for end, quoted in product(["\n", "\r\n"], [False, True])]  # fmt: skip


def test_there_are_hundreds_of_variations() -> None:
    assert len(set(VARIATIONS)) >= 200


@pytest.mark.parametrize("spelling", VARIATIONS, ids=lambda spelling: repr(spelling)[9:-1])
def test_every_variation_is_read_as_it_was_written(spelling: Spelling, tmp_path: Path) -> None:
    rows = [
        [f"Kühler {row}", spelling.number(value), str(row % 2)] for row, value in enumerate(VALUES)
    ]
    table = read(
        tmp_path, spelling.table(["Gerät", "flow", "fault"], rows), f"a.csv{spelling.packing}"
    )
    assert table.frame.to_numpy().tolist() == rows
    assert table.numbers("flow").tolist() == VALUES
    assert list(table.lines) == list(range(2, len(rows) + 2))
    dialect = table.dialect
    assert (dialect.separator, dialect.decimal, dialect.encoding) == (
        spelling.separator,
        spelling.decimal,
        spelling.encoding,
    )
    assert (dialect.thousands or "", dialect.line_end) == (spelling.thousands, spelling.line_end)


SPELLINGS = st.builds(
    Spelling,
    separator=st.sampled_from(",;\t|"),
    decimal=st.sampled_from(".,"),
    thousands=st.sampled_from(["", ".", ",", *SPACES]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quote_all=st.booleans(),
    packing=st.sampled_from(["", ".gz", ".zst"]),
)
TEXT = st.text(st.sampled_from('abcäöü€,;|\t."  \n0123456789-'), max_size=8)
NUMBERS = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)


@settings(max_examples=250, deadline=None)
@given(spelling=SPELLINGS, rows=st.lists(st.tuples(TEXT, NUMBERS), min_size=1, max_size=8))
def test_any_table_in_any_dialect_comes_back(
    spelling: Spelling, rows: list[tuple[str, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assume(spelling.decimal != spelling.thousands)
    cells = [["n", "1"], *([text, spelling.number(value)] for text, value in rows)]
    pins = {
        "separator": spelling.separator,
        "decimal": spelling.decimal,
        "thousands": spelling.thousands or None,
    }
    # The text column can hold anything, so it may look like another encoding, separator or mark:
    # those are pinned.
    encoding = "cp1252" if spelling.encoding == "cp1252" else None
    content = spelling.table(["note", "flow"], cells)
    table = read(
        tmp_path_factory.mktemp("any"),
        content,
        f"a.csv{spelling.packing}",
        **pins,
        encoding=encoding,
    )
    expected = [[cell.replace("\r\n", "\n") for cell in row] for row in cells]
    assert table.frame.to_numpy().tolist() == expected
    np.testing.assert_array_equal(table.numbers("flow"), [1.0, *(value for _, value in rows)])


@settings(max_examples=100, deadline=None)
@given(spelling=SPELLINGS, values=st.lists(NUMBERS, min_size=1, max_size=20))
def test_numbers_are_detected_right_or_not_at_all(
    spelling: Spelling, values: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two digits behind the mark prove it in every cell, so nothing is ambiguous here."""
    assume(spelling.decimal != spelling.thousands)
    rows = [[spelling.number(value), "x"] for value in values]
    table = read(
        tmp_path_factory.mktemp("marks"),
        spelling.table(["flow", "note"], rows),
        f"a.csv{spelling.packing}",
    )
    np.testing.assert_array_equal(table.numbers("flow"), values)
