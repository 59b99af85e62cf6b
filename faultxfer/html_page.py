"""A page as one HTML file that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import jinja2

from faultxfer.document import Block, Heading, Words, in_one_line, spans_of

_TEMPLATES = Path(__file__).parent / "templates"
_NUMBER = re.compile(r"[+\-]?[\d.,]+( ?%)?|–")


def to_html(blocks: Iterable[Block], *, title: str, colour: str = "plain", footer: str = "") -> str:
    """The page; the same blocks give the same text.

    It may load nothing, and run nothing, even if a text got past the escaping: the policy in its
    head allows pictures within the page and its own style sheet, by its digest.

    Args:
        blocks: the page's own title first.
        title: for the browser's tab.
        colour: of the title: ``good``, ``bad``, ``doubtful`` or ``plain``; the words say it too.
        footer: one line at the end.
    """
    given = tuple(blocks)
    style = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    digest = _in_base64(hashlib.sha256(style.encode()).digest())
    return _template().render(
        blocks=given,
        contents=_contents(given),
        title=in_one_line(title),
        colour=colour,
        footer=in_one_line(footer),
        style=style,
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'",
    )


def made_by() -> str:
    """What made a page, and when: its last line."""
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"Made by faultxfer {version('faultxfer')} on {made}."


@functools.cache
def _template() -> jinja2.Template:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters |= {
        "kind": lambda block: type(block).__name__,
        "spans": spans_of,
        "line": in_one_line,
        "place": _place,
        "base64": _in_base64,
        "is_number": _is_number,
    }
    return templates.get_template("page.html")


def _contents(blocks: Iterable[Block]) -> list[str]:
    """Titles of the sections."""
    return [block.text for block in blocks if isinstance(block, Heading) and block.level == 2]


def _place(title: str) -> str:
    """Where a section is found: the address within the page.

    >>> _place("All contestants")
    'all-contestants'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _is_number(words: Words) -> bool:
    return isinstance(words, str) and _NUMBER.fullmatch(words) is not None
