"""A large file, checked part by part as long as nothing in it is out of order.

Most files are: the rows stand in the order of time. Then each part is checked by itself, given a
few rows of the part before to look back at, and what is said of the whole file follows from what
is said of the parts. Of a file to be scored no row may be set aside; of one that is only checked
what the parts say is added up. As soon as a part shows anything that can only be judged over all
rows, the file is looked at as a whole, which takes memory for all of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.check import begin_check
from faultxfer.contract.losses import with_losses
from faultxfer.contract.schema import Contract
from faultxfer.contract.shapes import read_shaped
from faultxfer.errors import DataError
from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.reading.parts import PARQUET, first_part, parts_of
from faultxfer.reading.table import RawTable
from faultxfer.steps.accepted import filled_rows
from faultxfer.steps.merged_parts import OF_THE_FILE, Merged, NotByPartsError, PartSaid, said_by
from faultxfer.steps.processors import in_order

if TYPE_CHECKING:
    from faultxfer.reading.parts import Part
    from faultxfer.steps.completing import Completing

# Files from this size on are checked in parts of this size; of Parquet, rows of a part.
LARGE, _SIZE, _ROWS, _PACKED = 32_000_000, 4_000_000, 32_768, 4
# Where no model waits for the rows, one part of so many times that is checked after the other: in
# small ones, threads wait for the interpreter more than they gain.
_TIMES = 3
# Lines of the part before; of a recording at least as many as the rules look back.
_LOOK_BACK, _LEAST = 512, 30
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


@dataclass(frozen=True)
class _Checked:
    """A part that is in order.

    Attributes:
        accepted: rows, those of the part before among them.
        new: (n,) bool: which are not.
        read: rows that are new, those of other machines too.
        skipped: rows of the part before.
        findings: of the file as a whole.
        table: without its cells.
        times: how times are written.
        said: what is added up; None where the rows are to be scored.
    """

    accepted: pd.DataFrame
    new: np.ndarray
    read: int
    skipped: int
    findings: tuple[Finding, ...]
    table: RawTable
    times: str | None
    said: PartSaid | None


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
    if not _is_simple(asked.contract):
        return None
    folder = out.with_name("parts")
    folder.mkdir()
    parquet = path.suffix.lower() == PARQUET
    least = _ROWS if parquet else _SIZE
    size = size or (least if asked.scoring else _TIMES * least)
    try:
        with ThreadPoolExecutor(1) as pool:
            digest = pool.submit(_digest, path)
            head = 1 if parquet else _head(first_part(path, folder, min(size, least)), asked)
            whole = _Whole(asked, out)
            parts = parts_of(path, folder, head, _look_back(asked.contract), size)
            in_turn = in_order if asked.scoring else map
            for part in in_turn(lambda part: _checked(part, name, asked), parts):
                whole.add(part)
            return whole.ended(digest.result())
    except (NotByPartsError, DataError, OSError, pa.ArrowException, EOFError):
        # Whatever it is, reading it as a whole says it in full.
        return None
    finally:
        for part_file in folder.iterdir():
            part_file.unlink()
        folder.rmdir()


def is_large(path: Path) -> bool:
    """Whether a file is worth cutting; packed ones and Parquet hold several times their size."""
    packed = path.suffix.lower() in (PARQUET, ".gz", ".zst")
    return path.stat().st_size >= LARGE / (_PACKED if packed else 1)


def _is_simple(contract: Contract) -> bool:
    """Whether each row of a file is one of the table, and no rule looks back any distance."""
    held = any(sensor.hold for sensor in contract.sensors.values())
    return not (contract.tag_files or contract.long or contract.where or held)


def _look_back(contract: Contract) -> int:
    return max(_LOOK_BACK, 4 * _needed(contract))


def _needed(contract: Contract) -> int:
    """Rows of a recording that rules look back."""
    return max(_LEAST, *(sensor.stuck_after or 0 for sensor in contract.sensors.values())) + 1


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _head(first: Path, asked: Asked) -> int:
    """Lines above the first row."""
    table = read_shaped(first, asked.contract, asked.lacks)
    if not len(table) or table.dialect.encoding not in _BYTES or table.dialect.line_end == "\r":
        raise NotByPartsError
    return int(table.lines[0]) - 1


def _checked(part: Part, name: str, asked: Asked) -> _Checked:
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
    before = int(np.searchsorted(table.lines, part.last_before, side="right"))
    table = dataclasses.replace(table, lines=table.lines + (part.lines_before - part.last_before))
    check = begin_check(
        table,
        contract,
        labelled=asked.labelled,
        equipment=asked.equipment,
        fills=fills,
        without=asked.without,
        lacks=asked.lacks,
    )
    (outcome,) = with_losses([check.ended()], contract, asked.equipment)
    accepted, findings = outcome.accepted, outcome.findings
    if outcome.unused or table.remarks or table.dialect.below or not len(accepted):
        raise NotByPartsError
    if any(isinstance(unit, pd.Series) for unit in table.units.values()):
        raise NotByPartsError  # some cells of the whole file decide whether they have units
    said = None if asked.scoring else said_by(check, outcome, before)
    of_the_file = tuple(found for found in findings if found.code in OF_THE_FILE)
    if asked.scoring and (len(outcome.rejected) or len(of_the_file) < len(findings)):
        raise NotByPartsError
    new = accepted[columns.ROW].to_numpy() >= before
    if accepted.loc[~new, list(contract.features)].isna().to_numpy().any():
        raise NotByPartsError  # rules may have to look further back
    if asked.completing and asked.completing.imputer:
        accepted = asked.completing.completed(accepted, asked.completing.imputer)
    times = None
    if contract.time_column in table.names and contract.time_column:
        times = outcome.table.times(contract.time_column).style
    bare = dataclasses.replace(table, frame=table.frame.iloc[:0], typed={}, reread=None)
    read = len(table) - before
    return _Checked(accepted, new, read, before, of_the_file, bare, times, said)


class _Whole:
    """What the parts say together, and the file of their rows.

    Args:
        asked: how they are checked.
        out: Arrow file of the accepted rows.
    """

    def __init__(self, asked: Asked, out: Path) -> None:
        self._asked, self._out = asked, out
        self._merged: Merged | None = None
        if not asked.scoring:
            self._merged = Merged(asked.contract, out.parent, training=bool(asked.labelled))
        self._writer: pa.RecordBatchFileWriter | None = None
        self._schema: pa.Schema | None = None
        self._first: _Checked | None = None
        self._read = self._accepted = self._imputed = 0
        self._completed = self._quoted = False
        # Rows of each recording so far, the latest time before the last part, and its times.
        self._seen: Counter[str] = Counter()
        self._latest, self._last = -np.inf, np.empty(0)

    def add(self, part: _Checked) -> None:
        """Take the next part.

        Raises:
            NotByPartsError: it does not go on as the parts before began.
        """
        first = self._first = self._first or part
        self._quoted |= part.table.dialect.quoted
        if _style(part) != _style(first):
            raise NotByPartsError
        self._require_order(part)
        rows = part.accepted[part.new]
        rows = rows.assign(**{columns.ROW: rows[columns.ROW] + (self._read - part.skipped)})
        self._read += part.read
        self._accepted += len(rows)
        if self._merged and part.said:
            self._merged.add(part.said, rows)
            return
        if columns.IMPUTED in rows:
            self._completed = True
            self._imputed += int(filled_rows(rows, self._asked.contract).sum())
        else:
            rows = rows.assign(**{columns.IMPUTED: ""})
        self._write(rows)

    def _write(self, rows: pd.DataFrame) -> None:
        schema = self._schema
        table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False).combine_chunks()
        if self._writer is None:
            self._schema = table.schema
            self._writer = pa.ipc.new_file(str(self._out), table.schema)
        self._writer.write_table(table)

    def _require_order(self, part: _Checked) -> None:
        """Later than all rows that it cannot look back at, of recordings that it can."""
        rows, new = part.accepted, part.new
        time = rows[columns.TIME].to_numpy(dtype=np.float64)
        out_of_sight = self._last[: max(0, len(self._last) - int((~new).sum()))]
        latest = max(self._latest, out_of_sight.max(initial=-np.inf))
        if (time[new] <= latest).any():
            raise NotByPartsError
        self._latest = max(self._latest, self._last.max(initial=-np.inf))
        self._last = time[new] if self._asked.contract.time_column else self._last
        names = rows[columns.EQUIPMENT].astype(str) + "/" + rows[columns.RUN].astype(str)
        number, known = pd.factorize(names)
        back = np.bincount(number[~new], minlength=len(known))
        more = np.bincount(number[new], minlength=len(known))
        needed = _needed(self._asked.contract)
        for name, looked, count in zip(known, back.tolist(), more.tolist(), strict=True):
            if count and looked < min(needed, self._seen[name]):
                raise NotByPartsError
            self._seen[name] += count

    def ended(self, sha256: str) -> Accepted | None:
        """What came of the file; None where it has no rows."""
        first = self._first
        if first is None:
            return None
        if self._writer is not None:
            self._writer.close()
        findings = tuple(
            dataclasses.replace(found, count=self._read) if found.code == _OF_ALL_ROWS else found
            for found in first.findings
        )
        merged = self._merged
        if merged:
            findings = merged.findings(findings, first.table)
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
            quarantined=merged.quarantined if merged else 0,
            rejected=merged.rejected if merged and merged.quarantined else None,
        )


def _style(part: _Checked) -> object:
    """What all parts of one file share."""
    dialect = dataclasses.replace(part.table.dialect, quoted=False)
    found = [dataclasses.replace(one, count=0) for one in part.findings]
    return dialect, tuple(part.table.names), part.times, found
