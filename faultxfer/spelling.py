"""What somebody may have meant by a name that nothing has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

# difflib's own: of the letters of both, this share stands in the same order.
_LIKE = 0.6


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like the one given; None where none is.

    Capitals do not count. Numbers do: a second pump is no misspelling of the first.

    >>> meant("Presure", ["pressure", "flow"]), meant("pump-7", ["pump-8"])
    ('pressure', None)
    """
    numbers = _numbers(name)
    alike = {one.casefold(): one for one in known if _numbers(one) == numbers}
    found = get_close_matches(name.casefold(), alike, n=1, cutoff=_LIKE)
    return alike[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that names it; empty where nothing is like it.

    >>> did_you_mean("stak", ["stack", "tradaboost"])
    "Did you mean 'stack'?"
    """
    found = meant(name, known)
    return f"Did you mean {found!r}?" if found else ""


def told(problem: str, question: str) -> str:
    """A problem, with the question behind it where there is one."""
    return f"{problem}. {question}" if question else problem


def asking(name: str, known: Iterable[str], remedy: str) -> str:
    """The question, where there is one, in front of what else can be done.

    >>> asking("pmup", ["pump"], "Check --model")
    "Did you mean 'pump'? Check --model"
    """
    return f"{did_you_mean(name, known)} {remedy}".strip()


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]
