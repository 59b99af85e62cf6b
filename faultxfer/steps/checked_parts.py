"""A large file, checked part by part as long as each part shows what its rows are worth.

Each part goes through the check by itself, given some rows around its own, and what is said of the
whole file follows from what is said of the parts, which `faultxfer.steps.merged_parts` adds up.
Rows to be scored and rows set aside are written as they come. Where rows of a recording stand too
far apart for that, the rows of a file to be scored are dealt out by recording. As soon as a part
shows anything that can only be judged over all rows, the file is looked at as a whole, in memory
for all of it.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from faultxfer.contract.check import Check, begin_check
from faultxfer.contract.losses import lost_columns
from faultxfer.contract.machines import tags_of_columns, tags_of_sensors
from faultxfer.contract.schema import Contract
from faultxfer.contract.shapes import read_shaped
from faultxfer.digest import digest_of_file
from faultxfer.errors import DataError
from faultxfer.findings import Finding
from faultxfer.progress import progress
from faultxfer.reading import columns
from faultxfer.reading.by_recording import Recordings
from faultxfer.reading.by_time import Periods, Times, UnevenError
from faultxfer.reading.long_form import with_all_tags
from faultxfer.reading.parts import PARQUET, first_part, parts_of
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable
from faultxfer.steps.accepted import PART_ROWS, filled_rows
from faultxfer.steps.back_in_order import BackInOrder
from faultxfer.steps.key_count import Again
from faultxfer.steps.merged_parts import (
    OF_THE_FILE,
    Merged,
    NoReadingsError,
    PartSaid,
    RemarkSaid,
    said_by,
)
from faultxfer.steps.processors import in_order
from faultxfer.steps.sight import (
    NotByPartsError,
    RepeatedError,
    Seen,
    Sight,
    TooLittleSeenError,
    lines_in_sight,
    seen_in,
    span_of,
)
from faultxfer.temporary import no_room

if TYPE_CHECKING:
    from faultxfer.reading.parts import Part
    from faultxfer.steps.completing import Completing

UNSCORED = "unscored.arrow"
# Files from this size on are checked in parts of this size; of Parquet, rows of a part.
LARGE, _SIZE, _ROWS, _PACKED = 32_000_000, 4_000_000, 32_768, 4
# Where no model waits for the rows, one part of so many times that is checked after the other: in
# small ones, threads wait for the interpreter more than they gain.
_TIMES = 3
# How much farther parts see where rows of a recording stand far apart.
_FARTHER = 8
# Rows that are dealt out by recording lie in files of about so many parts, and of no more than so
# many; of what is packed, text is taken to be so many times as long.
_DEALT, _MOST_DEALT, _LONGER = 3, 16, 8
# What counts rows, of what a part shows of the file as a whole.
_OF_ALL_ROWS = "SENSOR-GONE"
# Encodings in which a line ends with the byte of a line feed.
_BYTES = frozenset({"utf-8", "utf-8-sig", "cp1252"})


@dataclass(frozen=True)
class Asked:
    """How a file is checked; see :func:`faultxfer.steps.intake.check_files`.

    Its rows are kept where it is to be scored, ``labelled`` being False, and there alone.
    """

    contract: Contract
    equipment: str | None
    completing: Completing | None
    without: frozenset[str]
    lacks: frozenset[str]
    labelled: bool | None = False

    @property
    def scoring(self) -> bool:
        """Whether the rows are to be scored."""
        return self.labelled is False


@dataclass(frozen=True)
class Accepted:
    """What came of a file.

    Attributes:
        rows: how many were read.
        accepted: how many of them are accepted.
        quarantined: how many of them are set aside.
        rejected: CSV of these; None where there are none.
        left_out: how many are of other machines.
        again: what of it may be there again in other files.
        unused: by reason, how many rows the contract leaves out on purpose.
        unscored: Arrow file of the rows outside `where`; None where there are none.
        imputed: of these, how many have readings that were missing and are filled in.
        completed: whether any reading was filled in.
        findings: of the file as a whole.
        table: a part of the rows as read, and how they are written.
        times: how times are written; None without them.
        sha256: of the file.
    """

    rows: int
    accepted: int
    imputed: int
    completed: bool
    findings: tuple[Finding, ...]
    table: RawTable
    times: str | None
    sha256: str
    quarantined: int = 0
    rejected: Path | None = None
    left_out: int = 0
    again: Again | None = None
    unused: Mapping[str, int] = field(default_factory=dict)
    unscored: Path | None = None

    @property
    def header(self) -> bytes:
        """First line of the rows set aside; empty where there are none."""
        if self.rejected is None:
            return b""
        with self.rejected.open("rb") as file:
            return file.readline()


@dataclass(frozen=True)
class _Checked:
    """A part that was checked.

    Attributes:
        accepted: its own rows, numbered within what it was given.
        read: its own rows, those of other machines too.
        asked: of them those of the machine asked for.
        skipped: rows that it was given before its own.
        findings: of the file as a whole.
        table: without its cells.
        times: how times are written.
        remarks: what was found while it was brought into its shape.
        seen: of each recording; None where it has no row of the machine asked for.
        said: what is added up; None as well.
        unscored: rows outside `where`, numbered like the accepted ones; None where there are none.
        unused: by reason, how many rows the contract leaves out.
    """

    accepted: pd.DataFrame
    read: int
    asked: int
    skipped: int
    findings: tuple[Finding, ...]
    table: RawTable
    times: str | None
    remarks: tuple[RemarkSaid, ...]
    seen: Seen | None
    said: PartSaid | None
    unscored: pd.DataFrame | None
    unused: dict[str, int]


def accepted_in_parts(
    path: Path, name: str, asked: Asked, out: Path, size: int | None = None
) -> Accepted | None:
    """Check a file part by part, and write its accepted rows where they are to be scored.

    Args:
        path: of the file.
        name: that findings call it by.
        asked: how it is checked.
        out: Arrow file of the accepted rows; files and a folder for parts are made beside it.
        size: of a part: bytes, or rows where the file is Parquet.

    Returns:
        What came of it; None where it has to be looked at as a whole.
    """
    sight = lines_in_sight(asked.contract)
    farther = _FARTHER * sight  # where recordings take turns
    # Rules of time look back at rows outside `where`, of which sight says nothing.
    for lines in () if asked.contract.where else (sight, farther):
        try:
            return _by_sight(path, name, asked, out, size, lines)
        except TooLittleSeenError:
            continue
        except RepeatedError:
            break
    return dealt_out(path, name, asked, out, size)


def dealt_out(
    path: Path, name: str, asked: Asked, out: Path, size: int | None = None
) -> Accepted | None:
    """As :func:`accepted_in_parts`, with parts that hold some recordings each, all of their rows.

    Only for rows to be scored: what is asked of those to learn from depends on their order.
    """
    keys = {asked.contract.equipment_column, asked.contract.run_column} - {None}
    if not asked.scoring or asked.contract.long or not keys:
        return None
    try:
        return _by_sight(path, name, asked, out, size, None)
    except (TooLittleSeenError, RepeatedError):
        return None


def _by_sight(
    path: Path, name: str, asked: Asked, out: Path, size: int | None, sight: int | None
) -> Accepted | None:
    """As :func:`accepted_in_parts`, with some lines in sight; with rows dealt out without them.

    Raises:
        TooLittleSeenError: these are too few.
        RepeatedError: something stands there again further away.
    """
    if not _is_simple(asked.contract):
        return None
    alone = asked.scoring
    while True:
        try:
            return _in_parts(path, name, asked, out, size, sight, alone=alone)
        except NoReadingsError:
            if not alone:
                return None
            alone = False  # what fills in a sensor that no row has says so in each part
        except (TooLittleSeenError, RepeatedError):
            raise
        except (
            NotByPartsError,
            UnevenError,
            DataError,
            OSError,
            pa.ArrowException,
            EOFError,
        ) as error:
            if no_room(error):
                raise
            # Whatever it is, reading it as a whole says it in full.
            return None


def _in_parts(
    path: Path,
    name: str,
    asked: Asked,
    out: Path,
    size: int | None,
    sight: int | None,
    *,
    alone: bool,
) -> Accepted | None:
    """As :func:`_by_sight`; ``alone``: no part says what is to be judged over all rows."""
    folder, kept = out.with_name("parts"), out.with_name("kept")
    # What an attempt before this one left is not of this one.
    shutil.rmtree(kept, ignore_errors=True)
    folder.mkdir()
    kept.mkdir()
    parquet = path.suffix.lower() == PARQUET
    least = _ROWS if parquet else _SIZE
    size = size or (least if asked.scoring else _TIMES * least)
    try:
        dealt = sight is None
        with ThreadPoolExecutor(1) as pool, _Whole(asked, out, kept, dealt_out=dealt) as whole:
            digest = pool.submit(digest_of_file, path)
            in_turn = in_order if asked.scoring and sight is not None else map
            head = 1 if parquet else _head(first_part(path, folder, min(size, least)), asked)
            tags: AllTags | None = None
            if sight is None:
                recordings = _by_recording(path, name, folder, head, asked, size)
                whole.row_of, parts = recordings.row_of, recordings.parts(_MOST_DEALT * size)
            elif asked.contract.long:
                tags, parts = by_time(path, name, folder, head, asked, size, sight)
            else:
                parts = parts_of(path, folder, head, sight, size)
            for part in in_turn(lambda part: _checked(part, name, asked, tags, alone=alone), parts):
                whole.add(part)
                del part  # the next one takes its memory
            return whole.ended(digest.result())
    finally:
        for part_file in folder.iterdir():
            part_file.unlink()
        folder.rmdir()


def are_large(paths: Sequence[Path]) -> bool:
    """Whether files are worth cutting; packed ones and Parquet hold several times their size."""
    return sum(_size_of(path) for path in paths) >= LARGE


def _size_of(path: Path) -> int:
    packed = path.suffix.lower() in (PARQUET, ".gz", ".zst")
    return path.stat().st_size * (_PACKED if packed else 1)


def _is_simple(contract: Contract) -> bool:
    """Whether each row of a file is one of the table."""
    return not contract.tag_files


def _head(first: Path, asked: Asked) -> int:
    """Lines above the first row."""
    contract = asked.contract
    keep = tags_of_columns(contract) | asked.lacks
    table = read_csv(first, contract.csv, tags_of_sensors(contract), keep)
    if not len(table) or table.dialect.encoding not in _BYTES or table.dialect.line_end == "\r":
        raise NotByPartsError
    return int(table.lines[0]) - 1


def by_time(
    path: Path, name: str, folder: Path, head: int, asked: Asked, size: int, sight: int
) -> tuple[AllTags, Iterator[Part]]:
    """A file in the long form as parts of one period each, and the tags that it has.

    Raises:
        NotByPartsError: its times cannot be read part by part.
        DataError: it cannot be read.
    """
    if path.suffix.lower() == PARQUET:
        raise NotByPartsError
    progress.info("Bringing the readings of %s into the order of time, in temporary files", name)
    times = Times(folder / "seconds", head)
    tags: dict[str, None] = {}
    styles = set()
    with times.path.open("wb") as file:
        parts = parts_of(path, folder, head, 0, size)
        for seconds, of_part, style in in_order(lambda part: _times_in(part, head, asked), parts):
            file.write(seconds.tobytes())
            tags |= dict.fromkeys(of_part)
            styles.add(style)
    if len(styles) != 1:
        raise NotByPartsError
    periods = Periods(path, folder, times, _TIMES * size)
    times.path.unlink()
    return AllTags(tuple(tags), periods.lines), periods.parts(sight)


def _times_in(part: Part, head: int, asked: Asked) -> tuple[np.ndarray, list[str], str]:
    """Time of each line of a part, its tags, and how times are written.

    Raises:
        NotByPartsError: a row is not one line.
        DataError: it cannot be read.
    """
    contract, long = asked.contract, asked.contract.long
    if long is None or contract.csv.time_parts:
        raise NotByPartsError
    try:
        keep = frozenset((long.time, long.tag))
        table = read_csv(part.path, contract.csv, tags_of_sensors(contract), keep)
    finally:
        part.path.unlink()
    as_they_stand = np.array_equal(table.lines, head + 1 + np.arange(len(table)))
    if not as_they_stand or not keep <= set(table.names):
        raise NotByPartsError
    times = table.times(long.time)
    tags = pd.factorize(table.stripped(long.tag))[1]
    return times.seconds.to_numpy(dtype=np.float64), list(map(str, tags)), times.style


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
    there = [name for name in keys if name in table.names]
    if not there or table.dialect.below:
        raise NotByPartsError
    names = table.stripped(there[0])
    for name in there[1:]:
        names = names + "\n" + table.stripped(name)
    return part, table.lines, names


@dataclass(frozen=True)
class AllTags:
    """What a file in the long form has: its tags in their order, and how many readings."""

    names: tuple[str, ...]
    readings: int


def _remarks(table: RawTable, part: Part) -> Iterator[RemarkSaid]:
    """What was found in its own lines while a part was brought into its shape.

    Raises:
        NotByPartsError: it is of the whole file.
    """
    for remark in table.remarks:
        if remark.lines is None:
            raise NotByPartsError
        begin, end = part.last_before, part.last_own
        own = remark.lines[(remark.lines > begin) & (remark.lines <= end)]
        before, _, after = remark.message.partition(str(remark.count))
        if len(own):
            first = int(part.placed(own).min())
            words = (before, after)
            yield RemarkSaid(remark.code, remark.column, remark.remedy, words, len(own), first)


def _checked(part: Part, name: str, asked: Asked, tags: AllTags | None, *, alone: bool) -> _Checked:
    """Check a part.

    Raises:
        NotByPartsError: something in it has to be judged over all rows.
        DataError: it cannot be read.
    """
    contract = asked.contract
    fills = asked.completing.fills if asked.completing else frozenset()
    try:
        table = dataclasses.replace(read_shaped(part.path, contract, asked.lacks), file=name)
    finally:
        part.path.unlink()
    begin, end = part.sides(table.lines)
    remarks = tuple(_remarks(table, part))
    of_cells = {column: part.placed(lines) for column, lines in table.cell_lines.items()}
    table = dataclasses.replace(
        table, lines=part.placed(table.lines), cell_lines=of_cells, remarks=()
    )
    if tags is not None:
        table = with_all_tags(table, tags.names, tags.readings)
    check = begin_check(
        table,
        contract,
        labelled=asked.labelled,
        equipment=asked.equipment,
        fills=fills,
        without=asked.without,
        lacks=asked.lacks,
        of_a_part=alone,
    )
    outcome = check.ended()
    if outcome.refused or table.dialect.below:
        raise NotByPartsError
    if outcome.unused and not (contract.where and check.mine.any()):
        raise NotByPartsError
    if any(isinstance(unit, pd.Series) for unit in table.units.values()):
        raise NotByPartsError  # some cells of the whole file decide whether they have units
    findings = (*outcome.findings, *lost_columns(outcome, contract))
    bare = dataclasses.replace(check.table, frame=table.frame.iloc[:0], typed={}, reread=None)
    accepted, seen, said = outcome.accepted, None, None
    if check.mine[begin:end].any():
        place = accepted[columns.ROW].to_numpy()
        side = (place >= end).astype(np.int8) - (place < begin)
        said = said_by(check, outcome, (begin, end))
        held = {name: of[place] for name, of in check.held.items()}
        seen = seen_in(accepted, side, contract, held, newest_first=said.newest_first)
        if held and check.seconds is not None:
            span = span_of(_recordings(check), check.seconds, (begin, end))
            seen = dataclasses.replace(seen, span=span)
        accepted = accepted[side == 0]
        if asked.completing and asked.completing.imputer:
            accepted = asked.completing.completed(accepted, asked.completing.imputer)
    times = None
    if contract.time_column in table.names and contract.time_column:
        times = outcome.table.times(contract.time_column).style
    return _Checked(
        accepted=accepted,
        read=end - begin,
        asked=int(check.asked[begin:end].sum()),
        skipped=begin,
        findings=tuple(found for found in findings if found.code in OF_THE_FILE),
        table=bare,
        times=times,
        remarks=remarks,
        seen=seen,
        said=said,
        unscored=outcome.unscored,
        unused=dict(outcome.unused),
    )


def _recordings(check: Check) -> pd.Series:
    """(n,) name of each row's recording."""
    names = pd.Series("", index=range(len(check.table)))
    for column in (check.contract.equipment_column, check.contract.run_column):
        key = check.key(column)
        if key is not None:
            names = names + "/" + key.reset_index(drop=True)
    return names


