"""How often is a bound wrong where few runs hold faults? Prints a table of ``docs/gate.md``.

    uv run python benchmarks/interval_coverage.py

Two equally good models are simulated by their alarms alone: in each run each of them alarms on a
share of fault rows and on a share of normal rows that is its own there, drawn from one normal
distribution for both models. The truth is a difference of 0; a bound of 95 % confidence is to lie
on the wrong side of it in 5 % of cases. Where every run holds faults, ``gate_calibration.py``
looks.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from faultxfer.evaluate.intervals import Resamples, clopper_pearson, resample, resampled_metrics
from faultxfer.evaluate.rows import ScoredRows, clusters_of

RUN_ROWS, RUN_FAULTS = 100, 50
LAYOUTS = ((3, 14), (4, 14), (5, 15), (10, 10))  # runs with and without faults
# Mean and standard deviation over runs of the share of rows that alarm.
NORMAL_ALARMS, FAULT_ALARMS = (0.2, 0.05), (0.6, 0.1)
FIGURES = ("recall", "false_alarm_rate", "roc_auc")


def alarms_of_a_model(y: np.ndarray, run: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(m,) alarms, at shares that differ from run to run."""
    runs = int(run.max()) + 1
    normal, fault = (rng.normal(mean, sd, runs)[run] for mean, sd in (NORMAL_ALARMS, FAULT_ALARMS))
    return np.asarray(rng.random(len(y)) < np.where(y == 1, fault, normal))


def figures_of(y: np.ndarray, alarms: np.ndarray, resamples: Resamples) -> dict[str, np.ndarray]:
    """The package's own figures.

    Alarms stand for scores, which makes the ROC-AUC one of two levels.
    """
    return resampled_metrics(ScoredRows(y, alarms.astype(float), alarms, y, y), resamples)


def wrong(faulty: int, normal: int, pairs: int) -> dict[str, str]:
    """For each figure the share of bounds, low and high ones, that leave 0 outside.

    With an exact 95 % interval.
    """
    rng = np.random.default_rng([faulty, normal])
    run = np.repeat(np.arange(faulty + normal), RUN_ROWS)
    y = ((run < faulty) & (np.tile(np.arange(RUN_ROWS), faulty + normal) < RUN_FAULTS)).astype(
        np.int8
    )
    resamples = resample(y, clusters_of(y, run, np.full(len(y), np.nan)))
    counts = dict.fromkeys(FIGURES, 0)
    for _ in range(pairs):
        one, other = (figures_of(y, alarms_of_a_model(y, run, rng), resamples) for _ in range(2))
        for name in FIGURES:
            interval = resamples.interval(other[name] - one[name], 0.95, -1, 1)
            # Which model is called the first is arbitrary, so each pair tries a bound twice.
            counts[name] += interval is not None and (interval.low > 0) + (interval.high < 0)
    shares = {name: clopper_pearson(count, 2 * pairs, 0.975) for name, count in counts.items()}
    return {
        name: f"{share.estimate:.1%} [{share.low:.1%}, {share.high:.1%}]"
        for name, share in shares.items()
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description="How often is a bound wrong where few runs hold faults?"
    )
    parser.add_argument("--pairs", type=int, default=5000, help="simulated pairs for each row")
    pairs = parser.parse_args().pairs
    began = time.process_time()
    print(
        f"| runs with faults | runs without | {' | '.join(FIGURES)} "
        f"|\n|---:|---:|{'---:|' * len(FIGURES)}"
    )
    for faulty, normal in LAYOUTS:
        print(
            f"| {faulty} | {normal} | {' | '.join(wrong(faulty, normal, pairs).values())} |",
            flush=True,
        )
    print(f"\n{time.process_time() - began:.0f} s of processor time.")


if __name__ == "__main__":
    main()
