"""The report of a transfer, or of a source model, as one HTML page with its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.document import (
    Block,
    Bullets,
    Command,
    Heading,
    Paragraph,
    Picture,
    Table,
    Text,
    Words,
)
from faultxfer.evaluate.gate.check import PROMOTE, REFUSE, Decision, Override, Slice
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.page import details, verdict
from faultxfer.evaluate.plant_words import COLUMNS, NOT_FOR, Line, doubts_of_source, short_table
from faultxfer.evaluate.report import COLUMNS as ALL_COLUMNS
from faultxfer.evaluate.report import Report, metric_cells
from faultxfer.evaluate.speaking import alarm_blocks, sensor_blocks
from faultxfer.following import Next
from faultxfer.glossary import terms
from faultxfer.html_page import to_html
from faultxfer.metric_table import METRICS

_COLOURS = {PROMOTE: "good", REFUSE: "bad"}
# How each picture is read, in the order of the report.
_PICTURES = {
    "score_over_time": (
        "The fault probability over time",
        "Row after row, one run after the other. Shaded: where the labels say fault. The marks "
        "below are alarms, true and false ones.",
    ),
    "rivals": (
        "PR-AUC of all contestants",
        "Longer is better. The dotted line is what a ranking at random gets.",
    ),
    "precision_recall": (
        "Precision against recall",
        "Up and to the right is better. The ring is where the threshold stands.",
    ),
    "reliability": (
        "Stated fault probability against the observed share of faults",
        "On the dotted line the probabilities mean what they say.",
    ),
    "training_curves": (
        "The network's error while it learned",
        "Where the held-back rows' error rises again, it learned by heart.",
    ),
}


@dataclass(frozen=True)
class Beside:
    """What the report shows that the card does not.

    Attributes:
        next: commands to type, the likeliest last.
        pictures: name -> file.
        data: what files and rows it was made from.
        findings: of the check of the files.
        alarms: stretches of alarms, each with the sensors that speak; empty where unknown.
        sensors: the share that each sensor has in them; empty likewise.
        alarms_note: what to know of these two.
        footer: what made the page, and when.
    """

    next: tuple[Next, ...] = ()
    pictures: Mapping[str, Path] | None = None
    data: tuple[Block, ...] = ()
    findings: tuple[Block, ...] = ()
    alarms: Sequence[Mapping[str, Any]] = ()
    sensors: Sequence[Mapping[str, Any]] = ()
    alarms_note: str = ""
    footer: str = ""


def report_html(
    report: Report, decision: Decision, override: Override | None, beside: Beside
) -> str:
    """The page; pictures are within it."""
    colour = "doubtful" if override else _COLOURS.get(decision.outcome, "doubtful")
    title = f"{report.model} → {report.equipment}"
    blocks = report_blocks(report, decision, override, beside)
    return to_html(blocks, title=title, colour=colour, footer=beside.footer)


def report_blocks(
    report: Report, decision: Decision, override: Override | None, beside: Beside
) -> tuple[Block, ...]:
    """All of the page, the verdict first."""
    return (
        *verdict(report, decision, override),
        Heading("In five rows"),
        _five_rows(report),
        *_next(beside),
        *sensor_blocks(beside.sensors),
        *alarm_blocks(beside.alarms, beside.alarms_note),
        *_pictures(beside.pictures or {}),
        Heading("All contestants and checks"),
        *details(report, decision),
        *_slices(report),
        *_section("Data", beside.data),
        *_section("Findings in the files", beside.findings),
        *glossary_blocks(),
    )


@dataclass(frozen=True)
class SourceReport:
    """What the page of a source model says.

    Attributes:
        model: its name.
        finds: what it finds on its own machines, in the words of a plant.
        metrics: of the rows that were held out.
        held_out: how recordings were cut where no column names runs; empty elsewhere.
        notes: what else a person should know.
    """

    model: str
    finds: str
    metrics: Metrics
    held_out: str = ""
    notes: tuple[str, ...] = ()


def source_html(report: SourceReport, beside: Beside) -> str:
    """The page of a source model; pictures are within it."""
    notes = tuple(filter(None, (report.held_out, *report.notes)))
    blocks = (
        Heading(f"{report.model}: a source model", 1),
        Paragraph(report.finds),
        Paragraph(NOT_FOR),
        Bullets(doubts_of_source(report.held_out)),
        *((Bullets(notes),) if notes else ()),
        Heading("Metrics"),
        Table(ALL_COLUMNS, (tuple(metric_cells(report.metrics)),)),
        *_next(beside),
        *sensor_blocks(beside.sensors),
        *_pictures(beside.pictures or {}),
        *_section("Data", beside.data),
        *_section("Findings in the files", beside.findings),
        *glossary_blocks(),
    )
    return to_html(blocks, title=report.model, footer=beside.footer)


def _section(title: str, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    return (Heading(title), *blocks) if blocks else ()


def _five_rows(report: Report) -> Table:
    return Table(COLUMNS, tuple(_short_row(line) for line in short_table(report)))


def _short_row(line: Line) -> tuple[Words, ...]:
    title, *cells = line.cells
    first = Text("", lead=title) if line.role == "candidate" else title
    return (first, *cells)


def _next(beside: Beside) -> tuple[Block, ...]:
    return _section("Next", tuple(Command(one.why, one.command) for one in beside.next))


def _pictures(files: Mapping[str, Path]) -> tuple[Block, ...]:
    shown = tuple(
        Picture(title, files[name].read_bytes(), note)
        for name, (title, note) in _PICTURES.items()
        if name in files
    )
    return _section("Pictures", shown)


def _slices(report: Report) -> tuple[Block, ...]:
    """Candidate against champion where rows have something in common."""
    found = report.comparison.slices if report.comparison else ()
    if not found:
        return ()
    names = [name for name in METRICS if any(name in one.changes for one in found)]
    head = ("rows where", "rows", "fault rows", *(METRICS[name].title for name in names))
    rows = tuple(_slice(one, names) for one in found)
    note = "Candidate minus champion on slices of the rows; a dash where a slice is too small."
    return (Heading("Slices"), Paragraph(note), Table(head, rows))


def _slice(one: Slice, names: list[str]) -> tuple[str, ...]:
    cells = []
    for name in names:
        change = one.changes.get(name)
        text = "–"
        if change is not None:
            text = f"{change.estimate:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"
        cells.append(text)
    return (f"{one.column} is {one.value}", f"{one.rows:,}", f"{one.faults:,}", *cells)


def glossary_blocks() -> tuple[Block, ...]:
    """The words of the report."""
    items = tuple(Text(meaning, lead=f"{term}:") for term, meaning in terms())
    return (Heading("Glossary"), Bullets(items))
