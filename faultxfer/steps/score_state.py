"""What a score leaves for the next file: the last rows of each recording, and how far it got.

So a machine whose files come one by one is scored as if they had come as one. The file says who
left it, and is taken by nobody else: another version would go on with what it never said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.smoothing import Tail
from faultxfer.errors import ConfigError, DataError
from faultxfer.outputs import written_whole

FORMAT = 1
# Recordings that are remembered: those that were heard of last.
_MOST = 1_000
_ANEW = "Name another file as --state, or remove this one to begin anew"


@dataclass
class ScoreState:
    """What is remembered between two files.

    Attributes:
        scorer: who scores, in plain data: model, version, hash of its files, machine.
        latest: time of the last row by recording.
        tails: last rows by recording.
    """

    scorer: dict[str, Any]
    latest: dict[str, float] = field(default_factory=dict)
    tails: dict[str, Tail] = field(default_factory=dict)

    def require_later(self, recording: str, first: float) -> None:
        """Refuse rows from before the end of what was scored already.

        Raises:
            DataError: the first time of a recording is no later than that of the last row before.
        """
        before = self.latest.get(recording, -np.inf)
        if first <= before:
            raise DataError(
                "These rows do not follow those that were scored before: some are as old or older",
                received={"first": first, "scored up to": before},
                where=f"recording {recording!r}",
                remedy="Give files in the order of time, each once; score a file again without "
                "--state",
            )

    def remember(self, latest: Iterable[tuple[str, float]], tails: dict[str, Tail]) -> None:
        """Go on from further rows of some recordings, the last ones at the end."""
        for name, time in latest:
            self.latest.pop(name, None)  # to the end of the order
            self.latest[name] = time
        self.tails |= tails
        kept = list(self.latest)[-_MOST:]
        self.latest = {name: self.latest[name] for name in kept}
        self.tails = {name: self.tails[name] for name in kept if name in self.tails}

    def write(self, path: Path) -> None:
        """Write it whole.

        Raises:
            ConfigError: there cannot be such a file.
        """
        tails = {
            name: {"time": tail.time.tolist(), "logits": tail.logits.tolist()}
            for name, tail in self.tails.items()
        }
        plain = {"format": FORMAT, "scorer": self.scorer, "latest": self.latest, "tails": tails}
        with written_whole("state", path) as part:
            part.write_text(json.dumps(plain), encoding="utf-8")


def read_state(path: Path, scorer: dict[str, Any]) -> ScoreState:
    """The state that a score left, or an empty one where there is no file.

    Args:
        path: of the file.
        scorer: who is to go on.

    Raises:
        ConfigError: it is no state, or another version or machine left it.
    """
    if not path.exists():
        return ScoreState(scorer)
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain["format"] != FORMAT:
            raise ValueError(f"its format is {plain['format']!r}, and not {FORMAT}")
        latest = {str(name): float(time) for name, time in plain["latest"].items()}
        tails = {str(name): _tail(tail) for name, tail in plain["tails"].items()}
        left_by = dict(plain["scorer"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            "This is no state that `score` left",
            received={"problem": f"{type(error).__name__}: {error}"},
            where=str(path),
            remedy=_ANEW,
        ) from error
    for name, value in scorer.items():
        if left_by.get(name) != value:
            raise ConfigError(
                "This state was left by another detector or for another machine",
                received={name: left_by.get(name), "now": value},
                where=str(path),
                remedy=_ANEW,
            )
    return ScoreState(scorer, latest, tails)


def _tail(plain: dict[str, Any]) -> Tail:
    time, logits = (np.array(plain[name], dtype=np.float64) for name in ("time", "logits"))
    whole = len(time) == len(logits) and np.isfinite(logits).all() and (np.diff(time) >= 0).all()
    if not whole:
        raise ValueError("the rows that it keeps are not whole")
    return Tail(time, logits)
