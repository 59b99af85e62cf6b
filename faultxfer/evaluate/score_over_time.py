"""The candidate's probability row after row, with true faults and alarms."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from faultxfer.data.moments import has_dates
from faultxfer.evaluate.drawing import (
    BLUE,
    CANDIDATE,
    GREY,
    ORANGE,
    RED,
    SMALL,
    Style,
    new_figure,
    with_legend_below,
)
from faultxfer.evaluate.events import stretches_of
from faultxfer.evaluate.rows import ScoredRows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What can be told apart at 8 inches.
_MOST_ROWS, _MOST_LABELS, _LABEL_WIDTH = 3000, 12, 18
# Where alarms are marked, below the probabilities: true ones, then false ones.
_TRUE_ALARMS, _FALSE_ALARMS, _BOTTOM, _TOP = -0.05, -0.12, -0.17, 1.04


def score_over_time_figure(scored: ScoredRows, who: str = CANDIDATE) -> Figure:
    """The model's probability row after row, with true faults shaded and alarms marked."""
    all_runs, dated = runs_in_order(scored)
    runs = readable_runs(all_runs, scored.y)
    starts = np.cumsum([0, *(len(run) for run in runs[:-1])])
    shown = scored.take(np.concatenate(runs))
    title = f"What the {who} says over time, and where the faults were"
    if len(runs) < len(all_runs):
        title += f"\n({len(runs)} of {len(all_runs)} runs are shown and counted here)"
    figure, (axes,) = new_figure(title)
    _draw_scores(axes, shown, starts)
    labels = _dates_of(shown, starts) if dated else _names_of(shown, starts)
    _label_runs(axes, starts, len(shown.y), labels)
    what = "start of the run, UTC" if dated else "name of the run"
    axes.set(xlim=(-0.5, len(shown.y) - 0.5), ylim=(_BOTTOM, _TOP), yticks=np.linspace(0, 1, 6))
    axes.set(xlabel=f"rows, one run after the other ({what})", ylabel="fault probability")
    axes.grid(visible=False, axis="x")
    return with_legend_below(figure, columns=2)


def runs_in_order(scored: ScoredRows) -> tuple[list[np.ndarray], bool]:
    """Row positions of each run in time order, and whether the runs are ordered by date.

    Dates count where all times are seconds since 1970 and most runs start at a time of their own;
    otherwise the order is that of the runs' names. Rows without times keep their order.
    """
    names, place, counts = np.unique(scored.run, return_inverse=True, return_counts=True)
    runs = np.split(np.lexsort((scored.time, place)), np.cumsum(counts)[:-1])
    starts = np.array([scored.time[run[0]] for run in runs])
    dated = has_dates(scored.time) and len(np.unique(starts)) > len(starts) / 2
    keys = [natural_key(name) for name in names.tolist()]
    if dated:
        order = sorted(range(len(runs)), key=lambda k: (starts[k], keys[k]))
    else:
        order = sorted(range(len(runs)), key=lambda k: keys[k])
    return [runs[k] for k in order], dated


def natural_key(name: str) -> list[tuple[str, int]]:
    """Digits count as numbers in the order of names.

    >>> sorted(["run 10", "run 2"], key=natural_key)
    ['run 2', 'run 10']
    """
    return [(text, int(digits or -1)) for text, digits in re.findall(r"(\D*)(\d*)", name)]


