"""Read files and check them against the contract."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from faultxfer.contract.across import Stack, with_rules_across, without_copies
from faultxfer.contract.check import begin_check
from faultxfer.contract.class_share import Classes, with_class_share
from faultxfer.contract.codes import DEFAULTS
from faultxfer.contract.data_docs import write_data_docs
from faultxfer.contract.healthy import Healthy
from faultxfer.contract.intervals import Log, read_log
from faultxfer.contract.lacking import lacked_by_all
from faultxfer.contract.log_labels import labelled_by_log
from faultxfer.contract.losses import with_losses
from faultxfer.contract.measured import with_no_measurements
from faultxfer.contract.outcome import Checked, refusal
from faultxfer.contract.schema import Contract
from faultxfer.contract.shapes import joined_tags, read_shaped, readings_in
from faultxfer.contract.verdicts import how_to_read
from faultxfer.contract.vouching import (
    Vouching,
    as_unlabelled,
    beside_labelled,
    with_states,
    without_any_label,
)
from faultxfer.errors import DataError
from faultxfer.findings import Finding, refusing
from faultxfer.outputs import workspace, writing
from faultxfer.progress import progress
from faultxfer.reading import columns
from faultxfer.reading.read_csv import find_files, names_of
from faultxfer.reading.table import RawTable
from faultxfer.reading.tag_files import TagReadings
from faultxfer.reading.write_csv import write_text
from faultxfer.requests import PretrainRequest, ScoreRequest, TransferRequest, ValidateRequest
from faultxfer.steps.accepted import filled_rows
from faultxfer.steps.in_parts.asked import UNSCORED, Asked
from faultxfer.steps.in_parts.check import accepted_in_parts, are_large, tag_files_in_parts
from faultxfer.steps.in_parts.several_files import (
    CheckedFile,
    one_below_the_other,
    told_together,
)
from faultxfer.steps.in_parts.sight import NotByPartsError
from faultxfer.steps.opening import AnyRequest, Job, Opened

if TYPE_CHECKING:
    from faultxfer.bundle.imputer import Imputer
    from faultxfer.steps.completing import Completing

ABSENT = "EQUIPMENT-ABSENT"
ACCEPTED = "accepted.arrow"


@dataclass(frozen=True)
class CheckedRows:
    """Outcome of checking all files.

    Attributes:
        table: Arrow file of the accepted rows, or None where a file was refused or nobody asked for
            it.
        files: name and SHA-256 of each file read.
        findings: of all files.
        read, accepted, quarantined, left_out: row counts; ``read`` is the sum of the other three
            and of ``unused`` unless refused.
        unused: by reason, how many rows the contract leaves out on purpose.
        unscored: Arrow file of rows outside `where` of files to be scored; None where there is
            none.
        quarantine: CSV of the rows set aside, or None where there are none.
        reading: for each file how it was read: encoding, separator, marks, times, and a sentence
            that says so.
        docs: where the Data Docs lie: ``index.html`` in a folder, or as an artifact of an MLflow
            run.
        imputed: how many accepted rows have readings that were missing and are filled in.
        completed: whether any reading was filled in, those that a machine lacks too.
        imputer: folder of what fills them in; None where nothing does.
        unmeasured: sensors of the contract that no machine of the files has; the rows are without
            them.
        log: name and SHA-256 of the log of faults that labels the rows; None without one.
    """

    table: Path | None
    files: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    read: int
    accepted: int
    quarantined: int
    left_out: int
    quarantine: Path | None
    reading: tuple[dict[str, object], ...] = ()
    docs: str | None = None
    imputed: int = 0
    completed: bool = False
    imputer: Path | None = None
    unused: Mapping[str, int] = field(default_factory=dict)
    unscored: Path | None = None
    unmeasured: tuple[str, ...] = ()
    log: tuple[str, str] | None = None

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """Name and digest of each file read, the log of faults among them."""
        return (*self.files, self.log) if self.log else self.files

    @property
    def refused(self) -> bool:
        """Whether at least one file was refused."""
        return bool(refusing(self.findings))

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "refused": self.refused,
            "read": self.read,
            "accepted": self.accepted,
            "imputed": self.imputed,
            "quarantined": self.quarantined,
            "left_out": self.left_out,
            "unused": dict(self.unused),
            "unmeasured": list(self.unmeasured),
            "quarantine": str(self.quarantine) if self.quarantine else None,
            "data_docs": self.docs,
            "files": [{"file": name, "sha256": digest} for name, digest in self.files],
            "events": {"file": self.log[0], "sha256": self.log[1]} if self.log else None,
            "reading": list(self.reading),
            "findings": [finding.as_dict() for finding in self.findings],
        }


class Model(Protocol):
    """What a check asks of the model that the rows are for."""

    @property
    def classes(self) -> Classes | None:
        """Classes of the source model's rows; None where unknown."""

    def completing(self, contract: Contract) -> Completing | None:
        """How it fills in missing readings; None where it does not."""


