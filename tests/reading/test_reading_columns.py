"""Only needed columns are held in memory, numbers as such.

And nothing of that can be seen from outside.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faultxfer.contract.schema import parse_contract
from faultxfer.errors import DataError
from faultxfer.reading import content, memory, rows
from faultxfer.reading.cells import missing_cells, numbers
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable
from faultxfer.steps.intake import check_files

NUMERIC = frozenset({"flow", "speed"})
KEEP = NUMERIC | {"fault"}
CONTRACT = parse_contract(
    {
        "family": "pumps",
        "sensors": {"flow": {"max": 100}, "speed": {}},
        "label": {"column": "fault"},
    },
    where="test",
)


def table_of(folder: Path, text: str) -> RawTable:
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8")
    return read_csv(path, None, NUMERIC, KEEP)


def test_a_column_of_text_does_not_make_text_of_the_others(tmp_path: Path) -> None:
    table = table_of(tmp_path, "flow,speed,fault\n1,broken,0\n2,5,1\n")
    assert list(table.typed) == ["flow"]
    assert list(table.cells("speed")) == ["broken", "5"]
    assert table.numbers("speed").tolist()[1:] == [5.0]


def test_infinity_is_text_and_the_other_columns_stay_numbers(tmp_path: Path) -> None:
    table = table_of(tmp_path, "flow,speed,fault\ninf,3,0\n2,5,1\n")
    assert list(table.typed) == ["speed"]
    assert np.isnan(table.numbers("flow")[0])


def test_more_columns_of_text_than_attempts_are_read_all_the_same(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(12)]
    path = tmp_path / "a.csv"
    path.write_text(
        ",".join(names) + "\n" + ",".join("x" * 12) + "\n" + ",".join("1" * 12) + "\n",
        encoding="utf-8",
    )
    table = read_csv(path, None, frozenset(names))
    assert [table.numbers(name)[1] for name in names] == [1.0] * 12


@pytest.mark.parametrize(
    ("row", "kept"),
    [(",,,", False), (' ,"",,', False), ("NaN,,,", True), (",,,note", True), (",,0,", True)],
)
def test_a_row_is_blank_only_if_nothing_stands_in_any_column(
    tmp_path: Path, row: str, kept: bool
) -> None:
    table = table_of(tmp_path, f"flow,speed,fault,note\n1,2,0,\n{row}\n3,4,0,\n")
    assert list(table.lines) == ([2, 3, 4] if kept else [2, 4])
    assert len(table.numbers("flow")) == len(table)


def test_columns_nobody_needs_are_known_by_name_and_not_held(tmp_path: Path) -> None:
    table = table_of(tmp_path, "note,flow,speed,fault,other\nwarm,1,2,0,x\ncold,3,4,1,y\n")
    assert table.names == ["note", "flow", "speed", "fault", "other"]
    assert list(table.frame.columns) == ["fault"]
    assert table.rows(np.array([1])).to_dict("records") == [
        {"note": "cold", "flow": "3", "speed": "4", "fault": "1", "other": "y"}
    ]


@pytest.mark.parametrize("piece", [1, 7, 20, 1000])
@pytest.mark.parametrize("text", ["broken", "2.5"])
def test_a_file_read_in_pieces_is_the_file_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, text: str
) -> None:
    content = f"flow,speed,fault\n1,2,0\n3,{text},1\n,,\n\n5,6,0"
    whole = table_of(tmp_path, content)
    monkeypatch.setattr(rows, "_PIECE", piece)
    parts = table_of(tmp_path, content)
    assert list(parts.lines) == list(whole.lines) == [2, 3, 6]
    assert list(parts.typed) == list(whole.typed)
    for name in ("flow", "speed"):
        np.testing.assert_array_equal(parts.numbers(name), whole.numbers(name))
    assert list(parts.cells("fault")) == ["0", "1", "0"]


def parquet(frame: pd.DataFrame) -> bytes:
    stored = io.BytesIO()
    pq.write_table(
        pa.table({**{name: frame[name] for name in frame}, "vibration": [[1.0, 2.0]] * len(frame)}),
        stored,
    )
    return stored.getvalue()


def test_a_parquet_column_nobody_needs_may_hold_anything(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(
        parquet(pd.DataFrame({"flow": [1.0, 2.0], "speed": [3, 4], "fault": [0, 1]}))
    )
    checked = check_files(
        [str(tmp_path / "a.parquet")],
        CONTRACT,
        work=None,
        quarantine=tmp_path / "quarantine",
        labelled=True,
    )
    assert (checked.accepted, checked.quarantined) == (2, 0)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_rows_set_aside_keep_the_columns_nobody_needs(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame(
        {"note": ["warm", "cold"], "flow": [1.0, 200.0], "speed": [3, 4], "fault": [0, 1]}
    )
    if name == "a.csv":
        frame.to_csv(tmp_path / name, index=False)
    else:
        frame.to_parquet(tmp_path / name, index=False)
    checked = check_files(
        [str(tmp_path / name)],
        CONTRACT,
        work=None,
        quarantine=tmp_path / "quarantine",
        labelled=True,
    )
    assert checked.quarantine is not None
    rejected = pd.read_csv(checked.quarantine)
    assert rejected[list(frame.columns)].to_dict("records") == frame.iloc[[1]].to_dict("records")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_file_that_does_not_fit_into_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object
) -> None:
    path = tmp_path / ("a.csv.gz" if pack is gzip.compress else "a.csv")
    text = b"flow,speed,fault\n" + b"1,2,0\n" * 1000
    path.write_bytes(pack(text))  # type: ignore[operator]
    monkeypatch.setattr(content, "available_memory", lambda: 2000)
    with pytest.raises(DataError, match="fit into memory") as caught:
        read_csv(path)
    assert caught.value.code == "FILE-TOO-LARGE"
    assert "Split the file by period" in str(caught.value)


def test_a_file_of_many_columns_fits_if_the_needed_ones_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [f"other{number}" for number in range(200)]
    path = tmp_path / "a.csv"
    path.write_text(
        ",".join(["flow", *others]) + "\n" + ("1" + ",2" * 200 + "\n") * 100, encoding="utf-8"
    )
    monkeypatch.setattr(content, "available_memory", lambda: 100_000)
    assert len(read_csv(path, None, frozenset({"flow"}), frozenset({"flow"}))) == 100
    with pytest.raises(DataError, match="fit into memory"):
        read_csv(path)


def test_the_limits_of_the_process_and_of_its_container_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    available = memory.available_memory()
    assert available is None or available > 0
    (tmp_path / "memory.max").write_text("4000000\n")
    (tmp_path / "memory.current").write_text("3000000\n")
    (tmp_path / "memory.stat").write_text("anon 2500000\ninactive_file 500000\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.available_memory() == 1_500_000
    (tmp_path / "memory.max").write_text("max\n")
    limit = 1000 + psutil.Process().memory_info().vms
    monkeypatch.setattr(memory, "_own_limit", lambda: limit)
    assert abs((memory.available_memory() or 0) - 1000) < 100_000_000


def test_many_cells_are_read_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["1.5", "-2", "", " 3 ", "+4", "1e5", "1e+5", "nan", "Bad Input", "1.2.3", "-", "9,5"]
    texts += ["²", "1 000", "inf", "999", ".", "5.", ".5", None]
    cells = pd.Series([None, *texts, *texts[::-1]], dtype="str")
    for dialect in (
        Dialect(decimal="."),
        Dialect(decimal=","),
        Dialect(missing=frozenset({"999"})),
    ):
        for some in (cells, cells.iloc[3:], cells.iloc[:4], pd.Series(["1", "2"], dtype="str")):
            monkeypatch.setattr("faultxfer.reading.cells._MANY", 1_000)
            few = missing_cells(some, dialect), numbers(some, with_mark(dialect), where="")
            monkeypatch.setattr("faultxfer.reading.cells._MANY", 0)
            many = missing_cells(some, dialect), numbers(some, with_mark(dialect), where="")
            pd.testing.assert_series_equal(few[0], many[0])
            pd.testing.assert_series_equal(few[1], many[1])


def with_mark(dialect: Dialect) -> Dialect:
    return dataclasses.replace(dialect, decimal=dialect.decimal or ".")