def readable_runs(runs: list[np.ndarray], y: np.ndarray) -> list[np.ndarray]:
    """As many whole runs as can be read, half of them with faults if possible, spread evenly."""
    faulty = [k for k, rows in enumerate(runs) if (y[rows] == 1).any()]
    normal = [k for k, rows in enumerate(runs) if not (y[rows] == 1).any()]
    chosen = list(range(len(runs)))
    while len(chosen) > 2 and sum(len(runs[k]) for k in chosen) > _MOST_ROWS:
        count = min(len(chosen) - 1, _MOST_ROWS)
        with_faults = min(len(faulty), max(count - len(normal), -(-count // 2)))
        chosen = _spread(faulty, with_faults) + _spread(normal, count - with_faults)
        chosen.sort()
    return [runs[k] for k in chosen]


def _spread(places: list[int], count: int) -> list[int]:
    """``count`` of the places, evenly spread over them."""
    picked = np.linspace(0, len(places) - 1, count).round()
    return [places[int(k)] for k in picked]


def _draw_scores(axes: Axes, shown: ScoredRows, starts: np.ndarray) -> None:
    """Row positions are the x axis."""
    place = np.arange(len(shown.y))
    faults = [(first - 0.5, last - first) for first, last in stretches_of(shown.y == 1)]
    shade: Style = {"facecolor": ORANGE, "edgecolor": ORANGE, "alpha": 0.35}
    axes.broken_barh(faults, (0, 1), label="true fault", **shade)
    axes.vlines(starts[1:] - 0.5, _BOTTOM, _TOP, color=GREY, linewidth=0.7, zorder=1)
    # A NaN before each run's first row lifts the pen between runs.
    x = np.insert(place.astype(float), starts, np.nan)
    p = np.insert(shown.probabilities.astype(float), starts, np.nan)
    size = 5.0 if len(place) < 300 else 1.5
    axes.plot(x, p, color=BLUE, linewidth=1, marker=".", ms=size, label="fault probability")
    _mark_alarms(axes, place[shown.alarms & (shown.y == 1)], "true", _TRUE_ALARMS, "black")
    if (shown.y < 0).any():
        unknown = place[shown.alarms & (shown.y < 0)]
        _mark_alarms(axes, unknown, "nobody knows whether true", _FALSE_ALARMS, GREY)
        return
    _mark_alarms(axes, place[shown.alarms & (shown.y == 0)], "false", _FALSE_ALARMS, RED)


def _mark_alarms(axes: Axes, at: np.ndarray, kind: str, height: float, color: str) -> None:
    heights, label = np.full(len(at), height), f"alarm, {kind} ({len(at)} rows)"
    axes.plot(at, heights, "|", color=color, ms=9, mew=1.5, label=label)


def _label_runs(axes: Axes, starts: np.ndarray, rows: int, labels: list[str]) -> None:
    """Label runs at their start, but none that would come too close to the label before."""
    shown: dict[int, str] = {}
    for start, label in zip(starts.tolist(), labels, strict=True):
        if not shown or start - max(shown) >= rows / _MOST_LABELS:
            shown[start] = label
    axes.set_xticks(
        [*shown], [*shown.values()], parse_math=False, rotation=30, ha="right", size=SMALL
    )


def _names_of(shown: ScoredRows, starts: np.ndarray) -> list[str]:
    return distinct_names([str(name) for name in shown.run[starts].tolist()])


def distinct_names(names: list[str]) -> list[str]:
    """Names short enough for labels, without what all of them begin and end with.

    Of one that is too long still the ends are shown: machine and recording.

    >>> distinct_names(["hall 3 pump/run 1, a long name", "hall 3 pump/run 12, a long name"])
    ['…1…', '…12…']
    >>> distinct_names(["pump/run 1", "pump/run 2"])
    ['pump/run 1', 'pump/run 2']
    """
    if max(map(len, names)) <= _LABEL_WIDTH:
        return names
    first, last = _common(names)
    return [_shortened(name, first, len(name) - last) for name in names]


def _common(names: list[str]) -> tuple[int, int]:
    """How many letters all names begin with, and how many they end with beyond these; in words."""
    words = [re.findall(r"\w+|\W", name) for name in names]
    if len(set(names)) < 2:
        return 0, 0
    first = _alike(words)
    last = _alike([one[len(first) :][::-1] for one in words])
    return len("".join(first)), len("".join(last))


def _alike(names: list[list[str]]) -> list[str]:
    """The words that all begin with."""
    places = zip(*names, strict=False)
    return [words[0] for words in itertools.takewhile(lambda words: len(set(words)) == 1, places)]


def _shortened(name: str, first: int, last: int) -> str:
    before, after = "…" if first else "", "…" if last < len(name) else ""
    inner = name[first:last]
    room = _LABEL_WIDTH - len(before) - len(after)
    if len(inner) > room:
        half = (room - 1) // 2
        inner = f"{inner[:half]}…{inner[-half:]}"
    return f"{before}{inner}{after}"


def _dates_of(shown: ScoredRows, starts: np.ndarray) -> list[str]:
    """Start of each run, with the hour where two runs start on one day."""
    moments = [datetime.fromtimestamp(time, UTC) for time in shown.time[starts]]
    days = {moment.date() for moment in moments}
    form = "%Y-%m-%d" if len(days) == len(moments) else "%Y-%m-%d %H:%M"
    return [moment.strftime(form) for moment in moments]
