"""The check of a large file in parts: how it is cut, and when it is looked at as a whole.

Each part goes through the check by itself, given some rows around its own, and what is said of the
whole file follows from what is said of the parts. Rows to be scored and rows set aside are written
as they come. Where rows of a recording stand too far apart for that, the rows of a file to be
scored are dealt out by recording. As soon as a part shows anything that can only be judged over all
rows, the file is looked at as a whole, in memory for all of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from faultxfer.digest import digest_of_file
from faultxfer.errors import DataError
from faultxfer.progress import progress
from faultxfer.reading.by_time import UnevenError
from faultxfer.reading.parts import PARQUET, Part
from faultxfer.steps.in_parts.asked import Accepted, Asked
from faultxfer.steps.in_parts.cell_counts import NoReadingsError
from faultxfer.steps.in_parts.cutting import Cut, cut, cut_tag_files, in_utf8, with_days_known
from faultxfer.steps.in_parts.one_part import CheckedPart, checked_part
from faultxfer.steps.in_parts.sight import (
    NotByPartsError,
    RepeatedError,
    TooLittleSeenError,
    lines_in_sight,
)
from faultxfer.steps.in_parts.together import Together
from faultxfer.steps.processors import in_order
from faultxfer.temporary import no_room

# Files from this size on are checked in parts of this size; of Parquet, rows of a part.
LARGE, _SIZE, _ROWS, _PACKED = 32_000_000, 4_000_000, 32_768, 4
# Where no model waits for the rows, one part of so many times that is checked after the other: in
# small ones, threads wait for the interpreter more than they gain.
_TIMES = 3
# How much farther parts see where rows of a recording stand far apart.
_FARTHER = 8


def are_large(paths: Sequence[Path]) -> bool:
    """Whether files are worth cutting; packed ones and Parquet hold several times their size."""
    return sum(_size_of(path) for path in paths) >= LARGE


def _size_of(path: Path) -> int:
    packed = path.suffix.lower() in (PARQUET, ".gz", ".zst")
    return path.stat().st_size * (_PACKED if packed else 1)


@dataclass(frozen=True)
class _Large:
    """What is to be checked: a file, or files of one tag each.

    Attributes:
        paths, names: of the files.
        asked: how they are checked.
        out: Arrow file of the accepted rows.
        size: of a part: bytes, or rows where the file is Parquet.
    """

    paths: Sequence[Path]
    names: Sequence[str]
    asked: Asked
    out: Path
    size: int | None = None


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
    try:
        return _by_sight(_Large((path,), (name,), asked, out, size))
    except (TooLittleSeenError, RepeatedError):
        return dealt_out(path, name, asked, out, size)


def tag_files_in_parts(
    paths: Sequence[Path], names: Sequence[str], asked: Asked, out: Path
) -> Accepted | None:
    """As :func:`accepted_in_parts`, of files of one tag each, which are one table."""
    try:
        return _by_sight(_Large(paths, names, asked, out))
    except (TooLittleSeenError, RepeatedError):
        return None


def dealt_out(
    path: Path, name: str, asked: Asked, out: Path, size: int | None = None
) -> Accepted | None:
    """As :func:`accepted_in_parts`, with parts that hold all rows of some recordings each."""
    keys = {asked.contract.equipment_column, asked.contract.run_column} - {None}
    if asked.contract.long or not keys:
        return None
    try:
        return _with_copies(_Large((path,), (name,), asked, out, size), None)
    except (TooLittleSeenError, RepeatedError):
        return None


def _by_sight(large: _Large) -> Accepted | None:
    """The check in parts with rows around their own, more where recordings take turns.

    Raises:
        TooLittleSeenError: parts saw too few rows.
        RepeatedError: moments stand there again further away than they saw.
    """
    sight = lines_in_sight(large.asked.contract)
    try:
        return _with_copies(large, sight)
    except TooLittleSeenError:
        return _with_copies(large, _FARTHER * sight)


def _with_copies(large: _Large, sight: int | None) -> Accepted | None:
    """The check in parts, and once more with the copies where a part did not see them all.

    Raises:
        TooLittleSeenError: parts saw too few rows.
        RepeatedError: moments stand there again further away than they saw.
    """
    try:
        return _tried(large, sight)
    except RepeatedError as error:
        contract = large.asked.contract
        # Rows that are made of readings stand in another order than the lines of these.
        if error.copies is None or contract.long or contract.tag_files:
            raise
        progress.info("Rows of %s are copies of others: looking at it once more", large.names[0])
        return _tried(large, sight, error.copies)


def _tried(large: _Large, sight: int | None, copies: np.ndarray | None = None) -> Accepted | None:
    """The check in parts, with some lines in sight; with rows dealt out without them.

    ``copies`` are lines of rows that repeat an earlier one, where that is known.

    Raises:
        TooLittleSeenError: these are too few.
        RepeatedError: something stands there again further away.
    """
    alone = True
    while True:
        try:
            return _in_parts(large, sight, copies, alone=alone)
        except NoReadingsError:
            if not alone or not large.asked.scoring:
                return None
            alone = False  # what fills in a sensor that no row has says so in each part
        except (TooLittleSeenError, RepeatedError):
            raise
        except (
            NotByPartsError,
            UnevenError,
            DataError,
            OSError,
            UnicodeError,
            pa.ArrowException,
            EOFError,
        ) as error:
            if no_room(error):
                raise
            # Whatever it is, reading it as a whole says it in full.
            return None


def part_size(path: Path) -> int:
    """Bytes of a part of a file; rows where it is Parquet."""
    return _ROWS if path.suffix.lower() == PARQUET else _SIZE


def _in_parts(
    large: _Large, sight: int | None, copies: np.ndarray | None, *, alone: bool
) -> Accepted | None:
    """As :func:`_tried`; ``alone``: no part says what is to be judged over all rows."""
    asked, out = large.asked, large.out
    folder, kept = out.with_name("parts"), out.with_name("kept")
    # What an attempt before this one left is not of this one.
    shutil.rmtree(kept, ignore_errors=True)
    folder.mkdir()
    kept.mkdir()
    in_turn = in_order if asked.scoring and sight is not None else map
    try:
        with (
            ThreadPoolExecutor(1) as pool,
            Together(asked, out, kept, dealt_out=sight is None) as together,
        ):
            ready = _ready(large, folder, sight, pool)
            together.row_of = ready.cut.row_of

            def checked(part: Part) -> CheckedPart:
                tags = ready.cut.tags
                return checked_part(part, ready.name, ready.asked, tags, copies, alone=alone)

            for part in in_turn(checked, ready.cut.parts):
                together.add(part)
                del part  # the next one takes its memory
            return together.ended(ready.sha256())
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class _Ready:
    """What is cut, what to call it, how it is checked as it is read, and its digest."""

    cut: Cut
    name: str
    asked: Asked
    sha256: Callable[[], str]


def _ready(large: _Large, folder: Path, sight: int | None, pool: ThreadPoolExecutor) -> _Ready:
    """A file, or files of one tag each, cut into parts in a folder."""
    asked = large.asked
    if asked.contract.tag_files:
        if sight is None:
            raise NotByPartsError
        tags, parts = cut_tag_files(
            large.paths, large.names, folder, asked, part_size, large.size or _ROWS, sight
        )
        return _Ready(Cut(parts, tags), tags.name, asked, lambda: tags.sha256)
    (path,), (name,) = large.paths, large.names
    digest = pool.submit(digest_of_file, path)
    least = part_size(path)
    size = large.size or (least if asked.scoring or sight is None else _TIMES * least)
    text = in_utf8(path, name, asked.contract.csv, folder / "text")
    asked = with_days_known(text.path, folder, asked.of(text), size, least)
    found = cut(text.path, name, folder, asked, size, sight, least)
    return _Ready(found, name, asked, digest.result)
