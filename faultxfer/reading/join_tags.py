"""Files of one tag each as one table: their readings one below the other, then pivoted."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.errors import DataError
from faultxfer.reading.cells import missing_cells
from faultxfer.reading.dialect import Dialect
from faultxfer.reading.long_form import Long, pivoted
from faultxfer.reading.table import RawTable, Remark
from faultxfer.reading.tag_files import CODE, Roles, TagFiles, TagReadings
from faultxfer.reading.times import Times

# Columns of the readings of all files; no column of a file is called so.
TAG_OF, READING = "tag of the file", "reading of the file"
_CONFLICT = "READING-CONFLICT"
A_NUMBER = "a number"


@dataclass(frozen=True)
class Piece:
    """Readings of one tag in one file.

    Attributes:
        file: number of the file in the set.
        part: the file.
        tag: the tag.
        column: the column of the file that holds its readings.
        rows: (n,) places of the readings in the file.
        beside: whether they stand beside the readings of another tag, as labels may.
    """

    file: int
    part: TagReadings
    tag: str
    column: str
    rows: np.ndarray
    beside: bool = False

    @property
    def cells(self) -> np.ndarray:
        """(n,) text as it stands in the file."""
        found: np.ndarray = self.part.table.cells(self.column, self.rows).to_numpy(dtype=object)
        return found


def joined(parts: Sequence[TagReadings], shape: TagFiles, roles: Roles, name: str) -> RawTable:
    """The table with a row for each moment of any tag and a column for each tag.

    Args:
        parts: the files, at least one.
        shape: what the set looks like.
        roles: what is known of tags and columns.
        name: what to call the set.

    Raises:
        DataError: two files contradict each other, nothing shows which machine a file is of, or
            the times cannot be read. ``where`` is the file at fault.
    """
    pieces = [*pieces_of(parts, roles)]
    stacked = _stacked(pieces, parts, shape, roles, name)
    _require_one_reading(stacked, pieces, shape)
    table = moments_of(stacked, shape, roles.keys)
    tags = {piece.tag for piece in pieces}
    return dataclasses.replace(table, made_of=made_of(len(stacked), len(tags), len(parts)))


def moments_of(stacked: RawTable, shape: TagFiles, keys: tuple[str, ...]) -> RawTable:
    """All readings, one below the other and with known times, as a row for each moment."""
    long = Long(time=shape.time, tag=TAG_OF, value=READING, quality=shape.quality, good=shape.good)
    table = pivoted(stacked, long, keys)
    _remember_times(table, stacked, shape.time)
    return table


def name_of_set(paths: Sequence[Path]) -> str:
    """What to call the files of a set together: the folder that they share, and how many.

    >>> name_of_set([Path("/exports/P101/flow.csv"), Path("/exports/P102/flow.csv")])
    'exports (2 files)'
    """
    folders = [path.absolute().parent.parts for path in paths]
    shared = [level[0] for level in zip(*folders, strict=False) if len(set(level)) == 1]
    return f"{Path(*shared).name or 'files'} ({len(paths)} files)"


def made_of(readings: int, tags: int, files: int) -> str:
    """What a table was joined from."""
    return f"joined from {readings} readings of {tags} tags in {files} files"


# The readings of all files


def pieces_of(parts: Sequence[TagReadings], roles: Roles) -> Iterator[Piece]:
    """Readings tag by tag; a label that several files carry along counts once for each moment."""
    for file, part in enumerate(parts):
        for tag, column in part.columns.items():
            beside = column in roles.beside
            if tag in roles.ignored or not (beside or tag in roles.tags):
                continue
            rows = np.arange(len(part.table))
            if beside:
                filled = ~missing_cells(part.table.stripped(column), part.table.dialect)
                rows = np.flatnonzero(filled.to_numpy(dtype=bool))
            yield Piece(file, part, tag, column, rows, beside)


def _stacked(
    pieces: list[Piece],
    parts: Sequence[TagReadings],
    shape: TagFiles,
    roles: Roles,
    name: str,
) -> RawTable:
    """All readings in long form, each with its file and line."""
    times = _Moments.of(pieces, shape.time)
    lengths = [len(piece.rows) for piece in pieces]
    tags = _repeated([piece.tag for piece in pieces], lengths)
    frame = pd.DataFrame({shape.time: times.texts, TAG_OF: tags})
    for key, cells in _keys(pieces, roles.keys).items():
        frame[key] = cells
    if shape.quality:
        frame[shape.quality] = _concat([quality_of(piece, shape) for piece in pieces])
    values = _Values.of(pieces)
    if values.typed is None:
        frame[READING] = values.texts
    table = RawTable(
        name,
        frame.astype("str"),
        _concat([piece.part.table.lines[piece.rows] for piece in pieces], int),
        _digest(parts),
        values.dialect,
        header=tuple(frame.columns) + (() if READING in frame else (READING,)),
        typed={} if values.typed is None else {READING: values.typed},
        reread=_Reread(frame, pieces),
        units={READING: units} if (units := _units(pieces)) is not None else {},
        sources=tuple((part.table.file, part.table.sha256) for part in parts),
        row_sources=np.repeat([piece.file for piece in pieces], lengths).astype(int),
        remarks=(*_remarks(parts), *unknown_tags(parts, roles)),
    )
    table._times[shape.time] = Times(pd.Series(times.seconds), times.style)
    return table


@dataclass(frozen=True)
class _Reread:
    """Readings as they stand in their files."""

    frame: pd.DataFrame
    pieces: list[Piece]

    def __call__(self, places: np.ndarray) -> pd.DataFrame:
        """Readings by their places."""
        ends = np.cumsum([len(piece.rows) for piece in self.pieces])
        which = np.searchsorted(ends, places, side="right")
        cells = np.full(len(places), "", dtype=object)
        for number in np.unique(which):
            piece = self.pieces[number]
            mine = which == number
            rows = piece.rows[places[mine] - (ends[number] - len(piece.rows))]
            cells[mine] = piece.part.table.cells(piece.column, rows).to_numpy(dtype=object)
        frame = self.frame.iloc[places].reset_index(drop=True)
        return frame.assign(**{READING: pd.Series(cells, dtype="str")})


def _concat(arrays: list[np.ndarray], kind: type = object) -> np.ndarray:
    """(n,) one below the other."""
    return np.concatenate([np.empty(0, dtype=kind), *arrays])


def _repeated(texts: list[str], lengths: list[int]) -> np.ndarray:
    return np.repeat(np.array(texts, dtype=object), lengths)


def _digest(parts: Sequence[TagReadings]) -> str:
    digests = "".join(part.table.sha256 for part in parts)
    return hashlib.sha256(digests.encode()).hexdigest()


def quality_of(piece: Piece, shape: TagFiles) -> np.ndarray:
    """(n,) quality of the readings; what has none is good."""
    if piece.beside or piece.part.quality is None:
        return np.full(len(piece.rows), shape.good[0], dtype=object)
    cells = piece.part.table.cells(piece.part.quality, piece.rows)
    return cells.to_numpy(dtype=object)


def _units(pieces: list[Piece]) -> pd.Series | None:
    """The unit that its file states for each reading; None where no file states one."""
    stated = [piece.part.table.stated_units(piece.column) for piece in pieces]
    if all(unit is None for unit in stated):
        return None
    columns = []
    for piece, unit in zip(pieces, stated, strict=True):
        if isinstance(unit, pd.Series):
            columns.append(unit.to_numpy(dtype=object)[piece.rows])
        else:
            columns.append(np.full(len(piece.rows), unit or "", dtype=object))
    return pd.Series(_concat(columns), dtype="str")


def _remarks(parts: Sequence[TagReadings]) -> Iterator[Remark]:
    for part in parts:
        for remark in part.table.remarks:
            yield dataclasses.replace(remark, file=part.table.file)


def unknown_tags(parts: Sequence[TagReadings], roles: Roles) -> Iterator[Remark]:
    """Files of tags that the contract does not name; their times make no rows."""
    known = {*roles.tags, *roles.ignored, *roles.beside}
    unknown = {tag: part for part in parts for tag in part.columns if tag not in known}
    if unknown:
        first = next(iter(unknown.values()))
        yield Remark(
            "COLUMN-UNKNOWN",
            f"{len(unknown)} tag(s) are not in the contract and are not used: "
            f"{', '.join(list(unknown)[:8])}",
            "Name them under `ignore` to silence this",
            next(iter(unknown)),
            len(unknown),
            1,
            first.table.file,
        )


# Machines and runs


def _keys(pieces: list[Piece], keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """By column, the (n,) names of machines or runs, where any file shows them."""
    found = {}
    for key in keys:
        columns = [names_shown(piece, key) for piece in pieces]
        known = [cells for cells in columns if cells is not None]
        if known:
            filled = [
                _only_name(piece, key, known) if cells is None else cells
                for piece, cells in zip(pieces, columns, strict=True)
            ]
            found[key] = _concat(filled)
    return found


def names_shown(piece: Piece, key: str) -> np.ndarray | None:
    """(n,) names of a key by the file's name or by a column; None where neither shows any."""
    if key in piece.part.names:
        return np.full(len(piece.rows), piece.part.names[key], dtype=object)
    if key not in piece.part.table.names:
        return None
    cells: np.ndarray = piece.part.table.stripped(key).iloc[piece.rows].to_numpy(dtype=object)
    return cells


