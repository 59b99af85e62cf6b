"""What the report of a transfer shows beside the card, and the page itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from faultxfer.contract.folding import Folded, fold
from faultxfer.data.dataset import Dataset
from faultxfer.document import Block, Bullets, Paragraph, Table, Text
from faultxfer.evaluate.report_page import Beside, SourceReport, report_html, source_html
from faultxfer.following import Next, typed
from faultxfer.html_page import made_by
from faultxfer.requests import TransferRequest
from faultxfer.steps.adaptation import read_target
from faultxfer.steps.data_sets import profile
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.judging import REPORT, Verdict
from faultxfer.steps.opening import Job
from faultxfer.steps.sources import Models
from faultxfer.wording import counted

REPORT_PAGE = "report.html"
_MOST_FILES = 50
# Beyond these the picture of a file's digest is longer than anybody compares.
_DIGEST = 12


def write_report_page(
    job: Job[TransferRequest], models: Models, verdict: Verdict, following: tuple[Next, ...]
) -> Path:
    """Write the page beside ``report.json``, from which it takes what sensors say of alarms.

    Args:
        job: of the transfer.
        models: source and champion.
        verdict: of the gate.
        following: what to type next, as far as it can be known before anything is registered.
    """
    evaluation = verdict.evaluation
    rows = evaluation.adapted.target.rows
    labelled = read_target(rows, job.contract.features)
    told = json.loads((evaluation.folder / REPORT).read_text(encoding="utf-8"))
    beside = Beside(
        next=following,
        pictures=evaluation.pictures,
        data=(*_made_from(job, models), *data_blocks(rows, labelled)),
        findings=finding_blocks(rows),
        alarms=told.get("alarms", ()),
        sensors=told.get("sensors", ()),
        alarms_note=told.get("alarms_note", ""),
        footer=made_by(),
    )
    page = report_html(evaluation.report, verdict.decision, verdict.overridden(job.request), beside)
    path = evaluation.folder / REPORT_PAGE
    path.write_text(page, encoding="utf-8")
    return path


def write_source_page(
    folder: Path,
    report: SourceReport,
    rows: CheckedRows,
    data: Dataset,
    pictures: dict[str, Path],
    following: tuple[Next, ...],
) -> None:
    """Write the page of a source model beside ``report.json``.

    Args:
        folder: of what the run keeps.
        report: what was measured.
        rows: of all files.
        data: the labelled rows among them.
        pictures: by name.
        following: what to type next.
    """
    told = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    beside = Beside(
        next=following,
        pictures=pictures,
        data=data_blocks(rows, data),
        findings=finding_blocks(rows),
        sensors=told.get("sensors", ()),
        footer=made_by(),
    )
    (folder / REPORT_PAGE).write_text(source_html(report, beside), encoding="utf-8")


def until_registered() -> tuple[Next, ...]:
    """What to type about a version whose number is not known before it is registered."""
    why = "See the version, its number and the command that settles it"
    return (Next(why, typed("registry", "list")),)


def _made_from(job: Job[TransferRequest], models: Models) -> tuple[Block, ...]:
    """Source model and contract."""
    source, contract = models.source, job.contract
    champion = models.champion
    before = f"version {champion.version}" if champion else "none"
    return (
        Bullets(
            (
                Text(f"{source.name} version {source.version}", lead="Source model:"),
                Text(before, lead="Champion before:"),
                Text(f"{contract.family} ({contract.digest()[:_DIGEST]})", lead="Contract:"),
            )
        ),
    )


def data_blocks(rows: CheckedRows, data: Dataset) -> tuple[Block, ...]:
    """Files, rows, faults, runs and period.

    Args:
        rows: of all files.
        data: the labelled rows among them.
    """
    seen = profile(data.y, data.run, data.time)
    labelled = counted(seen["rows"], "labelled row")
    faults, runs = counted(seen["faults"], "fault row"), counted(seen["runs"], "run")
    period = f", from {seen['period']}" if "period" in seen else ""
    sentences = [
        f"{counted(rows.read, 'row')} read, {rows.accepted:,} accepted, {rows.quarantined:,} set "
        f"aside, {rows.left_out:,} left out.",
        f"{labelled} with {faults} in {runs}{period}.",
    ]
    spelt = {str(one["file"]): one for one in rows.reading}
    lines = tuple(_file(name, digest, spelt.get(name)) for name, digest in rows.files[:_MOST_FILES])
    blocks: list[Block] = [Paragraph(one) for one in sentences]
    blocks.append(Table(("file", "rows", "SHA-256"), lines))
    if len(rows.files) > _MOST_FILES:
        more = counted(len(rows.files) - _MOST_FILES, "more file is", "more files are")
        blocks.append(Paragraph(f"{more} among the run's inputs."))
    return tuple(blocks)


def _file(name: str, digest: str, spelt: dict[str, Any] | None) -> tuple[str, ...]:
    count = f"{spelt['rows']:,}" if spelt else "–"
    return (name, count, digest[:_DIGEST])


def finding_blocks(rows: CheckedRows) -> tuple[Block, ...]:
    """One line for each code, the gravest first."""
    folded = fold(rows.findings, rows.read - rows.left_out)
    if not folded:
        return (Paragraph("Nothing was found in the files."),)
    return (Table(("finding", "", "what was found", "what to do"), tuple(map(_finding, folded))),)


def _finding(one: Folded) -> tuple[str, ...]:
    return (one.code, one.severity, f"{one.sentence}.", one.remedy or "–")
