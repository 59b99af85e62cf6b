"""Shapes of answers in JSON, as docs/json.md has them, and how an answer differs from its shape."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).resolve().parents[1] / "docs" / "json.md"
# A JSON schema, of which others say what stands in it.
FREE = ("contract schema",)
_PLAIN: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "count": (int,),
    "flag": (bool,),
}


class Key(NamedTuple):
    """A line of a table."""

    kind: str
    always: bool


Shape = dict[str, Key]


@functools.cache
def shapes() -> dict[str, list[Shape]]:
    """Shapes by command, ``error`` and name of a part; a command may have several."""
    found: dict[str, list[Shape]] = {}
    for section in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        title = section.splitlines()[0]
        name = title.split("`")[1] if "`" in title else title
        rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+) \|$", section, flags=re.M)
        shape = {key: Key(kind, "(not always)" not in meaning) for key, kind, meaning in rows}
        found.setdefault(name, []).append(shape)
    return found


def differences(name: str, answer: dict[str, Any]) -> list[str]:
    """What is not as documented: the fewest differences from one of the command's shapes."""
    if answer.get("outcome") == "error":
        name = "An error"
    if name in FREE:
        return []
    if name not in shapes():
        return [f"{name}: no such section"]
    found = [list(_of_shape(name, shape, answer)) for shape in shapes()[name]]
    return min(found, key=len)


def _of_shape(where: str, shape: Shape, answer: Any) -> Iterator[str]:
    if not isinstance(answer, dict):
        yield f"{where}: no object"
        return
    yield from (f"{where}.{key}: not documented" for key in answer if key not in shape)
    for key, (kind, always) in shape.items():
        if key in answer:
            yield from _of_kind(f"{where}.{key}", kind, answer[key])
        elif always:
            yield f"{where}.{key}: missing"


def _of_kind(where: str, kind: str, value: Any) -> Iterator[str]:
    if kind == "any":
        return
    if kind.endswith(" or null"):
        if value is not None:
            yield from _of_kind(where, kind.removesuffix(" or null"), value)
    elif kind.startswith("list of "):
        yield from _of_several(where, kind.removeprefix("list of "), value, list)
    elif kind.endswith(" by name"):
        yield from _of_several(where, kind.removesuffix(" by name"), value, dict)
    elif part := re.fullmatch(r"\[([^]]+)\]\(#\1\)", kind):
        yield from _of_shape(where, shapes()[part[1]][0], value)
    elif type(value) not in _PLAIN[kind]:
        yield f"{where}: {type(value).__name__} in place of {kind}"


def _of_several(where: str, kind: str, value: Any, outer: type) -> Iterator[str]:
    # Before it is written, a list may be a tuple.
    if not isinstance(value, (list, tuple) if outer is list else outer):
        yield f"{where}: {type(value).__name__} in place of {outer.__name__}"
        return
    values = value.values() if isinstance(value, dict) else value
    for one in values:
        yield from _of_kind(f"{where}[]", kind, one)
