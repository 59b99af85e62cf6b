"""A line for each machine of a fleet, as soon as something came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.markup import escape

from faultxfer.cli.session import stderr
from faultxfer.wording import duration

if TYPE_CHECKING:
    from faultxfer.fleet.outcomes import Outcome

_COLOURS = {"done": "green", "refused": "yellow", "failed": "red"}


class Telling:
    """Tells on stderr how many machines have ended, and how long the rest may take."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._worked = 0

    def __call__(self, ended: int, of: int, outcome: Outcome) -> None:
        """Tell of one machine.

        Args:
            ended: machines that have ended, this one included.
            of: machines in all.
            outcome: what came of it.
        """
        self._worked += not outcome.before
        place = f"{ended:>{len(str(of))}}/{of}"
        word = f"[{_COLOURS[outcome.grade]}]{outcome.outcome}[/]"
        took = "skipped, done before" if outcome.before else f"{outcome.seconds:.1f} s"
        line = f"{place} {escape(outcome.machine)}: {word} [dim]({took}{self._left(of - ended)})[/]"
        stderr().print(line, soft_wrap=True)

    def _left(self, left: int) -> str:
        """How long the rest may take, by what the others took."""
        if not left or not self._worked:
            return ""
        seconds = (time.monotonic() - self._since) / self._worked * left
        return f"; about {duration(seconds)} left"