def check_rows(
    opened: Opened[AnyRequest], contract: Contract, model: Model | None = None
) -> CheckedRows:
    """Check rows against the contract.

    Those with missing readings are completed where it allows that and a model can.

    Args:
        opened: the request, and how its files are to be read.
        contract: what the files must look like.
        model: that the rows are for: it fills in missing readings, and its source's share of
            faults is compared; None where there is none yet.

    Raises:
        DataError: no file is found. A *refused* file is a finding, not an error.
    """
    only_asked = isinstance(opened.request, ValidateRequest)
    return check_files(
        list(opened.request.files),
        contract,
        work=None if only_asked else opened.work,
        quarantine=opened.quarantine,
        labelled=opened.labelled,
        equipment=opened.equipment,
        data_docs=opened.data_docs,
        source=None if model is None else model.classes,
        completing=_completing(opened, contract, model),
        without=_without(opened.request),
        lacks=frozenset(opened.lacks if isinstance(opened, Job) else ()),
        events=None if isinstance(opened.request, ScoreRequest) else opened.request.events,
        vouching=_vouching(opened.request),
    )


def _vouching(request: AnyRequest) -> Vouching | None:
    """What is known of rows without labels; None where each row needs one, or none does."""
    if not isinstance(request, TransferRequest):
        return None
    return Vouching(None if request.healthy is None else Healthy.parsed(request.healthy))


def _without(request: AnyRequest) -> frozenset[str]:
    """Sensors that a model needs and that no row has; elsewhere the contract is without them."""
    return frozenset(request.without if isinstance(request, ScoreRequest) else ())


def _completing(
    opened: Opened[AnyRequest], contract: Contract, model: Model | None
) -> Completing | None:
    if isinstance(opened.request, PretrainRequest):
        # What learns needs the libraries of models, which a mere check does not wait for.
        from faultxfer.steps.completing import learnt_from_rows

        return learnt_from_rows(contract, opened.request.options.seed)
    return None if model is None else model.completing(contract)


