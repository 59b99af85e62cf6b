"""Is the gate itself calibrated? Prints the tables of ``docs/gate.md``.

    uv run python benchmarks/gate_calibration.py

Scores of champion and challenger are simulated, so that the truth is known, and go through the very
code that judges a transfer. A row's score is a normal variable: the model's own power to tell
faults, an effect of the row's run, and an effect of the row; each effect is correlated between the
two models. How alike two models of one machine are, and how
much of what they disagree in belongs to whole runs, was measured on real retrains: see
``SETTINGS``.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from dataclasses import dataclass

import numpy as np
import sklearn
from scipy.optimize import brentq
from scipy.stats import norm

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate import judge
from faultxfer.evaluate.gate.check import Evidence
from faultxfer.evaluate.intervals import clopper_pearson
from faultxfer.evaluate.measuring import compare
from faultxfer.evaluate.rows import ScoredRows

SHARE = 0.2
ALARM_RATE = 0.05
POINTS = 0.05


@dataclass(frozen=True)
class Setting:
    """How champion and challenger resemble each other.

    Attributes:
        name: in words.
        correlation: of their scores inside a class.
        within_run: share of the scores' variance, and of what the models disagree in, that belongs
            to whole runs.
    """

    name: str
    correlation: float
    within_run: float


# By ``retrain_likeness.py``, stacks of 50 and of 200 labelled rows on nine machine pairs, three
# seeds each: the correlation inside a class has quartiles .68, .90, .94; the share of whole runs in
# what they disagree in has .49, .60, .73.
SETTINGS = (
    Setting("very alike", 0.98, 0.2),
    Setting("alike", 0.95, 0.2),
    Setting("typical retrain", 0.9, 0.5),
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
    """Distance between the classes, in standard deviations.

    That gives a figure at a fault share of ``SHARE``.
    """
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
) -> tuple[ScoredRows, ScoredRows, np.ndarray]:
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


def _said(score: np.ndarray, y: np.ndarray, run: np.ndarray, far: float) -> ScoredRows:
    """Calibrated probabilities, and alarms at a threshold with the false-alarm rate asked for."""
    logit = far * score - far**2 / 2 + np.log(SHARE / (1 - SHARE))
    return ScoredRows(
        y,
        1 / (1 + np.exp(-logit)),
        score > norm.isf(ALARM_RATE),
        run.astype(str),
        np.full(len(y), np.nan),
    )


# Whether a model is good enough in itself is another question: a champion that is not would hide
# how often equal models replace each other.
ANY_VALUE = {"pr_auc": Limit(min=0.0)}


def rules(primary: str) -> GateOptions:
    """The default rules, with the proof of a gain asked of another figure."""
    tolerated = GateOptions().change
    by_estimate = {name: Limit(min=0.0, proof="estimate") for name in ("roc_auc", "pr_auc")}
    proof = Limit(max=0.0) if primary == "log_loss" else Limit(min=0.0)
    return GateOptions(value=ANY_VALUE, change={**tolerated, **by_estimate, primary: proof})


WHOLE, PARTS = "by the default rules", "the same, each mode judged too"
BY_PR_AUC, BY_LOG_LOSS = "gain proven in PR-AUC instead", "gain proven in log-loss instead"
DEFAULT = GateOptions(value=ANY_VALUE)
RULES = {WHOLE: DEFAULT, PARTS: DEFAULT, BY_PR_AUC: rules("pr_auc"), BY_LOG_LOSS: rules("log_loss")}

EQUAL = Scenario("equal models", (0.0, 0.0))
LOSS = Scenario("5 points lost in one mode, 5 gained in the other", (-POINTS, POINTS))
HIDDEN = Scenario("5 points lost in one mode, 10 gained in the other", (-POINTS, 2 * POINTS))
GAIN = Scenario("gain of 5 points of ROC-AUC (0.85 to 0.90)", (POINTS, POINTS))
GAIN_PR = Scenario("gain of 5 points of PR-AUC (0.70 to 0.75)", (POINTS, POINTS), "pr_auc", 0.7)


def outcomes(
    scenario: Scenario,
    setting: Setting,
    size: Size,
    wanted: tuple[str, ...],
    rng: np.random.Generator,
) -> dict[str, str]:
    """What the gate says to one simulated pair, under each of the rules wanted."""
    champion, challenger, mode = simulate(scenario, setting, size, rng)
    columns = {"mode": mode} if PARTS in wanted else {}
    parts = compare(challenger, champion, columns, GateOptions())
    whole = dataclasses.replace(parts, columns=(), slices=())
    figures = parts.candidate
    assert figures is not None, "every size has rows enough"
    return {
        name: judge(
            Evidence(figures, "1", parts if name == PARTS else whole, {}), RULES[name]
        ).outcome
        for name in wanted
    }


def promoted(
    scenario: Scenario, setting: Setting, size: Size, wanted: tuple[str, ...], pairs: int
) -> dict[str, str]:
    """Share of pairs promoted, with an exact 95 % interval, under each of the rules wanted."""
    rng = np.random.default_rng([size.runs, round(100 * setting.correlation), len(scenario.name)])
    said = [outcomes(scenario, setting, size, wanted, rng) for _ in range(pairs)]
    shown = {}
    for name in wanted:
        share = clopper_pearson(sum(one[name] == "promote" for one in said), pairs, 0.975)
        shown[name] = f"{share.estimate:.1%} [{share.low:.1%}, {share.high:.1%}]"
    return shown


def asked_table(pairs: int) -> None:
    """Every scenario on as many rows as the gate was asked to be calibrated for."""
    size, every = Size(20), tuple(RULES)
    print(f"\n{pairs} pairs a cell, {size.words}\n")
    print(
        f"| promoted | | {' | '.join(setting.name for setting in SETTINGS)} "
        f"|\n|---|---|{'---:|' * len(SETTINGS)}"
    )
    scenarios = (
        (EQUAL, every),
        (LOSS, (PARTS,)),
        (HIDDEN, (WHOLE, PARTS)),
        (GAIN, every),
        (GAIN_PR, every),
    )
    for scenario, wanted in scenarios:
        cells = [promoted(scenario, setting, size, wanted, pairs) for setting in SETTINGS]
        for name in wanted:
            print(
                f"| {scenario.name} | {name} | {' | '.join(cell[name] for cell in cells)} |",
                flush=True,
            )


def size_table(pairs: int) -> None:
    """How many rows it takes to promote a gain."""
    print(f"\nPromoted {WHOLE}, {pairs} pairs a cell\n")
    print(f"| | | {' | '.join(setting.name for setting in SETTINGS[1:])} |\n|---|---|---:|---:|")
    for size in (Size(40), Size(80)):
        for scenario in (GAIN, GAIN_PR):
            cells = [
                promoted(scenario, setting, size, (WHOLE,), pairs)[WHOLE]
                for setting in SETTINGS[1:]
            ]
            print(f"| {size.words} | {scenario.name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Is the gate itself calibrated?")
    parser.add_argument("--pairs", type=int, default=400, help="simulated pairs for each cell")
    pairs = parser.parse_args().pairs
    began = time.process_time()
    # Most of the time would go to checks of arrays that are made right here.
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        asked_table(pairs)
        size_table(pairs)
    print(f"\n{time.process_time() - began:.0f} s of processor time.")


if __name__ == "__main__":
    main()