class _Whole:
    """What the parts say together, and the file of their rows.

    Args:
        asked: how they are checked.
        out: Arrow file of the accepted rows.
        kept: folder for all else that is kept of them.
        dealt_out: whether parts hold recordings, with rows from all over the file.

    Attributes:
        row_of: says of lines which rows of the file they are, where rows are dealt out.
    """

    def __init__(self, asked: Asked, out: Path, kept: Path, *, dealt_out: bool) -> None:
        self._asked, self._out = asked, out
        training = None if asked.scoring else bool(asked.labelled)
        self._merged = Merged(asked.contract, kept, training, asked.equipment, dealt_out)
        self._dealt = BackInOrder(kept, "accepted", columns.ROW) if dealt_out else None
        self._unscored = BackInOrder(kept, "unscored", columns.ROW)
        self._unused: Counter[str] = Counter()
        self.row_of: Callable[[np.ndarray], np.ndarray] | None = None
        self._sight = Sight(asked.contract)
        self._writer: pa.RecordBatchFileWriter | None = None
        self._schema: pa.Schema | None = None
        self._first: _Checked | None = None
        self._read = self._asked_for = self._accepted = self._imputed = 0
        self._completed = self._quoted = False

    def __enter__(self) -> _Whole:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._merged.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def add(self, part: _Checked) -> None:
        """Take the next part.

        Raises:
            NotByPartsError: it does not go on as the parts before began.
        """
        if self._first is None:
            nothing = pd.DataFrame()  # its rows are not kept in memory
            self._first = dataclasses.replace(
                part, accepted=nothing, unscored=None, seen=None, said=None
            )
        first = self._first
        self._quoted |= part.table.dialect.quoted
        if _style(part) != _style(first):
            raise NotByPartsError
        self._merged.remark(part.remarks)
        begun = self._read
        self._read += part.read
        self._asked_for += part.asked
        if part.seen is None or part.said is None:
            return
        self._sight.add(part.seen)
        rows = part.accepted
        rows = self._numbered(rows, begun - part.skipped)
        if part.unscored is not None and len(part.unscored):
            self._unscored.add(self._numbered(part.unscored, begun - part.skipped))
        self._unused.update(part.unused)
        self._accepted += len(rows)
        self._merged.add(part.said, rows)
        if not self._asked.scoring or not len(rows):
            return
        if columns.IMPUTED in rows:
            self._completed = True
            self._imputed += int(filled_rows(rows, self._asked.contract).sum())
        else:
            rows = rows.assign(**{columns.IMPUTED: ""})
        if self._dealt is not None:
            self._dealt.add(rows)
            return
        self._write(pa.Table.from_pandas(rows, schema=self._schema, preserve_index=False))

    def _numbered(self, rows: pd.DataFrame, before: int) -> pd.DataFrame:
        """Rows with their places in the file, of which so many are before those of the part."""
        place = rows[columns.ROW].to_numpy() + before
        if self.row_of is not None:
            place = self.row_of(rows[columns.LINE].to_numpy())
        return rows.assign(**{columns.ROW: place})

    def _write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._schema = table.schema
            self._writer = pa.ipc.new_file(str(self._out), table.schema)
        self._writer.write_table(table.combine_chunks(), max_chunksize=PART_ROWS)

    def ended(self, sha256: str) -> Accepted:
        """What came of the file.

        Raises:
            NotByPartsError: it has no accepted row, or is to be judged over all rows after all.
        """
        first = self._first
        if first is None or not self._accepted:
            raise NotByPartsError
        findings = tuple(
            dataclasses.replace(found, count=self._read) if found.code == _OF_ALL_ROWS else found
            for found in first.findings
        )
        merged = self._merged
        findings = merged.findings(findings, first.table)
        if self._dealt is not None:
            for rows in self._dealt.parts(PART_ROWS):
                self._write(rows)
        self._close()
        dialect = dataclasses.replace(first.table.dialect, quoted=self._quoted)
        return Accepted(
            rows=self._read,
            accepted=self._accepted,
            imputed=self._imputed,
            completed=self._completed,
            findings=findings,
            table=dataclasses.replace(first.table, dialect=dialect),
            times=first.times,
            sha256=sha256,
            quarantined=merged.quarantined,
            rejected=merged.rejected if merged.quarantined else None,
            left_out=self._read - self._asked_for,
            again=merged.again,
            unused=dict(self._unused),
            unscored=self._unscored.written(self._out.with_name(UNSCORED), PART_ROWS),
        )


def _style(part: _Checked) -> object:
    """What all parts of one file share."""
    dialect = dataclasses.replace(part.table.dialect, quoted=False)
    found = [dataclasses.replace(one, count=0) for one in part.findings]
    return dialect, tuple(part.table.names), dict(part.table.tags), part.times, found