def check_files(
    files: list[str],
    contract: Contract,
    *,
    work: Path | None,
    quarantine: Path,
    labelled: bool | None,
    equipment: str | None = None,
    data_docs: Path | None = None,
    source: Classes | None = None,
    completing: Completing | None = None,
    without: frozenset[str] = frozenset(),
    lacks: frozenset[str] = frozenset(),
    events: Path | None = None,
    vouching: Vouching | None = None,
) -> CheckedRows:
    """Read every file, check it, and complete rows with missing readings.

    Args:
        files: files, folders and glob patterns.
        contract: what they must look like.
        work: folder for the table of accepted rows; None where nobody needs it.
        quarantine: folder for rows set aside; made only if there are any.
        labelled: whether the label is needed; None checks it where the file has one.
        equipment: keep only this machine's rows.
        data_docs: folder for Great Expectations' Data Docs; not written if left out.
        source: classes of the source model's rows, to compare the share of faults with; left out
            where unknown.
        completing: how missing readings are filled in; rows that lack some are set aside where
            left out.
        without: sensors whose readings count as missing in every row.
        lacks: sensors that are no longer in the contract, as the machine lacks them; readings of
            them are asked about.
        events: log of faults that labels the rows, where there is one.
        vouching: who says what of rows without labels, which are accepted where no row has one;
            left out where rows need labels.

    Raises:
        DataError: no file is found, or the log cannot be laid beside the files. A *refused* file
            is a finding, not an error.
    """
    progress.info("Checking the rows against contract %s", contract.family)
    paths = find_files(files)
    if data_docs is None and events is None and _may_be_cut(labelled, work, completing, source):
        asked = Asked(contract, equipment, completing, without, lacks, labelled)
        if found := _in_parts(paths, asked, work, quarantine):
            return found
    fills = completing.fills if completing else frozenset()
    log = _log(events, contract)
    checking = _Checking(
        paths, contract, labelled, equipment, source, without, lacks, log, vouching
    )
    unmeasured = checking.unmeasured
    if unmeasured:
        checking = checking.narrowed(unmeasured)
        contract = checking.contract
        completing = completing.under(contract) if completing and completing.under else completing
    tables, checked = checking.filled_in(fills)
    if vouching is not None and without_any_label(checked):
        checking = checking.without_labels()
        tables, checked = checking.filled_in(fills)
    checked = _with_unmeasured(checked, unmeasured)
    imputer = _learnt(checked, completing)
    if completing and _more_rows(checked, completing.filled_by(imputer) - fills):
        tables, checked = checking.filled_in(completing.filled_by(imputer))
        checked = _with_unmeasured(checked, unmeasured)
    outcome = _counted(tables, checked, contract)
    labels = (log.file, log.sha256) if log else None
    outcome = dataclasses.replace(outcome, unmeasured=unmeasured, log=labels)
    rejected = _stacked([each.rejected for each in checked])
    if not outcome.refused and len(rejected):
        kept = _write_quarantine(rejected, outcome.findings, tables, quarantine)
        outcome = dataclasses.replace(outcome, quarantined=len(rejected), quarantine=kept)
    if not outcome.refused:
        accepted = _stacked([each.accepted for each in checked])
        if completing and imputer:
            accepted = completing.completed(accepted, imputer)
        outcome = _with_accepted(outcome, accepted, contract, work)
        if work:
            outcome = dataclasses.replace(outcome, unscored=_write_unscored(checked, work))
        if completing and imputer and work:
            outcome = dataclasses.replace(outcome, imputer=completing.kept(imputer, work))
    docs = _write_docs(tables, checked, contract, data_docs)
    return dataclasses.replace(outcome, docs=docs)


def _may_be_cut(
    labelled: bool | None,
    work: Path | None,
    completing: Completing | None,
    source: Classes | None,
) -> bool:
    """Whether files are to be scored, or only checked: others need all rows at once."""
    if labelled is False:
        return work is not None
    return work is None and completing is None and source is None


def _in_parts(
    paths: list[Path], asked: Asked, work: Path | None, quarantine: Path
) -> CheckedRows | None:
    """What came of large files, checked in little memory; None where they cannot be."""
    several = len(paths) > 1
    if not are_large(paths):
        return None
    with workspace() as scratch:
        found = _each_in_parts(paths, asked, scratch)
        if found is not None:
            table = None
            if work and asked.scoring:
                table = work / ACCEPTED
                _move_rows([file.rows for file in found if file.came.accepted], table)
            kept = _of_parts(found, table, quarantine, scratch)
            unscored = [file.came.unscored for file in found if file.came.unscored]
            if work and unscored:
                _move_rows(unscored, work / UNSCORED)
                kept = dataclasses.replace(kept, unscored=work / UNSCORED)
            return kept
    how = "accepted as they come" if asked.scoring else "judged as they come"
    what = f"{len(paths)} files" if several else paths[0].name
    progress.info("Not all rows of %s are %s: looking at them whole", what, how)
    return None


