"""The reader keeps every cell as it stands, knows its line.

And refuses files that would shift cells in silence.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import read

from faultxfer.errors import DataError
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.read_csv import find_files, read_csv


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_recognised(tmp_path: Path, separator: str) -> None:
    table = read(tmp_path, f"flow{separator}fault\n1.5{separator}0\n")
    assert list(table.frame.columns) == ["flow", "fault"]
    assert table.frame.to_dict("records") == [{"flow": "1.5", "fault": "0"}]


def test_separators_inside_quotes_do_not_count(tmp_path: Path) -> None:
    table = read(tmp_path, '"flow, pump 1, m3/h";"speed, rpm";fault\n1,5;2,5;0\n')
    assert list(table.frame.columns) == ["flow, pump 1, m3/h", "speed, rpm", "fault"]
    assert list(table.frame.iloc[0]) == ["1,5", "2,5", "0"]


def test_a_line_break_inside_a_column_name_is_read(tmp_path: Path) -> None:
    table = read(tmp_path, '"flow\nm3/h",fault\n1,0\n')
    assert list(table.frame.columns) == ["flow\nm3/h", "fault"]
    assert list(table.lines) == [3]


def test_a_column_without_a_name_gets_one(tmp_path: Path) -> None:
    assert list(read(tmp_path, ",flow\n0,1\n").frame.columns) == ["Unnamed: 0", "flow"]


def test_a_file_of_one_column_is_read(tmp_path: Path) -> None:
    assert list(read(tmp_path, "flow\n1\n2\n").frame["flow"]) == ["1", "2"]


@pytest.mark.parametrize(
    "cell", ["007", "1e5", "NA", "nan", "NULL", "TRUE", " 1 ", "1.50", "2026-01-01"]
)
def test_cells_stay_the_text_they_are(tmp_path: Path, cell: str) -> None:
    assert read(tmp_path, f"a,b\n{cell},0\n").frame["a"][0] == cell


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path: Path) -> None:
    assert list(read(tmp_path, b"\xef\xbb\xbfflow,fault\n1,0\n").frame.columns) == ["flow", "fault"]


def test_spaces_around_column_names_are_dropped(tmp_path: Path) -> None:
    assert list(read(tmp_path, " flow , fault\n1,0\n").frame.columns) == ["flow", "fault"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["Linux", "Windows", "old Mac"])
def test_line_ends_of_every_system_are_read(tmp_path: Path, end: str) -> None:
    table = read(tmp_path, end.join(["flow,fault", "1,0", "2,1", ""]))
    assert list(table.lines) == [2, 3]
    assert list(table.frame.columns) == ["flow", "fault"]
    assert list(table.frame["fault"]) == ["0", "1"]


def test_a_compressed_file_has_the_rows_of_the_plain_one(tmp_path: Path) -> None:
    content = b"flow,fault\n1,0\n2,1\n"
    plain = read(tmp_path, content)
    packed = read(tmp_path, gzip.compress(content), "a.csv.gz")
    assert packed.frame.equals(plain.frame)
    assert packed.file == "a.csv.gz"


def test_the_digest_is_that_of_the_file_on_disk(tmp_path: Path) -> None:
    stored = gzip.compress(b"flow,fault\n1,0\n")
    assert read(tmp_path, stored, "a.csv.gz").sha256 == hashlib.sha256(stored).hexdigest()


def test_blank_lines_are_skipped_and_line_numbers_stay_those_of_the_file(tmp_path: Path) -> None:
    table = read(tmp_path, "flow,fault\n1,0\n\n,\n2,1\n \n")
    assert list(table.frame["flow"]) == ["1", "2"]
    assert list(table.lines) == [2, 5]
    assert list(table.frame.index) == [0, 1]


def test_a_line_break_inside_a_quoted_cell_does_not_shift_line_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, 'flow,note\n1,"pump\nstopped\n"\n2,x\n3,"a\nb"\n4,y\n')
    assert list(table.frame["flow"]) == ["1", "2", "3", "4"]
    assert list(table.lines) == [2, 5, 6, 8]


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        *(("sep=;\n", 1), ("SEP=;\r\n", 1), ('"sep=;"\n', 1), ("sep=;;\n", 1)),
        *(("\n", 1), ("\n  \n", 2), ("sep=;\n\n", 2), ("\nsep=;\n", 2)),
    ],
    ids=repr,
)
def test_what_stands_above_the_header_is_skipped_and_its_lines_count(
    tmp_path: Path, above: str, lines: int
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"{above}a;b,c\n1;2\n\n3;4\n".encode())
    table = read_csv(path)
    assert table.names == ["a", "b,c"]
    assert list(table.lines) == [2 + lines, 4 + lines]
    assert table.dialect.separator == ";"
    kept = read_csv(path, keep=frozenset({"a"}))
    assert kept.rows(np.array([1])).to_dict("records") == [{"a": "3", "b,c": "4"}]


def test_a_separator_named_by_the_file_settles_a_tie(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\na,1;b,2\n1,5;2,5\n", encoding="utf-8")
    assert read_csv(path).names == ["a,1", "b,2"]
    assert read_csv(path, Csv(separator=",")).names == ["a", "1;b", "2"]


@pytest.mark.parametrize("above", ["sep=,\n", "\n", "\n\n"])
@pytest.mark.parametrize(
    ("text", "line"), [("a,b\n1,2\n1,2,3\n", 3), ("a,a\n1,2\n", 1), ("1,2\n3,4\n", 1)], ids=repr
)
def test_errors_name_the_line_of_the_file(tmp_path: Path, above: str, text: str, line: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text(above + text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_csv(path)
    assert caught.value.line == line + above.count("\n")
    assert f"line {caught.value.line}" in str(caught.value)


def test_cells_missing_at_the_end_of_a_row_count_as_blank(tmp_path: Path) -> None:
    assert read(tmp_path, "flow,speed,fault\n1,2,0\n3\n").frame.to_dict("list") == {
        "flow": ["1", "3"],
        "speed": ["2", ""],
        "fault": ["0", ""],
    }


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("1,0\n2,1,9\n3,0\n", 3),
        ("1,0,9\n2,1\n", 2),
        ("1,0,9\n2,1,9\n", 2),
        ('"a\nb",0\n\n1,2,3,4\n', 5),
    ],
    ids=["one row", "the first row", "every row", "after a line break in a cell"],
)
def test_rows_wider_than_the_header_are_refused_with_the_line(
    tmp_path: Path, rows: str, line: int
) -> None:
    with pytest.raises(DataError, match=rf"row does not fit the header.*a\.csv, line {line}\."):
        read(tmp_path, f"flow,fault\n{rows}")


def test_a_separator_at_the_end_of_each_row_adds_no_column(tmp_path: Path) -> None:
    table = read(tmp_path, "flow;fault\n1;0;\n2;1;\n")
    assert table.frame.to_dict("list") == {"flow": ["1", "2"], "fault": ["0", "1"]}


@pytest.mark.parametrize(
    "rows", ['1,"pump\n2,x\n', '1,"5" pipe\n'], ids=["never closed", "text behind it"]
)
def test_a_stray_quote_is_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(DataError, match=r"row does not fit the header.*a\.csv, line \d"):
        read(tmp_path, f"flow,note\n{rows}")


@pytest.mark.parametrize("header", ["flow,flow,fault", "flow, flow,fault", "flow,,"])
def test_column_names_that_occur_twice_are_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(DataError, match=r"column name occurs twice.*a\.csv, line 1"):
        read(tmp_path, f"{header}\n1,2,0\n")


@pytest.mark.parametrize("content", ["", "\n\n", "  \n\n"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"header row.*a\.csv"):
        read(tmp_path, content)


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = read(tmp_path, "flow,fault\n")
    assert list(table.frame.columns) == ["flow", "fault"]
    assert len(table.frame) == len(table.lines) == 0


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"file cannot be read.*absent\.csv"):
        read_csv(tmp_path / "absent.csv")


def test_text_that_is_not_utf8_is_read_as_windows_text_and_says_so(tmp_path: Path) -> None:
    table = read(tmp_path, "temp °C,fault\n1,0\n".encode("cp1252"))
    assert list(table.frame.columns) == ["temp °C", "fault"]
    assert table.dialect.encoding == "cp1252"


def test_text_in_no_known_encoding_is_refused_with_the_byte(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no text in CP1252.*0x81.*at byte=5"):
        read(tmp_path, b"temp \x81C,fault\n1,0\n")


PACKED = gzip.compress(b"flow,fault\n" + b"1.5,0\n2.5,1\n" * 50)


@pytest.mark.parametrize(
    "content",
    [b"flow,fault\n1,0\n", PACKED[:-12], PACKED[:12] + b"\xff\xff\xff\xff" + PACKED[16:]],
    ids=["not compressed", "cut off", "damaged"],
)
def test_a_damaged_compressed_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"file cannot be read.*a\.csv\.gz"):
        read(tmp_path, content, "a.csv.gz")


# A carriage return inside a cell is a line end to the reader; it cannot come back as it went.
CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), min_size=1, max_size=8
)
NAMES = st.lists(
    st.from_regex(r"[a-z][a-z0-9 ,;]{0,6}[a-z]", fullmatch=True),
    min_size=2,
    max_size=4,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), names=NAMES, packed=st.booleans())
def test_what_is_written_is_read_back(
    data: st.DataObject, names: list[str], packed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = data.draw(
        st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=6)
    )
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    expected = {}
    for row in rows:
        line = out.getvalue().count("\n") + 1
        writer.writerow(row)
        if "".join(row).strip():
            expected[line] = row
    content = out.getvalue().encode()
    name = "a.csv.gz" if packed else "a.csv"
    folder = tmp_path_factory.mktemp("round")
    written = gzip.compress(content) if packed else content
    # Any text may look like a row of units above numbers; the pins say that there is none.
    table = read(folder, written, name, skip=0, rows_below=0)
    assert list(table.frame.columns) == names
    assert dict(zip(table.lines.tolist(), table.frame.to_numpy().tolist(), strict=True)) == expected


# Finding files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.csv", "a.csv", "c.csv.gz", "note.txt", "odd[1].csv"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_patterns_are_expanded_in_order_of_name(folder: Path) -> None:
    assert [path.name for path in find_files(["?.csv*"])] == ["a.csv", "b.csv", "c.csv.gz"]
    assert [path.name for path in find_files([str(folder / "?.csv")])] == ["a.csv", "b.csv"]


def test_files_keep_the_order_in_which_they_are_named(folder: Path) -> None:
    assert [path.name for path in find_files(["b.csv", "a.csv"])] == ["b.csv", "a.csv"]


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    assert len(find_files(["a.csv", "./a.csv", "a*.csv", str(folder / "a.csv")])) == 1


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(folder: Path) -> None:
    assert [path.name for path in find_files(["odd[1].csv"])] == ["odd[1].csv"]


@pytest.mark.parametrize("pattern", ["absent.csv", "z*.csv", "folder.csv", ""])
def test_a_pattern_without_a_file_is_an_error_that_names_it(folder: Path, pattern: str) -> None:
    with pytest.raises(DataError, match="no such CSV file") as caught:
        find_files(["a.csv", pattern])
    assert caught.value.received == {"csv": pattern}
