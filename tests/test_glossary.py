"""The glossary of the documents is that of the report."""

from __future__ import annotations

from pathlib import Path

from faultxfer.glossary import GLOSSARY, as_markdown
from faultxfer.metric_table import METRICS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "glossary.md"


def test_the_page_is_made_of_the_list() -> None:
    assert PAGE.read_text(encoding="utf-8") == as_markdown()


def test_every_metric_of_the_result_table_is_explained() -> None:
    titles = {metric.title for metric in METRICS.values() if metric.column}
    assert titles <= set(GLOSSARY)


def test_a_meaning_is_one_or_two_sentences() -> None:
    for term, meaning in GLOSSARY.items():
        assert meaning.endswith("."), term
        assert len(meaning) < 220, term
