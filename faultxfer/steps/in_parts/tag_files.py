"""Large files of one tag each: their readings one below the other, in temporary files.

Files are read part by part. What has to be known of a reading later travels with it: its file, its
line, and its cell as it is written.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from faultxfer.contract.machines import tags_of_sensors
from faultxfer.contract.schema import Contract
from faultxfer.contract.shapes import readings_in, roles_of_tags
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.join_tags import (
    A_NUMBER,
    READING,
    TAG_OF,
    Piece,
    made_of,
    moments_of,
    name_of_set,
    names_shown,
    one_text_each,
    pieces_of,
    quality_of,
    unknown_tags,
)
from faultxfer.reading.long_form import with_all_tags
from faultxfer.reading.parts import Part
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable, Remark
from faultxfer.reading.tag_files import TagFiles, TagReadings
from faultxfer.reading.times import Times
from faultxfer.reading.transcoded import Transcoded
from faultxfer.steps.in_parts.cuts import modes_in
from faultxfer.steps.in_parts.sight import NotByPartsError

# Columns beside those of `join_tags`; no column of a file is called so.
_SECONDS, _CELL = "seconds of the reading", "cell of the reading"
_FILE, _LINE = "file of the reading", "line of the reading"

# The first and the last time of some readings.
_Spans = dict[tuple[str, ...], tuple[float, float]]


@dataclass(frozen=True)
class TagFile:
    """A file of a set.

    Attributes:
        number: of it in the set.
        path: of it; its name may say which tag it is of.
        name: that findings call it by.
        text: what is read in its place.
        head: lines that each part has above its rows; 0 where it is one part.
    """

    number: int
    path: Path
    name: str
    text: Transcoded
    head: int


@dataclass(frozen=True)
class ReadPart:
    """The readings of a part of a file.

    Attributes:
        file: it is of.
        of: what it holds, without its rows.
        readings: one below the other; None where nobody needs them.
        dialect: how it is written.
        style: how times are written; None without readings.
        tags: of the readings, and how many each has.
        spans: by tag and keys, of the readings that are not missing.
        modes: (m, 2) times of readings that `where` asks for, and whether they are wanted.
    """

    file: TagFile
    of: TagReadings
    readings: pa.Table | None
    dialect: Dialect
    style: str | None
    tags: dict[str, int]
    spans: _Spans
    modes: np.ndarray


def readings_of_part(part: Part, file: TagFile, contract: Contract, shape: TagFiles) -> ReadPart:
    """Read a part, whose file is removed.

    Raises:
        NotByPartsError: it does not say by itself what its readings are.
        DataError: it cannot be read, or is none of the set.
    """
    numeric, options = tags_of_sensors(contract), file.text.options
    try:
        table = file.text.told(read_csv(part.path, options, numeric, None))
        texts = table
        if table.typed:
            texts = read_csv(part.path, options, frozenset(), frozenset(table.typed))
    finally:
        part.path.unlink()
    as_they_stand = np.array_equal(table.lines, file.head + 1 + np.arange(len(table)))
    if table.units or table.remarks or (file.head and not as_they_stand):
        raise NotByPartsError
    table = dataclasses.replace(table, file=file.name, lines=part.placed(table.lines))
    of = readings_in(file.path, table, contract)
    pieces = list(pieces_of([of], roles_of_tags(contract)))
    keys = roles_of_tags(contract).keys
    readings, style = None, None
    spans: _Spans = {}
    modes = np.empty((0, 2))
    if pieces and len(table):
        times = table.times(shape.time)
        style, seconds = times.style, times.seconds.to_numpy(dtype=np.float64)
        tables = [_readings(piece, seconds, texts, shape, keys, file.number) for piece in pieces]
        readings = pa.concat_tables(tables)
        modes = _modes(readings, contract)
        for piece in pieces:
            spans |= _spans(piece, seconds, keys)
    return ReadPart(
        file,
        dataclasses.replace(of, table=_without_rows(table)),
        readings,
        table.dialect,
        style,
        {piece.tag: len(piece.rows) for piece in pieces},
        spans,
        modes,
    )


def _modes(readings: pa.Table, contract: Contract) -> np.ndarray:
    """When the readings of modes that `where` asks for are inside."""
    if not contract.where:
        return np.empty((0, 2))
    tags, cells = (readings.column(name).to_pandas() for name in (TAG_OF, _CELL))
    seconds = readings.column(_SECONDS).to_numpy()
    return modes_in(tags, seconds, lambda places: cells.iloc[places], contract)


def _without_rows(table: RawTable) -> RawTable:
    return RawTable(table.file, table.frame.iloc[:0], table.lines[:0], "", header=table.header)


def _readings(
    piece: Piece,
    seconds: np.ndarray,
    texts: RawTable,
    shape: TagFiles,
    keys: tuple[str, ...],
    number: int,
) -> pa.Table:
    """Readings of one tag, with all that is known of each."""
    table, rows = piece.part.table, piece.rows
    every = len(rows) == len(table)
    cells = texts.frame[piece.column] if piece.column in table.typed else table.cells(piece.column)
    values = table.typed.get(piece.column)
    columns = {
        shape.time: _text(table.stripped(shape.time)),
        TAG_OF: _repeated(piece.tag, len(table)),
        **{key: _names(piece, key, len(table)) for key in keys if _shows(piece, key)},
        _CELL: _text(cells),
        READING: pa.nulls(len(table), pa.float64()) if values is None else pa.array(values),
        _SECONDS: pa.array(seconds),
        _FILE: pa.repeat(pa.scalar(number, pa.int32()), len(table)),
        _LINE: pa.array(table.lines.astype(np.int64)),
    }
    found = pa.table(columns)
    if not every:
        found = found.take(pa.array(rows))
    if shape.quality:
        found = found.append_column(shape.quality, _text(pd.Series(quality_of(piece, shape))))
    return found


def _text(cells: pd.Series) -> pa.Array:
    found = pa.array(cells, pa.large_string())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _repeated(name: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(name, pa.large_string()), rows)


def _shows(piece: Piece, key: str) -> bool:
    return key in piece.part.names or key in piece.part.table.names


def _names(piece: Piece, key: str, rows: int) -> pa.Array:
    """(n,) names of a key of all rows of the file."""
    if key in piece.part.names:
        return _repeated(piece.part.names[key], rows)
    return _text(piece.part.table.stripped(key))


def _spans(piece: Piece, seconds: np.ndarray, keys: tuple[str, ...]) -> _Spans:
    """From when to when each machine and run has readings that are not missing."""
    missing = piece.part.table.missing(piece.column).to_numpy(dtype=bool)[piece.rows]
    own = seconds[piece.rows]
    known = ~missing & ~np.isnan(own)
    shown = {key: names_shown(piece, key) for key in keys}
    names = {key: cells for key, cells in shown.items() if cells is not None}
    if not known.any():
        return {}
    if not names:
        return {(piece.tag,): (float(own[known].min()), float(own[known].max()))}
    frame = pd.DataFrame({**names, _SECONDS: own})[known]
    found: _Spans = {}
    for of, times in frame.groupby(list(names), sort=False)[_SECONDS]:
        found[(piece.tag, *map(str, of))] = float(times.min()), float(times.max())
    return found


class Gathered:
    """All readings of a set, as they are read.

    Args:
        contract: what the files are checked against.
        paths: of the files.
        names: that findings call them by.
        folder: for the readings.

    Attributes:
        batches: Arrow files of the readings, in their order.
        seconds: file of their times.
        modes: of each part, when it is inside `where`.
    """

    def __init__(
        self, contract: Contract, paths: Sequence[Path], names: Sequence[str], folder: Path
    ) -> None:
        self._contract, self._paths, self._names = contract, paths, names
        self._folder = folder
        self.batches: list[Path] = []
        self.modes: list[np.ndarray] = []
        self.seconds = folder / "seconds"
        self._files: dict[int, TagReadings] = {}
        self._dialects: dict[int, Dialect] = {}
        self._marks: dict[tuple[str, str | None], None] = {}
        self._styles: dict[str, None] = {}
        self._tags: dict[str, int] = {}
        self._schema: pa.Schema | None = None
        self._spans: dict[tuple[str, ...], dict[int, tuple[float, float]]] = {}

    def add(self, part: ReadPart) -> None:
        """Take the readings of the next part.

        Raises:
            NotByPartsError: it is something else than the parts before.
        """
        self._require_same_file(part)
        if not part.tags:
            return
        self._add_dialect(part)
        for tag, count in part.tags.items():
            self._tags[tag] = self._tags.get(tag, 0) + count
        if part.style is not None:
            self._styles.setdefault(part.style)
        for of, (begin, end) in part.spans.items():
            spans = self._spans.setdefault(of, {})
            first, last = spans.get(part.file.number, (begin, end))
            spans[part.file.number] = min(first, begin), max(last, end)
        self.modes.append(part.modes)
        if part.readings is not None and len(part.readings):
            self._write(part.readings)

    def _require_same_file(self, part: ReadPart) -> None:
        """All parts of a file hold the same."""
        known = self._files.setdefault(part.file.number, part.of)
        same = (known.names, known.columns, known.quality, known.table.header)
        if same != (part.of.names, part.of.columns, part.of.quality, part.of.table.header):
            raise NotByPartsError

    def _add_dialect(self, part: ReadPart) -> None:
        """All parts of a file are written in the same way; all files have the same marks."""
        own = part.dialect
        if own.decimal:
            self._marks.setdefault((own.decimal, own.thousands))
        known = self._dialects.setdefault(part.file.number, own)
        same = dataclasses.replace(
            known, decimal=own.decimal, thousands=own.thousands, quoted=own.quoted
        )
        if same != own:
            raise NotByPartsError
        quoted = known.quoted or own.quoted
        self._dialects[part.file.number] = dataclasses.replace(known, quoted=quoted)

    def _write(self, readings: pa.Table) -> None:
        self._schema = self._schema or readings.schema
        if readings.schema != self._schema:
            raise NotByPartsError  # some files show which machine they are of, and others do not
        path = self._folder / f"readings-{len(self.batches)}.arrow"
        with pa.ipc.new_file(str(path), readings.schema) as writer:
            writer.write_table(readings.combine_chunks())
        self.batches.append(path)
        with self.seconds.open("ab") as file:
            file.write(readings.column(_SECONDS).to_numpy().tobytes())

    def ended(self, digests: Sequence[str]) -> TagSet:
        """What all files are together.

        Args:
            digests: SHA-256 of each file.

        Raises:
            NotByPartsError: they are to be joined whole.
        """
        if len(self._styles) != 1 or len(self._marks) > 1 or not self.batches:
            raise NotByPartsError
        self._require_one_reading()
        contract = self._contract
        shape = contract.tag_files
        decimal, thousands = next(iter(self._marks), (".", None))
        first = self._dialects[min(self._dialects)]
        files = [self._files[number] for number in sorted(self._files)]
        if shape is None or len(files) != len(self._paths):
            raise NotByPartsError
        readings = sum(self._tags.values())
        return TagSet(
            name=name_of_set(self._paths),
            shape=shape,
            keys=roles_of_tags(contract).keys,
            sources=tuple(zip(self._names, digests, strict=True)),
            sha256=hashlib.sha256("".join(digests).encode()).hexdigest(),
            dialect=dataclasses.replace(first, decimal=decimal, thousands=thousands),
            style=next(iter(self._styles)),
            tags=tuple(tag for tag, count in self._tags.items() if count),
            readings=readings,
            made_of=made_of(readings, len(self._tags), len(files)),
            remarks=tuple(unknown_tags(files, roles_of_tags(contract))),
        )

    def _require_one_reading(self) -> None:
        """No two files have readings of one tag and machine from the same time."""
        for of_files in self._spans.values():
            spans = sorted(of_files.values())
            if any(last >= begin for (_, last), (begin, _) in itertools.pairwise(spans)):
                raise NotByPartsError


@dataclass(frozen=True)
class TagSet:
    """Files of one tag each as one table, of which parts are read.

    Attributes:
        name: what the files are called together.
        shape: what they look like.
        keys: columns that name machine and run.
        sources: name and digest of each.
        sha256: of these digests.
        dialect: how the cells are written.
        style: how times are written.
        tags: all that have readings, in their order.
        readings: how many there are.
        made_of: the same, for people.
        remarks: on the files.
    """

    name: str
    shape: TagFiles
    keys: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    sha256: str
    dialect: Dialect
    style: str
    tags: tuple[str, ...]
    readings: int
    made_of: str
    remarks: tuple[Remark, ...] = field(default=(), repr=False)

    def read(self, path: Path) -> SomeReadings:
        """A part of the readings."""
        return SomeReadings(self, pq.read_table(path))


class SomeReadings:
    """A part of the readings of a set.

    Args:
        of: the set.
        readings: n of them.
    """

    def __init__(self, of: TagSet, readings: pa.Table) -> None:
        self._set, self._readings = of, readings
        # As if they stood in a file, below a header.
        self._files, self._lines = (
            np.concatenate([[0, 0], readings.column(name).to_numpy()]) for name in (_FILE, _LINE)
        )

    def table(self) -> RawTable:
        """A row for each moment; its lines are those of the part."""
        of, shape = self._set, self._set.shape
        table = with_all_tags(moments_of(self._stacked(), shape, of.keys), of.tags, of.readings)
        return dataclasses.replace(table, made_of=of.made_of)

    def _stacked(self) -> RawTable:
        readings, of, time = self._readings, self._set, self._set.shape.time
        seconds = readings.column(_SECONDS).to_numpy()
        texts = readings.column(time).to_numpy()
        frame = readings.drop_columns([_SECONDS, _FILE, _LINE, _CELL, READING]).to_pandas()
        frame[time] = one_text_each(texts, seconds, number=of.style == A_NUMBER)
        cells = readings.column(_CELL).to_pandas()
        values = readings.column(READING)
        typed = {} if values.null_count else {READING: values.to_numpy()}
        frame = frame.astype("str")
        if not typed:
            frame[READING] = cells.astype("str")
        table = RawTable(
            of.name,
            frame,
            np.arange(len(frame)) + 2,
            of.sha256,
            of.dialect,
            header=tuple(frame.columns) + (() if READING in frame else (READING,)),
            typed=typed,
            reread=lambda places: frame.iloc[places].assign(**{READING: cells.iloc[places]}),
        )
        table._times[time] = Times(pd.Series(seconds), of.style)
        return table

    def first_of(self, lines: np.ndarray) -> tuple[str, int]:
        """File and line of the first of some readings, by their lines of the part."""
        first = int(lines.min())
        return self._set.sources[int(self._files[first])][0], int(self._lines[first])

    def placed(self, table: RawTable) -> RawTable:
        """A table of moments with the files and lines that its readings have."""
        return dataclasses.replace(
            table,
            lines=self._lines[table.lines],
            cell_lines={name: self._lines[own] for name, own in table.cell_lines.items()},
            row_sources=self._files[table.lines],
            cell_sources={name: self._files[own] for name, own in table.cell_lines.items()},
            sources=self._set.sources,
            remarks=self._set.remarks,
        )