def _only_name(piece: Piece, key: str, known: list[np.ndarray]) -> np.ndarray:
    """The one name that all other files have."""
    names = sorted({str(name) for cells in known for name in pd.unique(cells)})
    if len(names) != 1:
        raise DataError(
            f"Nothing shows which {key} the file is of",
            received={key: names[:8], "columns": piece.part.table.names},
            where=piece.part.table.file,
            code=CODE,
            line=1,
            remedy=f"Name the file like the others, or add a column {key!r}",
        )
    return np.full(len(piece.rows), names[0], dtype=object)


# Times


@dataclass(frozen=True)
class _Moments:
    """(n,) times of all readings: equal moments have equal texts."""

    texts: np.ndarray
    seconds: np.ndarray
    style: str

    @classmethod
    def of(cls, pieces: list[Piece], column: str) -> _Moments:
        """Times file by file; together, where one alone can be read in more than one way."""
        texts = _concat(
            [piece.part.table.stripped(column).to_numpy(object)[piece.rows] for piece in pieces]
        )
        if not pieces:
            return cls(texts, np.empty(0), A_NUMBER)
        read = _each_by_itself(pieces, column) or [_all_together(pieces, column, texts)]
        styles = list(dict.fromkeys(times.style for times in read))
        if len(styles) > 1 and A_NUMBER in styles:
            _refuse_mixed(pieces, column, styles)
        seconds = np.concatenate([times.seconds.to_numpy() for times in read])
        return cls(one_text_each(texts, seconds, number=A_NUMBER in styles), seconds, styles[0])


