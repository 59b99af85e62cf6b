"""Watch a folder, and print what came of each file as soon as it is known."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rich.markup import escape

from faultxfer.cli.pipelines import run_watch
from faultxfer.cli.session import as_json, stderr
from faultxfer.deployments import load_deployments
from faultxfer.landing.events import Event, Watched
from faultxfer.landing.families import watch_of
from faultxfer.requests import WatchRequest, make_request


@dataclass
class Watch:
    """How to watch, and where to print: while the work runs, what it prints itself goes elsewhere.

    Attributes:
        once: look once, and end.
        prefect: whether the work on each file is a flow run; None where a server is named.
        json_output: one JSON object, or one for each file where it goes on.
    """

    once: bool
    prefect: bool | None
    json_output: bool
    out: TextIO = field(default_factory=lambda: sys.stdout)

    def run(self, settings: Path | None, family: str | None, **given: Any) -> Watched:
        """Watch until it is stopped, or once.

        Args:
            settings: file of the deployed families.
            family: which of them.
            **given: fields that differ from its settings.
        """
        request = _request(settings, family, minutes=0.0 if self.once else math.inf, **given)
        where = f"Watching {request.landing} for source model {request.model}"
        stderr().print(f"[dim]{escape(where)}{'' if self.once else '; Ctrl-C ends it'}[/]")
        try:
            result = run_watch(request, self.prefect, self._tell)
        except KeyboardInterrupt:
            if self.once:
                raise
            return Watched(str(request.landing), ())  # how it is meant to end
        self._end(result)
        return result

    def _tell(self, event: Event) -> None:
        if not self.json_output:
            self._write(f"{event.outcome}: {event.sentence}")
            if event.next:
                self._write(f"  Next: {event.next.why}:\n    {event.next.command}")
        elif not self.once:
            self._write(as_json(event.as_dict()))

    def _end(self, result: Watched) -> None:
        if not self.json_output:
            self._write(result.headline)
        elif self.once:
            self._write(as_json(result.as_dict()))

    def _write(self, line: str) -> None:
        self.out.write(f"{line}\n")
        self.out.flush()


def _request(settings: Path | None, family: str | None, **given: Any) -> WatchRequest:
    """What is asked: contract and model as they are named, else those of a family."""
    if given.get("contract") and given.get("model") and given.get("landing"):
        return make_request(WatchRequest, **given)
    return watch_of(load_deployments(settings), family, **given)
