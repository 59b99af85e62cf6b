"""A text for people as blocks, written once for pages in Markdown and in HTML.

What stands in a block is plain text, whoever wrote it: names of machines and columns, reasons. Only
words between backticks are more, namely code; nothing else in a text is markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

# They turn the order of all the letters after them, beyond the name that they came with.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CODE = re.compile(r"`([^`]+)`")
# What Markdown reads as markup wherever it stands, and what it does at the edge of a word.
_MARKUP = re.compile(r"[\\`*<]|~(?=~)|(?<!\w)_|_(?!\w)|(?<=\])\(|&(?=#?\w+;)")
# What would make of a line something else than a line of its paragraph.
_BEGINNING = re.compile(r"^(?=#{1,6}(?:\s|$)|>|[-+](?:\s|$)|[-=]+$|\[)")
_NUMBERED = re.compile(r"^(\d+)(?=[.)](?:\s|$))")


@dataclass(frozen=True)
class Span:
    """A piece of text that looks the same throughout.

    Attributes:
        text: plain.
        kind: ``plain``, ``code`` or ``strong``.
    """

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Text:
    """One line of plain text, behind words that stand out.

    >>> Text("Mind the rival.", lead="Note:").spans
    (Span(text='Note:', kind='strong'), Span(text=' Mind the rival.', kind='plain'))
    """

    plain: str
    lead: str = ""

    @property
    def spans(self) -> tuple[Span, ...]:
        """The pieces, in their order."""
        rest = tuple(_spans(self.plain))
        if not self.lead:
            return rest
        gap = (Span(" "),) if rest and rest[0].kind == "code" else ()
        if rest and not gap:
            rest = (Span(f" {rest[0].text}"), *rest[1:])
        return (Span(in_one_line(self.lead), "strong"), *gap, *rest)


# A cell, an item of a list, a paragraph.
Words: TypeAlias = str | Text


@dataclass(frozen=True)
class Heading:
    """A title; 1 is the level of the page's own."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Some sentences."""

    text: Words


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Words, ...]


@dataclass(frozen=True)
class Table:
    """A table; each of the ``rows`` has a cell for each word of the ``head``."""

    head: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]


@dataclass(frozen=True)
class Command:
    """A command to type, and what it is good for."""

    why: str
    command: str


@dataclass(frozen=True)
class Picture:
    """A picture, which pages in Markdown leave out.

    Attributes:
        title: what it shows.
        png: the file's content.
        note: how to read it.
    """

    title: str
    png: bytes
    note: str = ""


Block: TypeAlias = Heading | Paragraph | Bullets | Table | Command | Picture


def in_one_line(text: str) -> str:
    r"""The same text without line breaks, and with unseen letters that turn or hide others shown.

    >>> in_one_line("pump\u202e9\nA")
    'pump⟨U+202E⟩9 A'
    """
    seen = _UNSEEN.sub(_shown, _TURNING.sub(_shown, text))
    return " ".join(seen.split())


def _shown(letter: re.Match[str]) -> str:
    return f"⟨U+{ord(letter[0]):04X}⟩"


def spans_of(words: Words) -> tuple[Span, ...]:
    """The pieces of a cell, an item or a paragraph.

    >>> [span.kind for span in spans_of("See `report.json`.")]
    ['plain', 'code', 'plain']
    """
    return (words if isinstance(words, Text) else Text(words)).spans


def _spans(text: str) -> Iterable[Span]:
    for number, piece in enumerate(_CODE.split(in_one_line(text))):
        if piece:
            yield Span(piece, "code" if number % 2 else "plain")


def to_markdown(blocks: Iterable[Block]) -> str:
    r"""A page in Markdown, where nothing that stands in a text becomes markup.

    >>> said = Bullets(("flow|`a`", Text("<b> rows", lead="9")))
    >>> print(to_markdown([Heading("pump-9", 1), said]))
    # pump-9
    <BLANKLINE>
    - flow|`a`
    - **9** \<b> rows
    <BLANKLINE>
    """
    written = (_MARKDOWN[type(block)](block) for block in blocks)
    return "\n\n".join(text for text in written if text) + "\n"


def _heading(block: Heading) -> str:
    return f"{'#' * block.level} {_words(block.text)}"


def _paragraph(block: Paragraph) -> str:
    return _line(block.text)


def _bullets(block: Bullets) -> str:
    return "\n".join(f"- {_line(item)}" for item in block.items)


def _table(block: Table) -> str:
    lines = [_row(block.head), f"|{'---|' * len(block.head)}"]
    return "\n".join([*lines, *(_row(cells) for cells in block.rows)])


def _row(cells: Iterable[Words]) -> str:
    # A bar ends a cell even in code.
    written = (_words(cell).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(written)} |"


def _command(block: Command) -> str:
    return f"- {_line(block.why)}: {_as_code(in_one_line(block.command))}"


def _picture(block: Picture) -> str:
    return ""


_MARKDOWN: dict[type, Callable[[Any], str]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Bullets: _bullets,
    Table: _table,
    Command: _command,
    Picture: _picture,
}


def _line(words: Words) -> str:
    """Words at the beginning of a line, where more is markup than elsewhere."""
    return _NUMBERED.sub(r"\1\\", _BEGINNING.sub(r"\\", _words(words)))


def _words(words: Words) -> str:
    return "".join(_WRITTEN[span.kind](span.text) for span in spans_of(words))


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda found: f"\\{found[0]}", text)


def _as_code(text: str) -> str:
    """Code of one line, between more backticks than it holds one after the other."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    gap = " " if longest else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def _as_strong(text: str) -> str:
    return f"**{_escaped(text)}**"


_WRITTEN = {"plain": _escaped, "code": _as_code, "strong": _as_strong}
