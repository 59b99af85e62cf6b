"""What a score leaves for the next file: last rows, alarms and the time of each recording.

So a machine whose files come one by one is scored as if they had come as one. The file says who
left it, and is taken by nobody else: another version would go on with what it never said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from faultxfer.bundle.delays import AlarmState
from faultxfer.data.fading import Tail
from faultxfer.errors import ConfigError, DataError
from faultxfer.outputs import written_whole

FORMAT = 1
_Kept = TypeVar("_Kept")
# Recordings that are remembered: those that were heard of last.
_MOST = 1_000
_ANEW = "Name another file as --state, or remove this one to begin anew"


@dataclass(frozen=True)
class OpenAlarm:
    """An alarm that is on at the last row of a recording.

    Attributes:
        event: its name.
        first_time: of its first row, as it stands in the file; None without times.
        begin: the same in seconds, or as number of the sequence; None without times.
    """

    event: str
    first_time: str | None
    begin: float | None


@dataclass
class ScoreState:
    """What is remembered between two files.

    Attributes:
        scorer: who scores, in plain data: model, version, hash of its files, machine.
        latest: time of the last row by recording.
        tails: what was said of the last rows by recording, where scores are smoothed.
        alarms: what delays wait for by recording, where alarms are delayed.
        still_on: alarms that are on by recording.
        readings: of the last rows by recording, where members read windows.
    """

    scorer: dict[str, Any]
    latest: dict[str, float] = field(default_factory=dict)
    tails: dict[str, Tail] = field(default_factory=dict)
    alarms: dict[str, AlarmState] = field(default_factory=dict)
    still_on: dict[str, OpenAlarm] = field(default_factory=dict)
    readings: dict[str, Tail] = field(default_factory=dict)

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

    def remember(
        self,
        latest: Iterable[tuple[str, float]],
        tails: dict[str, Tail],
        alarms: dict[str, AlarmState],
        still_on: dict[str, OpenAlarm],
        readings: dict[str, Tail],
    ) -> None:
        """Go on from further rows of some recordings, the last ones at the end."""
        for name, time in latest:
            self.latest.pop(name, None)  # to the end of the order
            self.latest[name] = time
            self.still_on.pop(name, None)
        self.tails |= tails
        self.alarms |= alarms
        self.still_on |= still_on
        self.readings |= readings
        kept = list(self.latest)[-_MOST:]
        self.latest = {name: self.latest[name] for name in kept}
        self.tails = _only(self.tails, kept)
        self.alarms = _only(self.alarms, kept)
        self.still_on = _only(self.still_on, kept)
        self.readings = _only(self.readings, kept)

    def write(self, path: Path) -> None:
        """Write it whole.

        Raises:
            ConfigError: there cannot be such a file.
        """
        plain = {
            "format": FORMAT,
            "scorer": self.scorer,
            "latest": self.latest,
            "tails": _plain(self.tails),
            "readings": _plain(self.readings),
            "alarms": {name: _without_nan(asdict(one)) for name, one in self.alarms.items()},
            "still_on": {name: asdict(one) for name, one in self.still_on.items()},
        }
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
        alarms = {str(name): _alarm(one) for name, one in plain.get("alarms", {}).items()}
        still_on = {str(name): OpenAlarm(**one) for name, one in plain.get("still_on", {}).items()}
        tails, readings = (_tails(plain[key]) for key in ("tails", "readings"))
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
    return ScoreState(scorer, latest, tails, alarms, still_on, readings)


def _only(kept: dict[str, _Kept], names: list[str]) -> dict[str, _Kept]:
    return {name: kept[name] for name in names if name in kept}


def _without_nan(plain: dict[str, Any]) -> dict[str, Any]:
    """NaN is no JSON."""
    return {name: None if value != value else value for name, value in plain.items()}


def _alarm(plain: dict[str, Any]) -> AlarmState:
    above, below = (
        float("nan") if plain[name] is None else float(plain[name]) for name in ("above", "below")
    )
    return AlarmState(float(plain["time"]), bool(plain["on"]), above, below, bool(plain["runs"]))


def _plain(tails: dict[str, Tail]) -> dict[str, Any]:
    return {
        name: {"time": tail.time.tolist(), "values": tail.values.tolist()}
        for name, tail in tails.items()
    }


def _tails(plain: dict[str, Any]) -> dict[str, Tail]:
    return {str(name): _tail(tail) for name, tail in plain.items()}


def _tail(plain: dict[str, Any]) -> Tail:
    time, values = (np.array(plain[name], dtype=np.float64) for name in ("time", "values"))
    whole = len(time) == len(values) and np.isfinite(values).all() and (np.diff(time) >= 0).all()
    if not whole:
        raise ValueError("the rows that it keeps are not whole")
    return Tail(time, values)
