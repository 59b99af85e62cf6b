"""How a large file is cut: into stretches of lines, periods of time, or recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from faultxfer.contract.machines import tags_of_columns, tags_of_sensors
from faultxfer.digest import digest_of_file
from faultxfer.progress import progress
from faultxfer.reading.by_recording import Recordings, names_of_recordings
from faultxfer.reading.by_time import Periods, Times
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.join_tags import name_of_set
from faultxfer.reading.parts import PARQUET, Part, first_part, parts_of
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable
from faultxfer.reading.transcoded import CUT_AS_THEY_ARE, Transcoded, transcoded
from faultxfer.steps.in_parts.asked import Asked
from faultxfer.steps.in_parts.cuts import cuts_amid, modes_in
from faultxfer.steps.in_parts.day_order import day_first, may_be_unclear
from faultxfer.steps.in_parts.sight import NotByPartsError
from faultxfer.steps.in_parts.tag_files import Gathered, TagFile, TagSet, readings_of_part
from faultxfer.steps.processors import in_order

# A period of the long form is so many parts long.
_TIMES = 3
# A period of files of one tag each has so many moments at least.
_MOMENTS = 2_048
# Rows that are dealt out by recording lie in files of about so many parts, and of no more than so
# many; of what is packed, text is taken to be so many times as long.
_DEALT, _MOST_DEALT, _LONGER = 3, 16, 8


@dataclass(frozen=True)
class AllTags:
    """What a file in the long form has: its tags in their order, and how many readings."""

    names: tuple[str, ...]
    readings: int


@dataclass(frozen=True)
class Cut:
    """A file that is cut.

    Attributes:
        parts: one after the other, each made as it is taken.
        tags: of the long form, or of files of one tag each; None elsewhere.
        row_of: says of lines which rows of the file they are, where rows are dealt out by
            recording; None elsewhere.
    """

    parts: Iterator[Part]
    tags: AllTags | TagSet | None = None
    row_of: Callable[[np.ndarray], np.ndarray] | None = None


def cut(
    path: Path, name: str, folder: Path, asked: Asked, size: int, sight: int | None, least: int
) -> Cut:
    """Cut a file.

    Args:
        path: of the file.
        name: that people know it by.
        folder: for the parts.
        asked: how it is checked.
        size: of a part: bytes, or rows where the file is Parquet.
        sight: lines before and after its own that each part has; None deals the rows out by
            recording.
        least: bytes of its beginning that show its form.

    Raises:
        NotByPartsError: its form is none that can be cut.
        UnevenError: a row is not one line, or a recording is too long.
        DataError: it cannot be read.
    """
    head = _lines_above(path, folder, asked, size, least)
    if sight is None:
        recordings = _by_recording(path, name, folder, head, asked, size)
        return Cut(recordings.parts(_MOST_DEALT * size), row_of=recordings.row_of)
    if asked.contract.long:
        tags, parts = _by_time(path, name, folder, head, asked, size, sight)
        return Cut(parts, tags)
    return Cut(parts_of(path, folder, head, sight, size))


def with_days_known(path: Path, folder: Path, asked: Asked, size: int, least: int) -> Asked:
    """The same as asked, where all rows of a file show whether its dates begin with the day.

    Args:
        path: of the file.
        folder: for its parts.
        asked: how it is checked.
        size: as of :func:`cut`.
        least: likewise.

    Raises:
        NotByPartsError: its form is none that can be cut.
        DataError: it cannot be read.
    """
    contract, column = asked.contract, asked.contract.time_column
    if column is None or not may_be_unclear(path, folder, contract.csv, column):
        return asked
    parts = parts_of(path, folder, _lines_above(path, folder, asked, size, least), 0, size)
    return asked.with_days(day_first(((part, contract.csv) for part in parts), column))


def _lines_above(path: Path, folder: Path, asked: Asked, size: int, least: int) -> int:
    """Lines above the first row of a file; the names of the columns of Parquet are one."""
    if path.suffix.lower() == PARQUET:
        return 1
    return _head(first_part(path, folder, min(size, least)), asked)


def cut_tag_files(
    paths: Sequence[Path],
    names: Sequence[str],
    folder: Path,
    asked: Asked,
    size_of: Callable[[Path], int],
    readings: int,
    sight: int,
) -> tuple[TagSet, Iterator[Part]]:
    """Cut files of one tag each, together, into periods of time.

    Args:
        paths: of the files.
        names: that people know them by.
        folder: for the parts.
        asked: how they are checked.
        size_of: says of a file in what parts it is read: bytes, or rows where it is Parquet.
        readings: of a period, about.
        sight: moments before and after its own that each part has.

    Raises:
        NotByPartsError: what a file holds is not to be seen from its parts.
        UnevenError: a period is too long.
        DataError: one cannot be read, or is none of the set.
    """
    contract = asked.contract
    shape = contract.tag_files
    if shape is None or contract.csv.repeated_hour:
        raise NotByPartsError  # one time would stand for two moments
    progress.info(
        "Bringing the readings of %s into the order of time, in temporary files",
        name_of_set(paths),
    )
    if may_be_unclear(paths[0], folder, contract.csv, shape.time):
        cuts = _parts_of_tag_files(paths, names, folder, asked, size_of)
        unread = ((part, file.text.options) for part, file in cuts)
        asked = asked.with_days(day_first(unread, shape.time))
        contract = asked.contract
    gathered = Gathered(contract, paths, names, folder)
    cuts = _parts_of_tag_files(paths, names, folder, asked, size_of)
    for part in in_order(lambda one: readings_of_part(*one, contract, shape), cuts):
        gathered.add(part)
    tags = gathered.ended([digest_of_file(path) for path in paths])
    times = Times(gathered.seconds, 1, cuts_amid(gathered.modes))
    size = max(_TIMES * readings, _MOMENTS * len(tags.tags))
    periods = Periods(gathered.batches, folder, times, size)
    times.path.unlink()
    return tags, periods.parts(sight)


def _parts_of_tag_files(
    paths: Sequence[Path],
    names: Sequence[str],
    folder: Path,
    asked: Asked,
    size_of: Callable[[Path], int],
) -> Iterator[tuple[Part, TagFile]]:
    """The parts of each file, and which one it is."""
    for number, (path, name) in enumerate(zip(paths, names, strict=True)):
        own = folder / f"file-{number}"
        own.mkdir(exist_ok=True)
        size = size_of(path)
        text = in_utf8(path, name, asked.contract.csv, own / "text")
        suffix = text.path.suffix.lower()
        head = 1 if suffix == PARQUET else 0
        if suffix in (".gz", ".zst") or (not head and text.path.stat().st_size > size):
            head = _head_of_tag_file(first_part(text.path, own, size), text)
        file = TagFile(number, path, name, text, head)
        for part in parts_of(text.path, own, head, 0, size):
            yield part, file
        if text.path != path:
            text.path.unlink()


def in_utf8(path: Path, name: str, options: Csv, out: Path) -> Transcoded:
    """The file in UTF-8, as :func:`transcoded`, which people are told of."""
    text = transcoded(path, options, out)
    if text.encoding:
        progress.info("%s is in %s: written as UTF-8 to a temporary file", name, text.encoding)
    return text


def _head_of_tag_file(first: Path, text: Transcoded) -> int:
    """Lines above the first row of a file that is cut."""
    try:
        return _head_in(read_csv(first, text.options))
    finally:
        first.unlink()


def _head(first: Path, asked: Asked) -> int:
    """Lines above the first row."""
    contract = asked.contract
    keep = tags_of_columns(contract) | asked.lacks
    return _head_in(read_csv(first, contract.csv, tags_of_sensors(contract), keep))


def _head_in(table: RawTable) -> int:
    """Lines above the first row of a file by its first part."""
    if (
        not len(table)
        or table.dialect.encoding not in CUT_AS_THEY_ARE
        or table.dialect.line_end == "\r"
    ):
        raise NotByPartsError
    return int(table.lines[0]) - 1


def _by_time(
    path: Path, name: str, folder: Path, head: int, asked: Asked, size: int, sight: int
) -> tuple[AllTags, Iterator[Part]]:
    """A file in the long form as parts of one period each, and the tags that it has.

    Raises:
        NotByPartsError: its times cannot be read part by part.
        DataError: it cannot be read.
    """
    progress.info("Bringing the readings of %s into the order of time, in temporary files", name)
    tags: dict[str, None] = {}
    styles, modes = set(), []
    written = folder / "seconds"
    with written.open("wb") as file:
        parts = parts_of(path, folder, head, 0, size)
        for found in in_order(lambda part: _times_in(part, head, asked), parts):
            file.write(found.seconds.tobytes())
            tags |= dict.fromkeys(found.tags)
            styles.add(found.style)
            modes.append(found.modes)
    if len(styles) != 1:
        raise NotByPartsError
    times = Times(written, head, cuts_amid(modes))
    periods = Periods(path, folder, times, _TIMES * size)
    times.path.unlink()
    return AllTags(tuple(tags), periods.lines), periods.parts(sight)


class _TimesOfPart(NamedTuple):
    """Time of each line of a part, its tags, how times are written, and when it is inside."""

    seconds: np.ndarray
    tags: list[str]
    style: str
    modes: np.ndarray


def _times_in(part: Part, head: int, asked: Asked) -> _TimesOfPart:
    """The times of a part, whose file is removed.

    Raises:
        NotByPartsError: a row is not one line.
        DataError: it cannot be read.
    """
    contract, long = asked.contract, asked.contract.long
    if long is None or contract.csv.time_parts:
        raise NotByPartsError
    try:
        keep = frozenset((long.time, long.tag))
        also = {long.value} if contract.where else set()
        table = read_csv(part.path, contract.csv, tags_of_sensors(contract), keep | also)
    finally:
        part.path.unlink()
    as_they_stand = np.array_equal(table.lines, head + 1 + np.arange(len(table)))
    if not as_they_stand or not keep <= set(table.names):
        raise NotByPartsError
    times = table.times(long.time)
    seconds, tags = times.seconds.to_numpy(dtype=np.float64), table.stripped(long.tag)
    modes = modes_in(tags, seconds, lambda places: table.cells(long.value, places), contract)
    return _TimesOfPart(seconds, list(map(str, tags.unique())), times.style, modes)


def _by_recording(
    path: Path, name: str, folder: Path, head: int, asked: Asked, size: int
) -> Recordings:
    """A file whose rows are dealt out by recording.

    Raises:
        NotByPartsError: no column says which recording a row is of.
        UnevenError: a row is not one line.
        DataError: it cannot be read.
    """
    progress.info("Dealing the rows of %s out by recording, into temporary files", name)
    suffix = path.suffix.lower()
    if suffix == PARQUET:
        amount = pq.ParquetFile(path).metadata.num_rows
    else:
        amount = path.stat().st_size * (_LONGER if suffix in (".gz", ".zst") else 1)
    recordings = Recordings(folder, suffix, head, -(-amount // (_DEALT * size)))
    parts = parts_of(path, folder, head, 0, size)
    try:
        for part, lines, names in in_order(lambda part: _recordings_in(part, asked), parts):
            recordings.deal(part, lines, names)
    finally:
        recordings.close()
    return recordings


def _recordings_in(part: Part, asked: Asked) -> tuple[Part, np.ndarray, pd.Series]:
    """A part, the lines of it that are rows, and the recording of each.

    Raises:
        NotByPartsError: no column says which one that is.
        DataError: it cannot be read.
    """
    contract = asked.contract
    keys = [name for name in (contract.equipment_column, contract.run_column) if name]
    table = read_csv(part.path, contract.csv, tags_of_sensors(contract), frozenset(keys))
    there = [table.stripped(name) for name in keys if name in table.names]
    if not there or table.dialect.below:
        raise NotByPartsError
    return part, table.lines, names_of_recordings(there)
