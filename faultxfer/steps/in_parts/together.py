"""What the parts of a file come to: the file of its rows, and what is said of the whole."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.machines import note_absent
from faultxfer.contract.notes import Notes
from faultxfer.findings import Finding
from faultxfer.reading import columns
from faultxfer.steps.accepted import PART_ROWS, filled_rows
from faultxfer.steps.in_parts.asked import UNSCORED, Accepted, Asked
from faultxfer.steps.in_parts.back_in_order import BackInOrder
from faultxfer.steps.in_parts.merged import Merged
from faultxfer.steps.in_parts.one_part import CheckedPart
from faultxfer.steps.in_parts.sight import NotByPartsError, Sight

# What counts rows, of what a part shows of the file as a whole.
_OF_ALL_ROWS = "SENSOR-GONE"


class Together:
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
        self._merged = Merged(asked.contract, kept, training, asked.equipment, dealt_out=dealt_out)
        self._dealt = BackInOrder(kept, "accepted", columns.ROW) if dealt_out else None
        self._unscored = BackInOrder(kept, "unscored", columns.ROW)
        self._unused: Counter[str] = Counter()
        self.row_of: Callable[[np.ndarray], np.ndarray] | None = None
        self._sight = Sight(asked.contract)
        self._writer: pa.RecordBatchFileWriter | None = None
        self._schema: pa.Schema | None = None
        self._first: CheckedPart | None = None
        self._read = self._asked_for = self._accepted = self._imputed = 0
        self._completed = self._quoted = False
        self._machines: set[str] = set()

    def __enter__(self) -> Together:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._merged.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def add(self, part: CheckedPart) -> None:
        """Take the next part.

        Raises:
            NotByPartsError: it does not go on as the parts before began.
        """
        self._require_same_form(part)
        self._merged.remark(part.remarks)
        before = self._read - part.skipped
        self._read += part.read
        self._asked_for += part.asked
        self._machines |= part.machines
        if part.seen is None or part.said is None:
            return
        self._sight.add(part.seen)
        rows = self._numbered(part.accepted, before)
        if part.unscored is not None and len(part.unscored):
            self._unscored.add(self._numbered(part.unscored, before))
        self._unused.update(part.unused)
        self._accepted += len(rows)
        self._merged.add(part.said, rows)
        if self._asked.scoring and len(rows):
            self._keep(rows)

    def _require_same_form(self, part: CheckedPart) -> None:
        """All parts are written as the first one is."""
        if self._first is None:
            nothing = pd.DataFrame()  # its rows are not kept in memory
            self._first = dataclasses.replace(
                part, accepted=nothing, unscored=None, seen=None, said=None
            )
        self._quoted |= part.table.dialect.quoted
        if _form(part) != _form(self._first):
            raise NotByPartsError

    def _keep(self, rows: pd.DataFrame) -> None:
        """Keep accepted rows until they are scored."""
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

    def _absent(self) -> tuple[Finding, ...]:
        """What is said where no row is of the machine asked for; it refuses the file."""
        asked, column = self._asked, self._asked.contract.equipment_column
        if self._asked_for or not asked.scoring or asked.equipment is None or column is None:
            return ()
        if self._first is None:
            return ()
        notes = Notes(self._first.table)
        note_absent(notes, asked.equipment, column, sorted(self._machines))
        return tuple(notes.findings)

    def ended(self, sha256: str) -> Accepted:
        """What came of the file.

        Raises:
            NotByPartsError: it has no accepted row, or is to be judged over all rows after all.
        """
        first = self._first
        absent = self._absent()
        if first is None or not (self._accepted or absent):
            raise NotByPartsError
        findings = tuple(
            dataclasses.replace(found, count=self._read) if found.code == _OF_ALL_ROWS else found
            for found in first.findings
        )
        merged = self._merged
        findings = (*absent, *merged.findings(findings, first.table))
        if not self._asked.scoring and not self._asked.several:
            findings = merged.with_kinds(findings, first.table)
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
            quarantined=merged.set_aside.rows,
            rejected=merged.set_aside.path if merged.set_aside.rows else None,
            left_out=0 if absent else self._read - self._asked_for,
            again=merged.again,
            absent=bool(absent),
            unused=dict(self._unused),
            unscored=self._unscored.written(self._out.with_name(UNSCORED), PART_ROWS),
            values=None if self._asked.scoring else merged.values,
        )


def _form(part: CheckedPart) -> object:
    """What all parts of one file share."""
    dialect = dataclasses.replace(part.table.dialect, quoted=False)
    found = [dataclasses.replace(one, count=0) for one in part.findings]
    return dialect, tuple(part.table.names), dict(part.table.tags), part.times, found