def _each_by_itself(pieces: list[Piece], column: str) -> list[Times] | None:
    read = []
    for piece in pieces:
        try:
            times = piece.part.table.times(column)
        except DataError:
            return None
        read.append(dataclasses.replace(times, seconds=times.seconds.iloc[piece.rows]))
    return read


def _all_together(pieces: list[Piece], column: str, texts: np.ndarray) -> Times:
    table = pieces[0].part.table
    frame = pd.DataFrame({column: texts}, dtype="str")
    lines = _concat([piece.part.table.lines[piece.rows] for piece in pieces], int)
    try:
        return RawTable(table.file, frame, lines, "", table.dialect).times(column)
    except DataError as error:
        error.where = table.file
        raise


def _refuse_mixed(pieces: list[Piece], column: str, styles: list[str]) -> None:
    odd = next(piece for piece in pieces if piece.part.table.times(column).style != styles[0])
    raise DataError(
        "The file has other times than the files before it",
        received={"times": ", ".join(styles)},
        where=odd.part.table.file,
        code=CODE,
        column=column,
        remedy="Export all tags with the same kind of times",
    )


def one_text_each(texts: np.ndarray, seconds: np.ndarray, *, number: bool) -> np.ndarray:
    """(n,) the first text of each moment; in ISO 8601 where one text stands for two moments."""
    code, moments = pd.factorize(seconds)
    known = code >= 0
    first = np.zeros(len(moments), dtype=int)
    first[code[known][::-1]] = np.flatnonzero(known)[::-1]
    shown = texts[first] if len(first) else texts[:0]
    if not number and len(set(shown)) < len(moments):
        utc = pd.to_datetime(np.asarray(moments), unit="s", utc=True)
        shown = np.array([moment.isoformat() for moment in utc], dtype=object)
    out = texts.copy()
    out[known] = shown[code[known]]
    return out


def _remember_times(table: RawTable, stacked: RawTable, column: str) -> None:
    """The moments are read already, each in the way of its own file."""
    times = stacked.times(column)
    known = dict(zip(stacked.frame[column].str.strip(), times.seconds, strict=True))
    seconds = table.frame[column].str.strip().map(known).astype("float64")
    table._times[column] = Times(seconds, times.style)


# Values


@dataclass(frozen=True)
class _Values:
    """(n,) readings of all files: as numbers where all files were read so, else as text."""

    typed: np.ndarray | None
    texts: np.ndarray
    dialect: Dialect

    @classmethod
    def of(cls, pieces: list[Piece]) -> _Values:
        """Readings; where files have different marks, numbers are written with a point."""
        tables = [piece.part.table for piece in pieces]
        dialects = [table.dialect for table in tables]
        marks = {(dialect.decimal, dialect.thousands) for dialect in dialects if dialect.decimal}
        mixed = len(marks) > 1
        decimal, thousands = next(iter(marks), (".", None)) if not mixed else (".", None)
        dialect = dataclasses.replace(dialects[0], decimal=decimal, thousands=thousands)
        if all(piece.column in piece.part.table.typed for piece in pieces):
            typed = [piece.part.table.typed[piece.column][piece.rows] for piece in pieces]
            return cls(_concat(typed, float), np.empty(0), dialect)
        texts = [_plain_numbers(piece) if mixed else piece.cells for piece in pieces]
        return cls(None, _concat(texts), dialect)


