"""The report is the card with all that stands beside it, on one page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from test_report import COMPARISON, GOOD, report

from faultxfer.config import GateOptions
from faultxfer.document import Block, Bullets, Heading, Paragraph, Picture, Table, spans_of
from faultxfer.evaluate.gate import judge
from faultxfer.evaluate.gate.check import Decision, Override, Slice
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.page import card
from faultxfer.evaluate.plant_words import short_table
from faultxfer.evaluate.report_page import (
    Beside,
    SourceReport,
    report_blocks,
    report_html,
    source_html,
)
from faultxfer.following import Next
from faultxfer.glossary import GLOSSARY

ALARM = {
    "equipment": "pump-9",
    "run": "run 7",
    "rows": [3, 9],
    "times": ["2026-01-02 10:00", "2026-01-02 10:50"],
    "count": 6,
    "peak": {"row": 5, "time": "2026-01-02 10:20", "probability": 0.97},
    "top_sensors": [
        {
            "sensors": ["flow", "head"],
            "contribution": 1.2,
            "reading": 12.0,
            "unit": "m3/h",
            "usual": [20.0, 31.5],
            "direction": "below",
            "mode": "full",
        }
    ],
}


NOTHING = Beside()


def blocks(beside: Beside = NOTHING, **changed: object) -> tuple[Block, ...]:
    given = dataclasses.replace(report(), **changed)  # type: ignore[arg-type]
    return report_blocks(given, judge(given.evidence, GateOptions()), None, beside)


def words_of(found: tuple[Block, ...]) -> str:
    """All text of some blocks."""
    texts: list[str] = []
    for block in found:
        parts: list[object] = []
        if isinstance(block, Heading | Paragraph):
            parts = [block.text]
        elif isinstance(block, Bullets):
            parts = [*block.items]
        elif isinstance(block, Table):
            parts = [*block.head, *(cell for row in block.rows for cell in row)]
        texts += ["".join(span.text for span in spans_of(part)) for part in parts]  # type: ignore[arg-type]
    return "\n".join(texts)


def titles(found: tuple[Block, ...]) -> list[str]:
    return [block.text for block in found if isinstance(block, Heading)]


def test_the_report_says_all_that_the_card_says_and_begins_as_it_does() -> None:
    given = report()
    decision = judge(given.evidence, GateOptions())
    beside = report_blocks(given, decision, None, Beside())
    of_card = card(given, decision)
    assert [block for block in of_card if block not in beside] == []
    assert beside[:2] == of_card[:2]


def test_the_five_rows_stand_before_everything_but_the_verdict() -> None:
    found = blocks()
    assert titles(found)[1] == "In five rows"
    (first, *_) = [block for block in found if isinstance(block, Table)]
    assert len(first.rows) == len(short_table(report()))


def test_sections_without_content_are_left_out() -> None:
    assert titles(blocks()) == [
        "pump-9: passed by the gate",
        "In five rows",
        "All contestants and checks",
        "Glossary",
    ]


def test_everything_that_is_there_is_shown(tmp_path: Path) -> None:
    for name in ("rivals", "reliability"):
        (tmp_path / f"{name}.png").write_bytes(name.encode())
    beside = Beside(
        next=(Next("Score rows", "faultxfer score new.csv"),),
        pictures={path.stem: path for path in tmp_path.iterdir()},
        data=(Paragraph("9 rows."),),
        findings=(Paragraph("Nothing was found."),),
        alarms=(ALARM,),
        sensors=({"sensors": ["flow"], "share": 0.61},),
        alarms_note="Said by the kept model.",
    )
    slices = (
        Slice("load", "high", 40, 9, 4, {"pr_auc": Interval(-0.06, -0.1, 0.02)}),
        Slice("load", "low", 3, 1, 1),
    )
    evidence = dataclasses.replace(
        report().evidence, comparison=dataclasses.replace(COMPARISON, slices=slices)
    )
    found = blocks(beside, evidence=evidence)
    assert titles(found)[1:] == [
        "In five rows",
        "Next",
        "Which sensors speak",
        "Alarms",
        "Pictures",
        "All contestants and checks",
        "Slices",
        "Data",
        "Findings in the files",
        "Glossary",
    ]
    text = words_of(found)
    assert (
        "flow, head (they tell the same) 12 m3/h, below its usual 20 to 31.5 in mode full" in text
    )
    assert "Said by the kept model." in text
    assert "2026-01-02 10:00 to 2026-01-02 10:50" in text
    assert "load is high\n40\n9\n-0.060 [-0.100, +0.020]" in text
    assert "load is low\n3\n1\n–" in text
    assert [block.png for block in found if isinstance(block, Picture)] == [
        b"rivals",
        b"reliability",
    ]


def test_alarms_are_shown_by_their_peak_and_the_others_are_counted() -> None:
    many = tuple(
        {**ALARM, "run": f"run {k}", "times": None, "peak": {"probability": 0.5 + k / 100}}
        for k in range(40)
    )
    found = blocks(Beside(alarms=many))
    (table,) = [block for block in found if isinstance(block, Table) and block.head[0] == "run"]
    assert [row[0] for row in table.rows][:2] == ["run 39", "run 38"]
    assert table.rows[0][1] == "rows 3 to 9"
    assert "10 more alarms are in `report.json`." in [
        block.text for block in found if isinstance(block, Paragraph)
    ]


def test_every_term_of_the_glossary_is_explained() -> None:
    text = words_of(blocks())
    assert all(f"{term}: {meaning}" in text for term, meaning in GLOSSARY.items())


@pytest.mark.parametrize(
    ("outcome", "override", "colour"),
    [
        ("promote", None, "good"),
        ("refuse", None, "bad"),
        ("tie", None, "doubtful"),
        ("not enough evidence", None, "doubtful"),
        ("needs approval", None, "doubtful"),
        ("refuse", Override("ann", "agreed"), "doubtful"),
    ],
)
def test_the_title_has_a_colour_beside_its_words(
    outcome: str, override: Override | None, colour: str
) -> None:
    page = report_html(report(), Decision(outcome, "Because.", ()), override, Beside())
    assert f'<h1 class="{colour}">pump-9: ' in page


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "</style><b>", '"><img src=x>', "\u202egpj"]
)
def test_whoever_wrote_it_stays_text(name: str) -> None:
    given = dataclasses.replace(report(), model=name, equipment=name, outside=(name,))
    alarm = {**ALARM, "run": name, "top_sensors": [{**ALARM["top_sensors"][0], "sensors": [name]}]}  # type: ignore[index,call-overload]
    beside = Beside(
        next=(Next(name, name),),
        data=(Table((name,), ((name,),)),),
        findings=(Paragraph(name),),
        alarms=(alarm,),
        sensors=({"sensors": [name], "share": 0.5},),
        footer=name,
    )
    override = Override(name, name)
    page = report_html(given, Decision("refuse", name, (), warnings=(name,)), override, beside)
    assert name not in page
    assert page.count("<style>") == page.count("</style>") == 1
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize("held_out", ["", "Recordings were cut into parts."])
def test_the_page_of_a_source_model_says_what_it_finds_and_what_that_does_not_show(
    held_out: str, tmp_path: Path
) -> None:
    (tmp_path / "reliability.png").write_bytes(b"picture")
    beside = Beside(
        pictures={"reliability": tmp_path / "reliability.png"},
        next=(Next("Move it", "faultxfer transfer NEW.csv"),),
        data=(Paragraph("9 rows."),),
    )
    page = source_html(SourceReport("<pumps>", "Finds 2 of 3.", GOOD, held_out), beside)
    for words in (
        "&lt;pumps&gt;: a source model",
        "Finds 2 of 3.",
        "Machines that are not in these files",
        "faultxfer transfer NEW.csv",
        '<td class="number">0.800</td>',
        "data:image/png;base64,cGljdHVyZQ==",
        "9 rows.",
    ):
        assert words in page
    assert ("parts of the same ones judged it" in page) == bool(held_out)
