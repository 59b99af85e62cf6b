"""Patterns of names of files and tags, such as ``{machine}_{tag}``: which part says what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from faultxfer.reading.endings import TABLES

TAG = "tag"
_PARTS = re.compile(r"\{([^{}]+)\}|(\*)")


def fields_of(pattern: str) -> list[str]:
    """The names in braces, in their order.

    >>> fields_of("{machine}/export_{tag}_*")
    ['machine', 'tag']
    """
    return [name for name, _ in _PARTS.findall(pattern) if name]


def matched(pattern: str, text: str, known: Iterable[str] = ()) -> dict[str, str] | None:
    """What stands in place of each name in braces; None where the text does not fit.

    A tag that is known decides where one name ends and the next begins:

    >>> matched("{machine}_{tag}", "fan_2_flow", ["flow"])
    {'machine': 'fan_2', 'tag': 'flow'}
    >>> matched("{machine}_{tag}", "P101_oil_level", ["flow"])
    {'machine': 'P101', 'tag': 'oil_level'}
    """
    tags = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    for tag in filter(None, (tags, "[^/]+")):
        found = re.fullmatch(_as_regex(pattern, tag), text)
        if found:
            return dict(zip(fields_of(pattern), found.groups(), strict=True))
    return None


def _as_regex(pattern: str, tag: str) -> str:
    parts, end = [], 0
    for found in _PARTS.finditer(pattern):
        parts.append(re.escape(pattern[end : found.start()]))
        parts.append(_group(found[1], tag))
        end = found.end()
    return "".join([*parts, re.escape(pattern[end:])])


def _group(field: str | None, tag: str) -> str:
    if field is None:
        return ".*"
    return f"({tag})" if field == TAG else "([^/]+?)"


def named_path(path: Path, pattern: str) -> str:
    """The part of a path that a pattern is about: without its ending, with as many folders.

    >>> named_path(Path("/exports/P101/flow.csv.gz"), "{machine}/{tag}")
    'P101/flow'
    """
    parts = path.absolute().parts[-1 - pattern.count("/") :]
    return "/".join([*parts[:-1], stem(path)])


def stem(path: Path) -> str:
    """The name of a file without its ending."""
    ending = next((end for end in TABLES[::-1] if path.name.lower().endswith(end)), "")
    return path.name.removesuffix(path.name[len(path.name) - len(ending) :])
