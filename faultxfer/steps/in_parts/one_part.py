"""The check of one part of a file: the ordinary check, and what it says of the part's own rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from faultxfer.contract.check import Check, begin_check
from faultxfer.contract.losses import lost_columns
from faultxfer.contract.outcome import Checked
from faultxfer.contract.shapes import read_shaped
from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.reading.by_recording import names_of_recordings
from faultxfer.reading.long_form import with_all_tags
from faultxfer.reading.parts import Part
from faultxfer.reading.table import RawTable
from faultxfer.steps.in_parts.asked import Asked
from faultxfer.steps.in_parts.cutting import AllTags
from faultxfer.steps.in_parts.key_count import are_among
from faultxfer.steps.in_parts.order import OF_THE_FILE
from faultxfer.steps.in_parts.said import PartSaid, RemarkSaid, said_by
from faultxfer.steps.in_parts.sight import (
    NotByPartsError,
    Seen,
    clock_seen_in,
    seen_in,
    span_of,
)
from faultxfer.steps.in_parts.tag_files import SomeReadings, TagSet


@dataclass(frozen=True)
class CheckedPart:
    """A part that was checked.

    Attributes:
        accepted: its own rows, numbered within what it was given.
        read: its own rows, those of other machines too.
        asked: of them those of the machine asked for.
        machines: names of all machines, where one is asked for.
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
    machines: set[str]
    skipped: int
    findings: tuple[Finding, ...]
    table: RawTable
    times: str | None
    remarks: tuple[RemarkSaid, ...]
    seen: Seen | None
    said: PartSaid | None
    unscored: pd.DataFrame | None
    unused: dict[str, int]


def checked_part(
    part: Part,
    name: str,
    asked: Asked,
    tags: AllTags | TagSet | None,
    copies: np.ndarray | None,
    *,
    alone: bool,
) -> CheckedPart:
    """Check a part, whose file is removed.

    Args:
        part: the part.
        name: that findings call the file by.
        asked: how it is checked.
        tags: of the whole file in the long form, or of files of one tag each; None elsewhere.
        copies: ascending lines of rows that repeat an earlier one; None where parts show that.
        alone: whether nothing is asked that only all rows show.

    Raises:
        NotByPartsError: something in it has to be judged over all rows.
        DataError: it cannot be read.
    """
    table, own, remarks = read_part(part, name, asked, tags)
    check = begin_check(
        table,
        asked.contract,
        labelled=asked.labelled,
        equipment=asked.equipment,
        fills=asked.completing.fills if asked.completing else frozenset(),
        without=asked.without,
        lacks=asked.lacks,
        of_a_part=alone,
        copies=None if copies is None else are_among(table.lines, copies),
    )
    outcome = check.ended()
    _require_parts(check, outcome)
    accepted, seen, said = outcome.accepted, None, None
    if (check.mine | check.outside)[slice(*own)].any():
        accepted, seen, said = _own_rows(check, outcome, own, asked)
    findings = (*outcome.findings, *lost_columns(outcome, asked.contract))
    return CheckedPart(
        accepted=accepted,
        read=own[1] - own[0],
        asked=int(check.asked[slice(*own)].sum()),
        machines=_machines(check),
        skipped=own[0],
        findings=tuple(found for found in findings if found.code in OF_THE_FILE),
        table=dataclasses.replace(check.table, frame=table.frame.iloc[:0], typed={}, reread=None),
        times=_style_of_times(outcome.table, asked.contract.time_column),
        remarks=remarks,
        seen=seen,
        said=said,
        unscored=_between(outcome.unscored, own),
        unused={why: int(check.outside[slice(*own)].sum()) for why in outcome.unused},
    )


def read_part(
    part: Part, name: str, asked: Asked, tags: AllTags | TagSet | None
) -> tuple[RawTable, tuple[int, int], tuple[RemarkSaid, ...]]:
    """A part as read, its lines being those of the whole file, and what was found on the way.

    Beside it stand the places of its first own row, and behind its last one.

    Raises:
        NotByPartsError: something was found that is of the whole file.
        DataError: it cannot be read.
    """
    if isinstance(tags, TagSet):
        return _read_readings(part, tags)
    try:
        table = read_shaped(part.path, asked.contract, asked.lacks)
    finally:
        part.path.unlink()
    if asked.text is not None:
        table = asked.text.told(table)
    own = part.sides(table.lines)
    remarks = tuple(_remarks(table, part))
    table = dataclasses.replace(
        table,
        file=name,
        lines=part.placed(table.lines),
        cell_lines={column: part.placed(lines) for column, lines in table.cell_lines.items()},
        remarks=(),
    )
    return table if tags is None else with_all_tags(table, tags.names, tags.readings), own, remarks