def _each_in_parts(paths: list[Path], asked: Asked, scratch: Path) -> list[CheckedFile] | None:
    """What came of each file; None where they are to be looked at whole."""
    found: list[CheckedFile] = []
    if asked.contract.tag_files:
        out = scratch / ACCEPTED
        one = tag_files_in_parts(paths, names_of(paths), asked, out)
        return (
            None if one is None or one.absent else [CheckedFile(paths[0], one.table.file, out, one)]
        )
    asked = dataclasses.replace(asked, several=len(paths) > 1)
    for number, (path, name) in enumerate(zip(paths, names_of(paths), strict=True)):
        folder = scratch / str(number)
        folder.mkdir()
        one = accepted_in_parts(path, name, asked, folder / ACCEPTED)
        if one is None:
            return None
        found.append(CheckedFile(path, name, folder / ACCEPTED, one))
    if len(found) == 1:
        return None if found[0].came.absent else found
    try:
        return told_together(found, asked, scratch)
    except (NotByPartsError, DataError, UnicodeError, pa.ArrowException):
        return None  # what files say together, only all of their rows show


def _move_rows(tables: list[Path], out: Path) -> None:
    """Rows of several Arrow files as one, which takes their place."""
    if len(tables) == 1:
        shutil.move(tables[0], out)
        return
    with pa.OSFile(str(tables[0])) as first:
        schema = pa.ipc.open_file(first).schema
    with pa.ipc.new_file(str(out), schema) as writer:
        for path in tables:
            with pa.OSFile(str(path)) as stored:
                file = pa.ipc.open_file(stored)
                for number in range(file.num_record_batches):
                    writer.write_table(pa.Table.from_batches([file.get_batch(number)]).cast(schema))
            path.unlink()


def _of_parts(
    files: list[CheckedFile], table: Path | None, quarantine: Path, scratch: Path
) -> CheckedRows:
    """The result of files that were checked part by part."""
    came = [file.came for file in files]
    findings = tuple(finding for one in came for finding in one.findings)
    kept, refused = None, bool(refusing(findings))
    if any(one.quarantined for one in came) and not refused:
        stem = _quarantine_name(came[0].table, [one.sha256 for one in came], findings)
        kept = _moved_to_quarantine(
            one_below_the_other(came, scratch / "rejected.csv"), findings, stem, quarantine
        )
    return CheckedRows(
        table=table,
        files=tuple(
            source
            for file in files
            for source in file.came.table.sources or ((file.name, file.came.sha256),)
        ),
        findings=findings,
        read=sum(one.rows for one in came),
        accepted=0 if refused else sum(one.accepted for one in came),
        quarantined=0 if refused else sum(one.quarantined for one in came),
        left_out=sum(one.left_out for one in came),
        quarantine=kept,
        reading=tuple(_told_reading(one.table, one.rows, one.times) for one in came),
        imputed=sum(one.imputed for one in came),
        completed=any(one.completed for one in came),
        unused=dict(sum((Counter(one.unused) for one in came), Counter())),
    )