def _plain_numbers(piece: Piece) -> np.ndarray:
    """(n,) text in which numbers have a decimal point; what is no number stays as it is."""
    texts = piece.cells
    if piece.beside:
        return texts
    values = piece.part.table.numbers(piece.column).to_numpy()[piece.rows]
    known = np.isfinite(values)
    texts[known] = [repr(float(value)) for value in values[known]]
    return texts


# Two files of one tag


def _require_one_reading(stacked: RawTable, pieces: list[Piece], shape: TagFiles) -> None:
    """Refuse two files of one tag and machine that say different things of one period.

    Labels beside the readings may stand in several files, and have to agree where times are equal.
    """
    files = pd.Series([piece.file for piece in pieces])
    tags = pd.Series([piece.tag for piece in pieces])
    shared = set(tags[tags.map(files.groupby(tags).nunique()) > 1])
    if not shared:
        return
    read = _comparable(stacked, pieces, shape)
    read = read[read["tag"].isin(shared)]
    for (tag, *_), group in read.groupby(["tag", "key"], sort=False):
        beside = bool(group["beside"].any())
        _require_agreement(str(tag), group, stacked, beside=beside)


def _comparable(stacked: RawTable, pieces: list[Piece], shape: TagFiles) -> pd.DataFrame:
    """Readings with what has to agree."""
    lengths = [len(piece.rows) for piece in pieces]
    others = {shape.time, TAG_OF, READING, shape.quality}
    keys = [name for name in stacked.frame if name not in others]
    key = stacked.frame.groupby(keys, sort=False).ngroup() if keys else 0
    missing = stacked.missing(READING).to_numpy()
    frame = pd.DataFrame(
        {
            "tag": stacked.frame[TAG_OF],
            "key": key,
            "seconds": stacked.times(shape.time).seconds.to_numpy(),
            "value": stacked.cells(READING).str.strip().to_numpy(dtype=object),
            "number": _numbers_or_nan(stacked),
            "file": stacked.row_sources,
            "line": stacked.lines,
            "beside": np.repeat([piece.beside for piece in pieces], lengths),
        }
    )
    return frame[~missing & frame["seconds"].notna()]


def _numbers_or_nan(stacked: RawTable) -> np.ndarray:
    try:
        return stacked.numbers(READING).to_numpy()
    except DataError:
        return np.full(len(stacked), np.nan)


def _require_agreement(tag: str, group: pd.DataFrame, stacked: RawTable, *, beside: bool) -> None:
    """Compare each file with the ones before it, in the order of the command."""
    before: list[pd.DataFrame] = []
    for _, one in group.groupby("file", sort=True):
        for other in before:
            differs = _differing(other, one, beside=beside)
            if differs is not None:
                _refuse_conflict(tag, other, one.loc[[differs]], stacked)
        before.append(one)


def _differing(one: pd.DataFrame, other: pd.DataFrame, *, beside: bool) -> int | None:
    """The first reading of the other file that is not the one file's of that time."""
    low = max(one["seconds"].min(), other["seconds"].min())
    high = min(one["seconds"].max(), other["seconds"].max())
    both = other[other["seconds"].between(low, high)]
    known = one[one["seconds"].between(low, high)].drop_duplicates("seconds").set_index("seconds")
    there = known.reindex(both["seconds"])
    same_text = there["value"].to_numpy() == both["value"].to_numpy()
    same_number = there["number"].to_numpy() == both["number"].to_numpy()
    absent = there["value"].isna().to_numpy()
    agree = same_text | same_number | (absent & beside)
    if not agree.all():
        return int(both.index[np.flatnonzero(~agree)[0]])
    lacking = ~known.index.isin(both["seconds"])
    return int(other.index[0]) if lacking.any() and not beside else None


def _refuse_conflict(tag: str, one: pd.DataFrame, other: pd.DataFrame, stacked: RawTable) -> None:
    first = stacked.sources[int(one["file"].iloc[0])][0]
    reading = other.iloc[0]
    raise DataError(
        f"The file has readings of {tag!r} in the time of {first}, and they are not the same",
        received={"reading": reading["value"], "other file": first},
        where=stacked.sources[int(reading["file"])][0],
        code=_CONFLICT,
        column=tag,
        line=int(reading["line"]),
        remedy="Leave one of the two files out; if they are of two machines, let `file` or `name` "
        "under `tag_files` say where the machine stands in the name",
    )
