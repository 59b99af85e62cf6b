"""Is a promised false-alarm rate kept on new runs? Prints the tables of ``docs/alarms.md``.

    uv run python benchmarks/alarm_rate.py --data DIR --cache DIR

Target rows are drawn from half of the runs: from as few of them as bring the rows, and from all of
them. The threshold is chosen on their out-of-fold scores and judged on normal rows of the other
half. ``--report`` prints what the cache holds; ``--simulated`` needs no data and judges against the
true rate.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from alarm_cells import DRAWS, AlarmCell, cells
from scipy.stats import norm
from transfer_tasks import TASKS

from faultxfer.bundle.threshold import AlarmThreshold, choose_threshold, effective_sample_size
from faultxfer.exact_bounds import lowest_share

CONFIDENCE = 0.95
RATES = (0.01, 0.05)
METHODS = ("promise", "rows as if independent", "estimate only")


@dataclass(frozen=True)
class Outcome:
    """One threshold on one cell.

    Attributes:
        refused: the rows could not support the request.
        estimate, realised: share of normal rows that alarm out of fold, and in the runs held out.
        low_by_run, low_by_row: lower limits of the 95 % interval of the realised rate, rows of a
            run taken together or each for itself.
    """

    refused: bool
    estimate: float
    realised: float
    low_by_run: float
    low_by_row: float


def main() -> None:
    """Measure what is missing in the cache and print the table."""
    parser = argparse.ArgumentParser(description="Is a promised false-alarm rate kept on new runs?")
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, help="folder for source models and results")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000, 4000])
    parser.add_argument("--tasks", nargs="+", choices=[task.name for task in TASKS], default=[])
    parser.add_argument(
        "--report", action="store_true", help="only print the table of what is in the cache"
    )
    parser.add_argument(
        "--simulated", action="store_true", help="only print the table of simulated machines"
    )
    given = parser.parse_args()
    if given.simulated:
        print(simulated())
        return
    if not (given.data and given.cache):
        parser.error("--data and --cache are needed, or --simulated")
    found = list(
        cells(
            given.data, given.cache, given.tasks, given.rows, given.seeds, measure=not given.report
        )
    )
    print(f"{len(found)} splits of {len({cell.task for cell in found})} tasks\n")
    print(table(found))


def table(found: Sequence[AlarmCell]) -> str:
    """One line for each request, method, draw and number of rows, as markdown."""
    lines = [
        "| asked | method | rows | from | splits | refused | out of fold | realised | ≤ asked | "
        "met, by run "
        "| met, by row | met (by run) or refused |",
        "|---:|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for rate in RATES:
        for method in METHODS:
            for rows in (*sorted({cell.rows for cell in found}), None):
                for draw in DRAWS if rows else (None,):
                    some = [
                        cell
                        for cell in found
                        if rows in (cell.rows, None) and draw in (cell.draw, None)
                    ]
                    if some:
                        outcomes = [judge(cell, rate, method) for cell in some]
                        lines.append(_line(rate, method, rows, draw, outcomes))
    return "\n".join(lines)


def judge(cell: AlarmCell, rate: float, method: str) -> Outcome:
    """Choose by the cell's own rows, look at the runs held out."""
    chosen = _choose(cell, rate, method)
    alarms = cell.test > chosen.value
    count, rows = alarms.sum(), len(alarms)
    # At the share seen, so that the design effect is that of these very alarms.
    worth = min(
        effective_sample_size(cell.test, cell.test_run, float(alarms.mean()), CONFIDENCE), rows
    )
    return Outcome(
        refused=not chosen.kept,
        estimate=chosen.estimate,
        realised=float(alarms.mean()),
        low_by_run=_lower(count / rows * worth, worth),
        low_by_row=_lower(count, rows),
    )


def _choose(cell: AlarmCell, rate: float, method: str) -> AlarmThreshold:
    run = np.arange(len(cell.y)) if method == METHODS[1] else cell.run
    return choose_threshold(
        cell.logits, cell.y, run, rate, None if method == METHODS[2] else CONFIDENCE
    )


def _lower(count: float, rows: float) -> float:
    """Lower limit of the two-sided 95 % Clopper–Pearson interval."""
    return float(lowest_share(count, rows, 0.975))


def _line(
    rate: float, method: str, rows: int | None, draw: str | None, outcomes: Sequence[Outcome]
) -> str:
    made = [outcome for outcome in outcomes if not outcome.refused]
    refused = 1 - len(made) / len(outcomes)
    by_run = [outcome.low_by_run <= rate for outcome in made]
    cells = [
        f"{rate:.0%}",
        method,
        str(rows or "all"),
        draw or "both",
        str(len(outcomes)),
        f"{refused:.0%}",
        _mean([outcome.estimate for outcome in made], ".2%"),
        _mean([outcome.realised for outcome in made], ".2%"),
        _mean([outcome.realised <= rate for outcome in made], ".0%"),
        _mean(by_run, ".0%"),
        _mean([outcome.low_by_row <= rate for outcome in made], ".0%"),
        f"{(sum(by_run) + len(outcomes) - len(made)) / len(outcomes):.0%}",
    ]
    return f"| {' | '.join(cells)} |"


def simulated(machines: int = 300) -> str:
    """Refusals and broken promises on machines whose true rate is known, as markdown."""
    lines = [
        "| asked | normal rows | likeness in a run | odd runs | refused | broken | broken, rows "
        "as if independent |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    shapes = {0.01: ((30, 40), (100, 10), (100, 40)), 0.05: ((4, 40), (10, 40), (30, 40))}
    for rate, runs_and_rows in shapes.items():
        for (runs, rows), likeness, odd in itertools.product(
            runs_and_rows, (0.0, 0.1, 0.4), (0.0, 0.05)
        ):
            drawn = [_simulated(runs, rows, likeness, odd, rate, seed) for seed in range(machines)]
            refused, broken, careless = np.mean(drawn, axis=0)
            lines.append(
                f"| {rate:.0%} | {runs} runs × {rows} | {likeness:g} | {odd:.0%} | {refused:.0%} "
                f"| {broken:.1%} "
                f"| {careless:.1%} |"
            )
    return "\n".join(lines)


def _simulated(
    runs: int, rows: int, likeness: float, odd: float, rate: float, seed: int
) -> tuple[bool, bool, bool]:
    """Refused; broken promise.

    Broken with rows as if independent. Odd runs score two deviations higher throughout.
    """
    rng = np.random.default_rng(seed)
    run, normal = np.repeat(np.arange(runs), rows), np.zeros(runs * rows)
    level = np.sqrt(likeness) * rng.normal(size=runs) + 2 * (rng.random(runs) < odd)
    scores = level[run] + np.sqrt(1 - likeness) * rng.normal(size=len(run))
    chosen, careless = (
        choose_threshold(scores, normal, each, rate, CONFIDENCE)
        for each in (run, np.arange(len(run)))
    )

    def true_rate(value: float) -> float:
        return float((1 - odd) * norm.sf(value) + odd * norm.sf(value - 2))

    return (
        not chosen.kept,
        chosen.kept and true_rate(chosen.value) > rate,
        true_rate(careless.value) > rate,
    )


def _mean(values: Sequence[float], form: str) -> str:
    return format(float(np.mean(values)), form) if values else "–"


if __name__ == "__main__":
    main()
