"""Text that strangers wrote stays text, in Markdown and in HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from faultxfer.document import (
    Bullets,
    Command,
    Heading,
    Paragraph,
    Picture,
    Table,
    Text,
    in_one_line,
    to_markdown,
)
from faultxfer.html_page import to_html

HOSTILE = (
    "<script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    '" onload="alert(1)',
    "' onmouseover='alert(1)",
    "![x](http://example.org/x.png)",
    "[x](javascript:alert(1))",
    "[x]: http://example.org",
    "# not a title",
    "---",
    "> said",
    "- no item",
    "1. no item",
    "a|b|c",
    "*a* **b** _c_ ~~d~~",
    "&lt;b&gt;",
    "{{ 7 * 7 }}{% raw %}",
    "temp_1_max",
    "back\\slash",
    "Насос №3 – 泵",
    "مضخة",
)


def page_of(name: str) -> tuple[object, ...]:
    return (
        Heading(name, 1),
        Heading(f"Section {name}"),
        Paragraph(name),
        Bullets((name, Text(name, lead=name))),
        Table((name, "b"), ((name, "1"),)),
        Command(name, name),
        Picture(name, b"\x89PNG", name),
    )


class Elements(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_element_and_no_attribute_to_a_page(name: str) -> None:
    plain = Elements(to_html(page_of("pump-9"), title="pump-9", footer="pump-9"))  # type: ignore[arg-type]
    hostile = Elements(to_html(page_of(name), title=name, footer=name))  # type: ignore[arg-type]
    assert hostile.tags == plain.tags
    assert [key for key, _ in hostile.attributes] == [key for key, _ in plain.attributes]
    assert hostile.text.count(name) == plain.text.count("pump-9")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_it_is_by_what_reads_markdown(name: str) -> None:
    text = to_markdown(page_of(name))  # type: ignore[arg-type]
    reader = MarkdownIt("commonmark").enable("table")
    page = Elements(reader.render(text))
    plain = Elements(reader.render(to_markdown(page_of("pump-9"))))  # type: ignore[arg-type]
    assert page.tags == plain.tags
    assert page.text.count(name) == plain.text.count("pump-9")


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    page = to_html((Heading("pump-9", 1), Picture("a", b"\x89PNG", "b")), title="pump-9")
    elements = Elements(page)
    assert "script" not in elements.tags
    addresses = [value for key, value in elements.attributes if key in ("src", "href", "action")]
    assert addresses == ["data:image/png;base64,iVBORw=="]
    assert not re.search(r"https?:|url\(|@import", page)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy.startswith("default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-")
    assert elements.attributes.count(("style", None)) == 0
    assert not [key for key, _ in elements.attributes if key == "style" or key.startswith("on")]


def test_letters_that_turn_or_hide_others_are_shown() -> None:
    assert in_one_line("pump\u202egpj.9") == "pump⟨U+202E⟩gpj.9"
    assert in_one_line("a\x00b\u2066c") == "a⟨U+0000⟩b⟨U+2066⟩c"
    # A mark of writing from right to left changes no letter beyond it.
    assert in_one_line("مضخة\u200f 9") == "مضخة\u200f 9"


def test_a_name_of_two_lines_stays_in_its_line() -> None:
    text = to_markdown((Bullets(("pump\n\n# 9",)), Table(("a\n|b",), (("c\nd",),))))
    assert text == "- pump # 9\n\n| a \\|b |\n|---|\n| c d |\n"


def test_the_sections_are_listed_and_found() -> None:
    page = to_html((Heading("p", 1), Heading("All checks"), Paragraph("x")), title="p")
    assert '<a href="#all-checks">All checks</a>' in page
    assert '<h2 id="all-checks">All checks</h2>' in page