@dataclass(frozen=True)
class _Checking:
    """Files, and what they are checked against."""

    paths: list[Path]
    contract: Contract
    labelled: bool | None
    equipment: str | None
    source: Classes | None
    without: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    log: Log | None = None
    vouching: Vouching | None = None
    nobody_knows: bool = False

    @cached_property
    def read(self) -> list[RawTable | Checked]:
        """Each file as read; one that cannot be read is refused like any other."""
        named = zip(self.paths, names_of(self.paths), strict=True)
        also = self.lacks | (self.vouching.columns if self.vouching else frozenset())
        read = [_read(path, name, self.contract, also) for path, name in named]
        if self.contract.tag_files:
            read = _joined(self.paths, read, self.contract)
        if self.log:
            read = _by_log(read, self.contract, self.log)
        if self.vouching is None:
            return read
        return _vouched(read, self.contract, self.vouching, self.equipment)

    @cached_property
    def unmeasured(self) -> tuple[str, ...]:
        """Sensors that no machine of the files has.

        Files to be scored need them all the same: the model that scores is made already.
        """
        if self.labelled is False:
            return ()
        tables = [each if isinstance(each, RawTable) else each.table for each in self.read]
        lacked = lacked_by_all(tables, self.contract, self.equipment)
        return tuple(name for name in self.contract.features if name in lacked)

    def narrowed(self, unmeasured: tuple[str, ...]) -> _Checking:
        """The same without these sensors; no file is read again."""
        narrow = dataclasses.replace(self, contract=self.contract.without_sensors(unmeasured))
        narrow.__dict__["read"] = self.read
        return narrow

    def without_labels(self) -> _Checking:
        """The same rows where no row has a label: as rows to be scored; no file is read again."""
        plain = dataclasses.replace(self, labelled=False, nobody_knows=True)
        plain.__dict__["read"] = self.read
        return plain

    def filled_in(self, fills: frozenset[str]) -> tuple[list[RawTable], list[Checked]]:
        """Tables and outcomes, where missing readings of these sensors are going to be filled."""
        tables = [each if isinstance(each, RawTable) else each.table for each in self.read]
        checked = _leave_others_out([self._checked(each, fills) for each in self.read])
        if self.vouching is not None:
            checked = beside_labelled(checked)
        checked = without_copies(checked, self.contract)
        stack = Stack(self.contract)
        checked = with_rules_across(checked, stack)
        checked = with_losses(checked, self.contract, self.equipment)
        if self.labelled is not False:
            training = bool(self.labelled)
            checked = with_no_measurements(checked, stack, training=training)
        if self.nobody_knows:
            return tables, as_unlabelled(checked, self.contract)
        return tables, with_class_share(checked, self.contract, self.source)

    def _checked(self, table: RawTable | Checked, fills: frozenset[str]) -> Checked:
        """The outcome of a table; one whose cells cannot be read is refused as well."""
        if isinstance(table, Checked):
            return table
        try:
            return begin_check(
                table,
                self.contract,
                labelled=self.labelled,
                equipment=self.equipment,
                fills=fills,
                without=self.without,
                lacks=self.lacks,
            ).ended()
        except DataError as error:
            return _unread(table, error)


def _read(path: Path, name: str, contract: Contract, lacks: frozenset[str]) -> RawTable | Checked:
    try:
        return dataclasses.replace(read_shaped(path, contract, lacks), file=name)
    except DataError as error:
        return _unread(RawTable(name, pd.DataFrame(), np.array([], dtype=int), ""), error)


def _log(events: Path | None, contract: Contract) -> Log | None:
    """The log of faults; None where none was given."""
    return read_log(events, how_to_read(events, contract)) if events is not None else None


def _by_log(
    read: list[RawTable | Checked], contract: Contract, log: Log
) -> list[RawTable | Checked]:
    """The same files with the labels of the log; those that could not be read stay as they are."""
    tables = [each for each in read if isinstance(each, RawTable)]
    labelled = iter(labelled_by_log(tables, contract, log))
    return [next(labelled) if isinstance(each, RawTable) else each for each in read]


def _vouched(
    read: list[RawTable | Checked], contract: Contract, vouching: Vouching, equipment: str | None
) -> list[RawTable | Checked]:
    """The same files, rows without a label marked as such, or as normal where somebody vouches."""
    tables = [each for each in read if isinstance(each, RawTable)]
    told = iter(with_states(tables, contract, vouching, equipment))
    return [next(told) if isinstance(each, RawTable) else each for each in read]


def _joined(
    paths: list[Path], read: list[RawTable | Checked], contract: Contract
) -> list[RawTable | Checked]:
    """The files of one tag each as one table; only those at fault where any is refused."""
    parts = [_part(path, each, contract) for path, each in zip(paths, read, strict=True)]
    at_fault: list[RawTable | Checked] = [part for part in parts if isinstance(part, Checked)]
    if at_fault:
        return at_fault
    readings = [part for part in parts if isinstance(part, TagReadings)]
    try:
        return [joined_tags(paths, readings, contract)]
    except DataError as error:
        tables = [part.table for part in readings]
        file = next((table for table in tables if table.file == error.where), tables[0])
        return [_unread(file, error)]


def _part(path: Path, read: RawTable | Checked, contract: Contract) -> TagReadings | Checked:
    """What a file of a set holds; one that is none of the set is refused."""
    if isinstance(read, Checked):
        return read
    try:
        return readings_in(path, read, contract)
    except DataError as error:
        return _unread(read, error)


