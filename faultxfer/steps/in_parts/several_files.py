"""What several files say together that were each checked in parts."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.across import copies_noted
from faultxfer.contract.losses import columns_lost
from faultxfer.contract.machines import translated
from faultxfer.contract.measured import findings_of
from faultxfer.contract.rules.protocol import TableRows, keys_of
from faultxfer.findings import MAX_EXAMPLES, Finding
from faultxfer.reading import columns
from faultxfer.reading.transcoded import transcoded
from faultxfer.reading.write_csv import write_text
from faultxfer.steps.accepted import filled_rows
from faultxfer.steps.in_parts.all_values import EvenlySome, ValuesOfAll
from faultxfer.steps.in_parts.asked import Accepted, Asked
from faultxfer.steps.in_parts.check import part_size
from faultxfer.steps.in_parts.cutting import cut
from faultxfer.steps.in_parts.kept_values import require_labels, wider
from faultxfer.steps.in_parts.key_count import KeyCount, are_among, key_of
from faultxfer.steps.in_parts.one_part import read_part
from faultxfer.steps.in_parts.sight import NotByPartsError

# Behind the lines of any file stand those of the next one.
_FILE = 1 << 40
_COPY, _LOST, _ABSENT = "ROW-DUPLICATE", "COLUMN-LOST", "EQUIPMENT-ABSENT"
# Rows of a file of rows set aside that are read at once.
_TOGETHER = 16_384


@dataclass(frozen=True)
class CheckedFile:
    """A file that was checked in parts.

    Attributes:
        path: of it.
        name: that findings call it by.
        rows: Arrow file of its accepted rows, where they are kept.
        came: what came of it.
    """

    path: Path
    name: str
    rows: Path
    came: Accepted


def told_together(files: Sequence[CheckedFile], asked: Asked, scratch: Path) -> list[CheckedFile]:
    """Files as they are beside each other: without copies, and with what all of them lose.

    Args:
        files: in their order.
        asked: how they were checked.
        scratch: folder for temporary files.

    Raises:
        NotByPartsError: only all of their rows show what they say together.
        DataError: one cannot be read again.
        OSError: likewise.
    """
    if all(file.came.absent for file in files):
        raise NotByPartsError  # then that is an error
    files = [_left_out(file) if file.came.absent else file for file in files]
    copies = _copies(files, scratch)
    told = [
        _without_copies(file, copies[copies // _FILE == number] % _FILE, asked, scratch)
        for number, file in enumerate(files)
    ]
    if asked.scoring:
        if len({tuple(_names(file)) for file in told if not file.came.absent}) > 1:
            raise NotByPartsError
        return _with_lost_columns(told, asked)
    some = _looked_at(files, copies, asked, scratch)
    return _with_kinds(_with_lost_columns(told, asked), some, asked)


def _left_out(file: CheckedFile) -> CheckedFile:
    """A file without the machine asked for, which is no error beside one that has it."""
    findings = tuple(
        dataclasses.replace(one, severity="warn") if one.code == _ABSENT else one
        for one in file.came.findings
    )
    came = dataclasses.replace(file.came, findings=findings, left_out=file.came.rows)
    return dataclasses.replace(file, came=came)


def _names(file: CheckedFile) -> list[str]:
    with pa.OSFile(str(file.rows)) as stored, pa.ipc.open_file(stored) as rows:
        return list(rows.schema.names)


def _copies(files: Sequence[CheckedFile], scratch: Path) -> np.ndarray:
    """(m,) ascending places of accepted rows that stand in an earlier file too.

    Raises:
        NotByPartsError: other rows have the moment of an earlier one.
    """
    rows, moments = KeyCount(scratch, "all-rows"), KeyCount(scratch, "all-moments")
    for number, file in enumerate(files):
        if file.came.again is not None:
            rows.add_all(file.came.again.accepted, number * _FILE)
            moments.add_all(file.came.again.moments, number * _FILE)
    found = [
        places[places // _FILE > first // _FILE] for places, first in rows.groups() if len(places)
    ]
    copies = np.sort(np.concatenate([np.empty(0, dtype=np.int64), *found]))
    for places, first in moments.groups():
        if (places > first)[~are_among(places, copies)].any():
            raise NotByPartsError
    return copies


def _looked_at(
    files: Sequence[CheckedFile], copies: np.ndarray, asked: Asked, scratch: Path
) -> TableRows:
    """Evenly some of the accepted rows of all files, of which none contradict each other.

    Raises:
        NotByPartsError: some may.
    """
    contract = asked.contract
    kept = [file.came.values for file in files if file.came.values is not None]
    labelled = [any(values.labelled) for values in kept]
    if any(labelled) != all(labelled) or len(kept) != len(files):
        raise NotByPartsError
    without = [copies[copies // _FILE == number] % _FILE for number in range(len(files))]
    every = ValuesOfAll(kept, contract, without)
    some = EvenlySome(every.rows)
    keys: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    moments = KeyCount(scratch, "moments-of-machines")
    for rows in every.batches():
        some.add(rows)
        *values, fault, machine, _, seconds = rows
        if any(labelled):
            key = keys_of([machine, *values])
            for own, which in zip(keys, (fault == 0, fault != 0), strict=True):
                own.append(key[which])
            moments.add(key_of([machine, seconds]), np.arange(len(machine)))
    require_labels(*keys, functools.reduce(wider, (values.limits for values in kept)))
    # Without runs a machine has one label at one moment.
    if contract.run_column is None and every.timed and moments.repeated():
        raise NotByPartsError
    return every.table(some.picked())


def _with_kinds(files: list[CheckedFile], some: TableRows, asked: Asked) -> list[CheckedFile]:
    """The files with findings of sensors that are no measurements, which the first one carries."""
    known = {(one.code, one.column) for file in files for one in file.came.findings}
    first = files[0]
    found = first.came.findings
    training = bool(asked.labelled)
    for one in findings_of(some, first.came.table, training=training, file=None):
        if (one.code, one.column) not in known:
            found = (one, *found) if one.severity == "refuse" else (*found, one)
    came = dataclasses.replace(first.came, findings=found)
    return [dataclasses.replace(first, came=came), *files[1:]]


def _without_copies(
    file: CheckedFile, lines: np.ndarray, asked: Asked, scratch: Path
) -> CheckedFile:
    """A file without some rows, given by (m,) ascending lines."""
    if not len(lines):
        return file
    contract, came = asked.contract, file.came
    if contract.severity(_COPY) != "quarantine" or contract.long:
        raise NotByPartsError
    finding, rejected, rows = None, file.rows.with_name("copies.csv"), 0
    for one, aside in _read_again(file, lines, asked, scratch):
        finding = one if finding is None else _sum(finding, one)
        rows += len(aside)
        _append(aside, rejected)
    if finding is None or rows != len(lines):
        raise NotByPartsError
    words = finding.message.partition(" ")[2]
    finding = dataclasses.replace(finding, message=f"{rows} {words}")
    if came.rejected is not None:
        _append_file(rejected, came.rejected)
        rejected = came.rejected
    imputed = _drop_rows(file.rows, lines, asked) if asked.scoring else 0
    came = dataclasses.replace(
        came,
        accepted=came.accepted - rows,
        imputed=came.imputed - imputed,
        findings=(*came.findings, finding),
        quarantined=came.quarantined + rows,
        rejected=rejected,
    )
    return dataclasses.replace(file, came=came)


def _read_again(
    file: CheckedFile, lines: np.ndarray, asked: Asked, scratch: Path
) -> Iterator[tuple[Finding, pd.DataFrame]]:
    """What is said of copies, and the rows as they stand in the file, part by part."""
    folder = scratch / "again"
    folder.mkdir(exist_ok=True)
    size = part_size(file.path)
    text = transcoded(file.path, asked.contract.csv, scratch / "again-text")
    asked = asked.of(text)
    for part in cut(text.path, file.name, folder, asked, size, 0, size).parts:
        table, own, _ = read_part(part, file.name, asked, None)
        table = translated(table, asked.contract, asked.equipment)
        copies = np.flatnonzero(are_among(table.lines, lines))
        copies = copies[(copies >= own[0]) & (copies < own[1])]
        if len(copies):
            notes = copies_noted(table, copies, asked.contract)
            yield notes.findings[0], notes.rejected()
    if text.path != file.path:
        text.path.unlink()


def _sum(known: Finding, more: Finding) -> Finding:
    """A finding of rows, with those of another part."""
    examples = (*known.examples, *more.examples)[:MAX_EXAMPLES]
    return dataclasses.replace(known, count=known.count + more.count, examples=examples)


def _append(rows: pd.DataFrame, path: Path) -> None:
    part = path.with_name("part.csv")
    write_text(rows, part)
    _append_file(part, path)


def _append_file(part: Path, path: Path) -> None:
    """Add the rows of a file with the same header, which is removed."""
    with part.open("rb") as source, path.open("ab") as kept:
        if kept.tell():
            source.readline()
        while block := source.read(1 << 20):
            kept.write(block)
    part.unlink()


def _drop_rows(path: Path, lines: np.ndarray, asked: Asked) -> int:
    """Take rows out of a file of accepted ones; how many of them were filled in."""
    before, imputed = path.rename(path.with_name("with-copies.arrow")), 0
    with (
        pa.OSFile(str(before)) as stored,
        pa.ipc.open_file(stored) as file,
        pa.ipc.new_file(str(path), file.schema) as writer,
    ):
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            copies = are_among(batch.column(columns.LINE).to_numpy(), lines)
            if copies.any():
                out = batch.filter(pa.array(copies)).to_pandas()
                imputed += int(filled_rows(out, asked.contract).sum())
                batch = batch.filter(pa.array(~copies))
            writer.write_batch(batch)
    before.unlink()
    return imputed


def _with_lost_columns(files: list[CheckedFile], asked: Asked) -> list[CheckedFile]:
    """The files with findings of columns that some of them lack, in place of each file's own."""
    findings = [[found for found in file.came.findings if found.code != _LOST] for file in files]
    tables = [file.came.table for file in files]
    for place, found in columns_lost(tables, asked.contract):
        first = found.severity == "refuse"
        findings[place] = [found, *findings[place]] if first else [*findings[place], found]
    return [
        dataclasses.replace(file, came=dataclasses.replace(file.came, findings=tuple(own)))
        for file, own in zip(files, findings, strict=True)
    ]


def one_below_the_other(files: Sequence[Accepted], out: Path) -> Path:
    """CSV of the rows set aside of all files, with all columns that one of them has."""
    some = [file for file in files if file.rejected is not None and file.quarantined]
    if len(some) == 1 and some[0].rejected:
        return some[0].rejected
    names = list(dict.fromkeys(name for file in some for name in file.header))
    for file in some:
        if file.rejected is None:
            continue
        if file.header == names:
            _append_file(file.rejected, out)
            continue
        for rows in pd.read_csv(
            file.rejected, dtype=str, keep_default_na=False, chunksize=_TOGETHER
        ):
            _append(rows.reindex(columns=names, fill_value=""), out)
    return out
