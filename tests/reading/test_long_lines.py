"""Files whose lines are longer than the blocks that a look at the text takes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from faultxfer.reading.lines import some_lines
from faultxfer.reading.rows import memory_needed
from faultxfer.reading.text import Text


def wide(rows: int, columns: int, mark: str, end: str) -> bytes:
    """Rows of numbers under a header, as text."""
    random = np.random.default_rng(columns)
    header = mark.join(f"T{number:04d} avg" for number in range(columns))
    lines = [header]
    for values in random.normal(100, 9, (rows, columns)):
        lines.append(mark.join(f"{value:.3f}" for value in values))
    return ("\n".join(lines) + end).encode()


@pytest.mark.parametrize(
    ("rows", "columns", "mark", "end"),
    [(90, 2000, ",", "\n"), (60, 3000, ";", ""), (40, 9000, "\t", "\n"), (900, 640, ",", "")],
)
def test_the_rows_of_a_wide_file_are_estimated_well(
    rows: int, columns: int, mark: str, end: str
) -> None:
    text = Text("wide.csv", wide(rows, columns, mark, end), mark)
    one = dataclasses.replace(text, content=text.content.split(b"\n")[0] + b"\n1")
    cells = memory_needed(text, None) / (memory_needed(one, None) / 2)
    assert rows / 2 < cells < 2 * rows


def test_a_look_at_a_wide_file_sees_whole_lines() -> None:
    content = wide(80, 2500, ",", "\n")
    seen = some_lines(content)
    lines = seen.splitlines()
    assert 10 < len(lines) <= 81
    assert {line.count(b",") for line in lines} == {2499}