def _learnt(checked: list[Checked], completing: Completing | None) -> Imputer | None:
    """The imputer for the accepted rows; None where a file is refused or nothing was learnt."""
    if completing is None or any(outcome.refused for outcome in checked):
        return None
    return completing.learn(_stacked([outcome.accepted for outcome in checked]))


def _more_rows(checked: list[Checked], fills: frozenset[str]) -> bool:
    """Whether rows were set aside for want of a reading of these sensors."""
    tags = {outcome.table.tag(name) for outcome in checked for name in fills}
    findings = [finding for outcome in checked for finding in outcome.findings]
    return any(found.code == "SENSOR-MISSING" and found.column in tags for found in findings)


def _counted(tables: list[RawTable], checked: list[Checked], contract: Contract) -> CheckedRows:
    """What was read and found, before any row is kept."""
    findings = [finding for outcome in checked for finding in outcome.findings]
    return CheckedRows(
        table=None,
        files=tuple(file for table in tables for file in _files_of(table)),
        findings=tuple(findings),
        read=sum(outcome.read for outcome in checked),
        accepted=0,
        quarantined=0,
        left_out=sum(outcome.left_out for outcome in checked),
        quarantine=None,
        reading=tuple(_reading(outcome.table, contract) for outcome in checked),
        unused=_unused(checked),
    )


def _with_unmeasured(checked: list[Checked], unmeasured: tuple[str, ...]) -> list[Checked]:
    """The files, the first of them with the sensors that no machine of any file has."""
    if not unmeasured:
        return checked
    names = ", ".join(map(repr, unmeasured))
    finding = Finding(
        "SENSOR-NOWHERE",
        DEFAULTS["SENSOR-NOWHERE"],
        f"No machine in these files has {names}, by the contract: a model that is made of them "
        "does not know the sensor",
        count=len(unmeasured),
        expected="a machine that has the sensor",
        remedy="Nothing, if that is so; else take it out of `lacks` in the contract, or give files "
        "of a machine that has it",
    )
    return [checked[0].with_finding(finding), *checked[1:]]


def _files_of(table: RawTable) -> tuple[tuple[str, str], ...]:
    """Name and digest of the file, or of all files that a table was joined from."""
    return table.sources or ((table.file, table.sha256),)


def _unused(checked: list[Checked]) -> dict[str, int]:
    """By reason, how many rows of all files the contract leaves out on purpose."""
    counts: Counter[str] = Counter()
    for outcome in checked:
        counts.update(outcome.unused)
    return dict(counts)


def _with_accepted(
    outcome: CheckedRows, accepted: pd.DataFrame, contract: Contract, work: Path | None
) -> CheckedRows:
    """The same with the accepted rows counted, and kept where there is a folder for them."""
    imputed = 0
    if columns.IMPUTED in accepted:
        imputed = int(filled_rows(accepted, contract).sum())
    table = None
    if work is not None:
        table = work / ACCEPTED
        accepted.to_feather(table, compression="uncompressed")
    completed = columns.IMPUTED in accepted
    return dataclasses.replace(
        outcome, accepted=len(accepted), table=table, imputed=imputed, completed=completed
    )


def _write_unscored(checked: list[Checked], work: Path) -> Path | None:
    """Rows that stand in the scores without one."""
    parts = [each.unscored for each in checked if each.unscored is not None and len(each.unscored)]
    if not parts:
        return None
    path = work / UNSCORED
    _stacked(parts).to_feather(path, compression="uncompressed")
    return path


def require_accepted(rows: CheckedRows) -> Path:
    """The table of accepted rows.

    Raises:
        DataError: a file was refused; says the first reasons.
    """
    if rows.table is not None:
        return rows.table
    raise refusal(
        rows.findings,
        "The files do not fit the contract",
        "All that was found: `faultxfer validate` with the same files and contract",
    )


def _write_docs(
    tables: list[RawTable], checked: list[Checked], contract: Contract, folder: Path | None
) -> str | None:
    if folder is None:
        return None
    names = [table.file for table in tables]
    with writing("data-docs", folder):
        return str(
            write_data_docs(list(zip(names, checked, strict=True)), contract, folder).absolute()
        )


