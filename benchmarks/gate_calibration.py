"""Is the gate itself calibrated? Prints the tables of ``docs/gate.md``.

    uv run python benchmarks/gate_calibration.py

Scores of champion and challenger are simulated, so that the truth is known, and go through the very code that judges a
transfer. A row's score is a normal variable: the model's own power to tell faults, an effect of the row's run, and an
effect of the row; each effect is correlated between the two models. How alike two models of one machine are, and how
much of what they disagree in belongs to whole runs, was measured on real retrains: see ``SETTINGS``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate import judge
from faultxfer.evaluate.gate.check import Evidence
from faultxfer.evaluate.intervals import clopper_pearson
from faultxfer.evaluate.measuring import compare, measured
from faultxfer.evaluate.rows import Judged

SHARE = 0.2
ALARM_RATE = 0.05
POINTS = 0.05


@dataclass(frozen=True)
class Setting:
    """How champion and challenger resemble each other.

    Attributes:
        name: in words.
        correlation: of their scores inside a class.
        within_run: share of the scores' variance, and of what the models disagree in, that belongs to whole runs.
    """

    name: str
    correlation: float
    within_run: float


# Stacks of 50 and of 200 labelled rows on the same test rows of seven machines with many runs (three seeds each): the
# correlation inside a class has quartiles .71, .90, .95, the share of runs in the disagreement .48, .58, .75.
SETTINGS = (
    Setting("very alike", 0.98, 0.2),
    Setting("alike", 0.95, 0.2),
    Setting("typical retrain", 0.9, 0.5),
    Setting("unlike", 0.7, 0.5),
)


@dataclass(frozen=True)
class Size:
    """How many rows judge: ``runs`` runs of 15 rows, 3 of them faults."""

    runs: int

    @property
    def words(self) -> str:
        """As in the tables."""
        return f"{15 * self.runs} rows, {3 * self.runs} faults, {self.runs} runs"


@dataclass(frozen=True)
class Scenario:
    """What is true of the challenger, as differences of its figure in each of two operating modes.

    Attributes:
        name: in words.
        gains: in the first and the second mode; equal ones are a gain on the whole.
        figure: ``roc_auc`` or ``pr_auc``, in which champion and gains are given.
        base: the champion's figure.
    """

    name: str
    gains: tuple[float, float]
    figure: str = "roc_auc"
    base: float = 0.85


def distance(figure: str, value: float) -> float:
    """Distance between the classes, in standard deviations, that gives a figure at a fault share of ``SHARE``."""
    if figure == "roc_auc":
        return float(np.sqrt(2) * norm.ppf(value))
    return float(brentq(lambda d: _average_precision(d) - value, 0, 8))


def _average_precision(d: float) -> float:
    cuts = np.linspace(-7, 14, 6001)
    found, false = norm.sf(cuts - d), norm.sf(cuts)
    precision = SHARE * found / (SHARE * found + (1 - SHARE) * false)
    return float(-np.trapezoid(precision, found))


def simulate(
    scenario: Scenario, setting: Setting, size: Size, rng: np.random.Generator
) -> tuple[Judged, Judged, np.ndarray]:
    """Champion and challenger on the same rows, and the operating mode of each row."""
    run = np.repeat(np.arange(size.runs), 15)
    y = np.tile(np.r_[np.zeros(12), np.ones(3)].astype(np.int8), size.runs)
    mode = run % 2
    both = np.linalg.cholesky([[1, setting.correlation], [setting.correlation, 1]])
    of_run, of_faults = (both @ rng.standard_normal((2, size.runs)) for _ in range(2))
    # What a run's faults look like is half its own.
    shared = np.where(y == 1, (of_run + of_faults)[:, run] / np.sqrt(2), of_run[:, run])
    noise = both @ rng.standard_normal((2, len(y)))
    latent = np.sqrt(setting.within_run) * shared + np.sqrt(1 - setting.within_run) * noise
    before = np.full(2, distance(scenario.figure, scenario.base))
    after = np.array([distance(scenario.figure, scenario.base + gain) for gain in scenario.gains])
    pairs = zip(latent, (before, after), strict=True)
    champion, challenger = (_said(z + far[mode] * y, y, run, float(far.mean())) for z, far in pairs)
    return champion, challenger, np.where(mode == 0, "low speed", "high speed")


def _said(score: np.ndarray, y: np.ndarray, run: np.ndarray, far: float) -> Judged:
    """Calibrated probabilities, and alarms at a threshold with the false-alarm rate asked for."""
    logit = far * score - far**2 / 2 + np.log(SHARE / (1 - SHARE))
    return Judged(y, 1 / (1 + np.exp(-logit)), score > norm.isf(ALARM_RATE), run.astype(str), np.full(len(y), np.nan))


def outcome(
    scenario: Scenario, setting: Setting, size: Size, options: GateOptions, rng: np.random.Generator, *, modes: bool
) -> str:
    """What the gate says to one simulated pair."""
    champion, challenger, mode = simulate(scenario, setting, size, rng)
    comparison = compare(challenger, champion, {"mode": mode} if modes else {}, options)
    return judge(Evidence(measured(challenger), "1", comparison, {}), options).outcome


GAIN = Scenario("gain of 5 points", (POINTS, POINTS))
EQUAL = Scenario("equal", (0.0, 0.0))
LOSS = Scenario("5 points lost in one mode, 5 gained in the other", (-POINTS, POINTS))
HIDDEN = Scenario("5 points lost in one mode, 10 gained in the other", (-POINTS, 2 * POINTS))


def rules(primary: str) -> GateOptions:
    """The default rules, with the proof of a gain asked of another figure."""
    change = {
        **GateOptions().change,
        "roc_auc": Limit(min=0.0, proof="estimate"),
        "pr_auc": Limit(min=0.0, proof="estimate"),
    }
    gain = Limit(max=0.0) if primary == "log_loss" else Limit(min=0.0)
    return GateOptions(change={**change, primary: gain})


Ask = Callable[[np.random.Generator], str]


def table(title: str, columns: list[str], cells: list[tuple[str, list[Ask]]], pairs: int) -> None:
    """Share of pairs promoted, with exact 95 % intervals, as one table."""
    print(f"\n{title}\n\n| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}", flush=True)
    for number, (name, row) in enumerate(cells):
        shown = []
        for place, ask in enumerate(row):
            rng = np.random.default_rng([number, place, 7])
            said = [ask(rng) for _ in range(pairs)]
            promoted = clopper_pearson(said.count("promote"), pairs, 0.975)
            shown.append(f"{promoted.estimate:.1%} [{promoted.low:.1%}, {promoted.high:.1%}]")
        print(f"| {name} | {' | '.join(shown)} |", flush=True)


def asker(scenario: Scenario, setting: Setting, size: Size, options: GateOptions, *, modes: bool = False) -> Ask:
    """One simulated pair at a time."""
    return lambda rng: outcome(scenario, setting, size, options, rng, modes=modes)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description="Is the gate itself calibrated?")
    parser.add_argument("--pairs", type=int, default=400, help="simulated pairs for each cell")
    pairs = parser.parse_args().pairs
    began = time.process_time()
    asked, default = Size(20), GateOptions()
    names = [setting.name for setting in SETTINGS]

    def row(scenario: Scenario, options: GateOptions = default, *, modes: bool = False) -> list[Ask]:
        return [asker(scenario, setting, asked, options, modes=modes) for setting in SETTINGS]

    table(
        f"Promoted, of {pairs} pairs judged by the default rules on {asked.words}; points of ROC-AUC, champion 0.85",
        names,
        [
            ("equal models", row(EQUAL)),
            ("equal models, two modes judged apart", row(EQUAL, modes=True)),
            (LOSS.name, row(LOSS, modes=True)),
            (HIDDEN.name, row(HIDDEN, modes=True)),
            (GAIN.name, row(GAIN)),
            (f"{GAIN.name}, two modes judged apart", row(GAIN, modes=True)),
        ],
        pairs,
    )
    pr = Scenario("", (POINTS, POINTS), "pr_auc", 0.7)
    table(
        f"Which figure must prove the gain: a gain of 5 points of PR-AUC, champion 0.70, on {asked.words}",
        names,
        [(f"proof by {name}", row(pr, options=rules(name))) for name in ("pr_auc", "roc_auc", "log_loss")],
        pairs,
    )
    table(
        "The same for equal models",
        names,
        [(f"proof by {name}", row(EQUAL, options=rules(name))) for name in ("pr_auc", "roc_auc", "log_loss")],
        pairs,
    )
    table(
        "How many rows a gain of 5 points needs, by the default rules",
        [f"{s}, {f}" for s in ("alike", "typical retrain") for f in ("ROC-AUC", "PR-AUC")],
        [
            (size.words, [asker(what, s, size, default) for s in SETTINGS[1:3] for what in (GAIN, pr)])
            for size in (Size(20), Size(40), Size(80), Size(160))
        ],
        pairs,
    )
    print(f"\n{time.process_time() - began:.0f} s of processor time.")


if __name__ == "__main__":
    main()
