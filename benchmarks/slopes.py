"""How a cost grows with a size: costs of sizes, slopes on logarithms, and the table of both."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

MOST_SLOPE, LEAST_SIZES = 1.1, 5


def fitted_slope(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
    """The slope of a line through logarithms, and the upper end of its 95 % interval.

    A slope of 1 is a cost in proportion to the size; two sizes have no interval (infinite).

    >>> slope, upper = fitted_slope([1, 10, 100], [2, 20, 200])
    >>> round(slope, 6), round(upper, 6)
    (1.0, 1.0)
    """
    fit = stats.linregress(np.log(sizes), np.log(costs))
    if len(sizes) < 3:
        return float(fit.slope), float("inf")
    return float(fit.slope), float(fit.slope + stats.t.ppf(0.975, len(sizes) - 2) * fit.stderr)


@dataclass(frozen=True)
class Cost:
    """What one size took: seconds of each run, those of a process that only starts, and GB."""

    what: str
    by: str
    size: int
    processor: list[float]
    clock: list[float]
    start_processor: float
    start_clock: float
    peak: float
    release: str
    date: str

    def net(self, *, wall: bool) -> float:
        """Seconds above the start, never less than a hundredth, so that there is a logarithm."""
        taken, start = (
            (self.clock, self.start_clock) if wall else (self.processor, self.start_processor)
        )
        return max(statistics.median(taken) - start, 0.01)


def kept(file: Path | None) -> list[Cost]:
    """What a file holds; nothing where there is none."""
    if file is None or not file.exists():
        return []
    return [Cost(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def series(costs: list[Cost]) -> dict[tuple[str, str], list[Cost]]:
    """Costs of each release and command, by size."""
    found: dict[tuple[str, str], list[Cost]] = {}
    for one in costs:
        found.setdefault((one.release, one.what), []).append(one)
    return {key: sorted(of_one, key=lambda one: one.size) for key, of_one in found.items()}


def print_table(costs: list[Cost], *, wall: bool) -> None:
    """A line for each command: seconds net of the start, slopes, and the goal."""
    unit = "on the clock" if wall else "of the processor"
    print(f"Seconds {unit}, net of the start; {os.cpu_count()} processors.\n")
    print("| command | sizes | seconds | start, s | GB | slope | at most | last two | goal | |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|---|")
    for (release, what), of_size in series(costs).items():
        sizes, net = [one.size for one in of_size], [one.net(wall=wall) for one in of_size]
        title = what if release == "today" else f"{what}, {release}"
        start = of_size[-1].start_clock if wall else of_size[-1].start_processor
        cells = [title, f"{sizes[0]:,} to {sizes[-1]:,} {of_size[0].by}"]
        cells += [", ".join(f"{one:.2g}" if one < 1 else f"{one:.1f}" for one in net)]
        cells += [f"{start:.1f}", f"{max(one.peak for one in of_size):.2f}"]
        print(f"| {' | '.join([*cells, *_slopes(sizes, net)])} |")


def _slopes(sizes: list[int], net: list[float]) -> list[str]:
    """Slope, upper end, the slope of the last two sizes, the goal, and whether it is kept."""
    if len(sizes) < 2:
        return ["–"] * 5
    slope, upper = fitted_slope(sizes, net)
    last, _ = fitted_slope(sizes[-2:], net[-2:])
    verdict = "kept" if upper <= MOST_SLOPE else "missed"
    if len(sizes) < LEAST_SIZES:
        verdict = "too few sizes"
    return [f"{one:.2f}" for one in (slope, upper, last, MOST_SLOPE)] + [verdict]