def _reading(table: RawTable, contract: Contract) -> dict[str, object]:
    """How a file was read, for the report."""
    return _told_reading(table, len(table), _style_of_times(table, contract.time_column))


def _told_reading(table: RawTable, rows: int, times: str | None) -> dict[str, object]:
    parts = [table.dialect.sentence()]
    if times:
        parts.append(f"times: {times}")
    parts.append(f"{rows} rows")
    if table.made_of:
        parts.append(table.made_of)
    return {
        "file": table.file,
        "rows": rows,
        **table.dialect.as_dict(),
        "times": times,
        "sentence": f"{table.file}: {', '.join(parts)}",
    }


def _style_of_times(table: RawTable, column: str | None) -> str | None:
    if column is None or column not in table.names or not len(table):
        return None
    try:
        return table.times(column).style
    except DataError:
        # The check got not so far, as the file was refused before.
        return None


def _unread(table: RawTable, error: DataError) -> Checked:
    """A file in another state than the check can use.

    Raises:
        DataError: the error itself, where it is not about the state of the file.
    """
    if error.code is None:
        raise error
    finding = Finding(
        str(error.code),
        "refuse",
        error.expected,
        file=table.file,
        column=error.column,
        line=error.line,
        received=", ".join(f"{name}={value}" for name, value in error.received.items())[:200],
        remedy=error.remedy or "",
    )
    return Checked(
        table.frame.iloc[0:0],
        table.frame.iloc[0:0],
        (finding,),
        read=len(table),
        left_out=0,
        table=table,
    )


def _leave_others_out(checked: list[Checked]) -> list[Checked]:
    """A file without the machine asked for is no error beside one that has it.

    A folder may hold the files of a whole plant.
    """
    if all(_is_elsewhere(outcome) for outcome in checked):
        return checked
    return [_left_out(outcome) if _is_elsewhere(outcome) else outcome for outcome in checked]


def _is_elsewhere(outcome: Checked) -> bool:
    """Whether a file is refused for the lack of the machine alone."""
    return {finding.code for finding in refusing(outcome.findings)} == {ABSENT}


def _left_out(outcome: Checked) -> Checked:
    findings = tuple(_warning_where_absent(finding) for finding in outcome.findings)
    return dataclasses.replace(outcome, findings=findings, left_out=outcome.read)


def _warning_where_absent(finding: Finding) -> Finding:
    if finding.code == ABSENT:
        return dataclasses.replace(finding, severity="warn")
    return finding


def _stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    # An empty part still has its file's own columns, which the others lack.
    filled = [part for part in parts if len(part)] or parts[:1]
    return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)


def _write_quarantine(
    rejected: pd.DataFrame, findings: tuple[Finding, ...], tables: list[RawTable], folder: Path
) -> Path:
    """Rows as they were read, and beside them why.

    Named by content, so that nothing older is overwritten.
    """
    name = _quarantine_name(tables[0], [table.sha256 for table in tables], findings)
    with writing("quarantine", folder):
        path = _quarantine_file(name, findings, folder)
        write_text(rejected, path)
    return path


def _moved_to_quarantine(
    rejected: Path, findings: tuple[Finding, ...], name: str, folder: Path
) -> Path:
    """The same of rows that lie in a file."""
    with writing("quarantine", folder):
        path = _quarantine_file(name, findings, folder)
        shutil.move(rejected, path)
    return path


def _quarantine_name(table: RawTable, digests: list[str], findings: tuple[Finding, ...]) -> str:
    counts = [f"{finding.code}{finding.count}" for finding in findings]
    content = hashlib.sha256("".join(digests + counts).encode())
    stem = table.file.split("/")[-1].split(".")[0]
    if table.sources:
        stem = stem.split(" (")[0]  # how many files there are is no part of the set's name
    return f"{stem}-{content.hexdigest()[:8]}"


def _quarantine_file(name: str, findings: tuple[Finding, ...], folder: Path) -> Path:
    """Where rows set aside go; the findings are written beside it."""
    details = json.dumps([finding.as_dict() for finding in findings], indent=2, ensure_ascii=False)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-findings.json").write_text(details, encoding="utf-8")
    return folder / f"{name}-rejected.csv"
