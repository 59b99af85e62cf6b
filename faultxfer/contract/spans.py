"""Lengths of time as contracts write them: 30s, 10min, 2h, 1d."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?\s*")


def seconds_of(span: str) -> float:
    """A span in seconds, or in steps of a time column that counts something else.

    >>> seconds_of("10min"), seconds_of("2 h"), seconds_of("4")
    (600.0, 7200.0, 4.0)
    """
    found = _SPAN.fullmatch(span)
    if found is None:
        raise ValueError(f"no span: {span!r}")
    return float(found[1]) * _SECONDS[found[2] or "s"]


def _is_span(value: object) -> str | None:
    text = None if value is None else str(value)
    if text is not None and not _SPAN.fullmatch(text):
        raise ValueError(f"a time such as 30s, 10min, 2h or 1d is needed. Received: {value!r}")
    return text


def _is_some_span(value: object) -> str | None:
    text = _is_span(value)
    if text is not None and not seconds_of(text):
        raise ValueError(f"a time such as 30s, 10min, 2h or 1d is needed. Received: {value!r}")
    return text


# A span of nothing may be one of these, and none of those.
Span = Annotated[str | None, BeforeValidator(_is_span)]
SomeSpan = Annotated[str | None, BeforeValidator(_is_some_span)]