def _read_readings(
    part: Part, tags: TagSet
) -> tuple[RawTable, tuple[int, int], tuple[RemarkSaid, ...]]:
    """As :func:`read_part`, of files of one tag each."""
    try:
        readings = tags.read(part.path)
    finally:
        part.path.unlink()
    table = readings.table()
    remarks = tuple(_remarks(table, part, readings))
    return readings.placed(table), part.sides(table.lines), remarks


def _require_parts(check: Check, outcome: Checked) -> None:
    """Nothing in a part is of the whole file.

    Raises:
        NotByPartsError: something is.
    """
    if outcome.refused or outcome.table.dialect.below:
        raise NotByPartsError
    if outcome.unused and not check.contract.where:
        raise NotByPartsError
    if any(isinstance(unit, pd.Series) for unit in check.table.units.values()):
        raise NotByPartsError  # some cells of the whole file decide whether they have units


def _own_rows(
    check: Check, outcome: Checked, own: tuple[int, int], asked: Asked
) -> tuple[pd.DataFrame, Seen, PartSaid]:
    """The accepted rows of its own, what it saw around them, and what it says of them."""
    begin, end = own
    accepted, contract = outcome.accepted, check.contract
    place = accepted[columns.ROW].to_numpy()
    side = (place >= end).astype(np.int8) - (place < begin)
    said = said_by(check, outcome, own)
    held = {name: of[place] for name, of in check.held.items()}
    seen = seen_in(accepted, side, contract, held, newest_first=said.newest_first)
    if held and check.seconds is not None:
        seen = dataclasses.replace(seen, span=span_of(_recordings(check), check.seconds, own))
    if check.contract.where:
        seen = dataclasses.replace(seen, clock=_clock_seen(check, own))
    accepted = accepted[side == 0]
    if asked.completing and asked.completing.imputer:
        accepted = asked.completing.completed(accepted, asked.completing.imputer)
    return accepted, seen, said


def _clock_seen(check: Check, own: tuple[int, int]) -> Seen | None:
    """What it has of all rows that rules of the clock look at."""
    if check.seconds is None:
        return None
    place = np.flatnonzero(check.asked & ~np.isnan(check.seconds) & ~check.notes.aside())
    side = (place >= own[1]).astype(np.int8) - (place < own[0])
    return clock_seen_in(_recordings(check).iloc[place], side)


def _between(rows: pd.DataFrame | None, own: tuple[int, int]) -> pd.DataFrame | None:
    """Those of some rows that are its own."""
    if rows is None:
        return None
    place = rows[columns.ROW].to_numpy()
    return rows[(place >= own[0]) & (place < own[1])]


def _machines(check: Check) -> set[str]:
    """Names of the machines, where one is asked for."""
    names = check.key(check.contract.equipment_column)
    return set() if names is None or check.equipment is None else set(map(str, names.unique()))


def _style_of_times(table: RawTable, column: str | None) -> str | None:
    """How times are written; None without them."""
    return table.times(column).style if column and column in table.names else None


def _remarks(
    table: RawTable, part: Part, readings: SomeReadings | None = None
) -> Iterator[RemarkSaid]:
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
            place = int(part.placed(own).min())
            file, line = (None, place) if readings is None else readings.first_of(own)
            words = (before, after)
            yield RemarkSaid(
                remark.code, remark.column, remark.remedy, words, len(own), place, line, file
            )


def _recordings(check: Check) -> pd.Series:
    """(n,) name of each row's recording."""
    keys = map(check.key, (check.contract.equipment_column, check.contract.run_column))
    none = pd.Series("", index=range(len(check.table)))
    return names_of_recordings([none, *(key for key in keys if key is not None)])
