"""The fleet as one HTML file: a table of the machines, the worst first."""

from __future__ import annotations

from pathlib import Path

from faultxfer.document import Block, Bullets, Command, Heading, Paragraph, Table, Text
from faultxfer.fleet.outcomes import GRADES, Outcome, headline
from faultxfer.following import Next
from faultxfer.html_page import made_by, to_html
from faultxfer.outputs import written_whole
from faultxfer.requests import FleetRequest
from faultxfer.wording import counted, percent

PAGE = "fleet.html"
_COLOURS = {"failed": "bad", "refused": "doubtful", "done": "good"}
_SECTIONS = {
    "failed": "What failed",
    "refused": "What the gate did not promote",
    "done": "What is done",
}
# Name, title, and whether it is a share.
_METRICS = (
    ("rows", "rows", False),
    ("faults", "fault rows", False),
    ("pr_auc", "PR-AUC", False),
    ("recall", "recall", True),
    ("false_alarm_rate", "false-alarm rate", True),
    ("alarms", "alarms", False),
    ("alarm_share", "alarm share", True),
    ("accepted", "accepted", False),
    ("set_aside", "set aside", False),
)


def write_page(
    request: FleetRequest,
    machines: tuple[Outcome, ...],
    left: list[str],
    following: tuple[Next, ...],
    seconds: float,
) -> Path:
    """Write ``fleet.html`` into the folder of the results, and say where it lies.

    Args:
        request: what was asked.
        machines: what came of each, the worst first.
        left: machines that it did not come to, because it was stopped.
        following: what to type now.
        seconds: that it took.
    """
    title = headline(request.task, machines)
    grade = next((one for one in GRADES if any(m.grade == one for m in machines)), "done")
    colour = "bad" if left else _COLOURS[grade]
    blocks = blocks_of(title, machines, left, following, seconds)
    path = request.out / f"{request.task}-{PAGE}"
    with written_whole("out", path) as part:
        page = to_html(blocks, title=title, colour=colour, footer=made_by())
        part.write_text(page, encoding="utf-8")
    return path.absolute()


def blocks_of(
    title: str,
    machines: tuple[Outcome, ...],
    left: list[str],
    following: tuple[Next, ...],
    seconds: float,
) -> list[Block]:
    """The page's content, which a flow run shows as well."""
    blocks: list[Block] = [Heading(f"{title[0].upper()}{title[1:]}", 1)]
    done = [one for one in machines if not one.before]
    if done:
        work = sum(one.seconds for one in done)
        took = f"{counted(len(done), 'machine')} in {seconds:,.0f} s, {work / len(done):,.1f} s of "
        blocks.append(Paragraph(f"{took}work for each."))
    if left:
        blocks.append(Paragraph(Text(f"not begun or not ended: {', '.join(left)}.", "Stopped:")))
    for grade in GRADES:
        found = tuple(one for one in machines if one.grade == grade)
        if found:
            blocks += [Heading(f"{_SECTIONS[grade]} ({len(found)})"), _table(found)]
    placed = tuple(Text(f"`{one.where}`", f"{one.machine}:") for one in machines if one.where)
    if placed:
        blocks += [Heading("Reports and files"), Bullets(placed)]
    if following:
        blocks += [Heading("What to type now"), *(Command(n.why, n.command) for n in following)]
    skipped = [one for one in machines if one.before]
    if skipped:
        blocks += [Heading("What was skipped"), _skipped(skipped)]
    return blocks


def _table(machines: tuple[Outcome, ...]) -> Table:
    shown = [one for one in _METRICS if any(m.metrics.get(one[0]) is not None for m in machines)]
    notes = any(one.note for one in machines)
    head = ["machine", *(["note"] if notes else []), "outcome", *(title for _, title, _ in shown)]
    rows = tuple(
        (
            one.machine,
            *([one.note] if notes else []),
            one.outcome,
            *(_cell(one.metrics.get(name), share=share) for name, _, share in shown),
            one.told,
        )
        for one in machines
    )
    return Table((*head, "what came of it"), rows)


def _cell(value: float | int | None, *, share: bool) -> str:
    if value is None:
        return "–"
    if share:
        return percent(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _skipped(machines: list[Outcome]) -> Bullets:
    """By when they were done: the same request for the same files came to this then."""
    items = [f"{one.machine}: done at {one.before}, from the same files" for one in machines]
    return Bullets(tuple(items))
