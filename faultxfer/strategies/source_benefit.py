"""Do the training rows show that the source helps? Negative transfer must be noticed early.

The stack of all learners and that of those without the source are compared by what they predicted
out of fold, each calibrated once more so that mere shrinking is no gain; a one-sided 95 % bound
over groups of rows decides.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.frozen import LinearModel, SourceModels, soft_clipped
from faultxfer.bundle.input_map import NEW, Spread, spread_of
from faultxfer.data.blocks import blocks_of
from faultxfer.strategies.learners.boosting import boost
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.selector import CrossFit, row_counts, weigh
from faultxfer.strategies.stacking import crossed_platt

# The family of the learners that know the target's rows alone.
WITHOUT_SOURCE = "scratch"
# Where a source bundle's lineage has the metrics of its own held-out runs.
JUDGED = "judged"
# Where a candidate's lineage says what sensors brought that the source does not know.
NEW_SENSORS = "new_sensors"
HELPS, HURTS, UNCLEAR, LEFT_OUT = "helps", "hurts", "unclear", "left out"
_LEAST_GROUPS = 8
_LEVEL = 0.95
# In nats; less is the rounding of floats, however alike it is in all groups.
_LEAST_SAVING = 1e-9
# A source that ranks its own machine's rows no better than this has nothing to hand on.
_LEAST_ROC_AUC = 0.6
_LEFT_OUT = "The source is left out: on held-out runs of its own machine it hardly beats chance."
_IN_WORDS = {
    HELPS: "the source helps",
    HURTS: "the source hurts",
    UNCLEAR: "there are too few rows to tell whether the source helps",
}


@dataclass(frozen=True)
class SourceBenefit:
    """Log-loss saved by the source.

    Attributes:
        verdict: ``helps``, ``hurts``, ``unclear``, or ``left out`` where the source is no good on
            its own machine.
        gain: mean saving of log-loss per row, in nats.
        low, high: one-sided 95 % bounds of it.
    """

    verdict: str
    gain: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """For the report."""
        if self.verdict == LEFT_OUT:
            return _LEFT_OUT
        bounds = f"{self.low:+.3f} and {self.high:+.3f}"
        return (
            f"Inside the training rows, {_IN_WORDS[self.verdict]}: it saves {self.gain:+.3f} of "
            f"log-loss per row (95 % bounds {bounds})."
        )

    def as_dict(self) -> dict[str, object]:
        """Plain data for the lineage."""
        return {**dataclasses.asdict(self), "sentence": self.sentence}


def knows_its_own_machine(source: Bundle) -> bool:
    """Whether the source beat chance on held-out runs of its own; True where nobody has looked."""
    roc_auc = source.lineage.get(JUDGED, {}).get("roc_auc")
    return roc_auc is None or roc_auc >= _LEAST_ROC_AUC


def source_benefit(crossed: CrossFit, y: np.ndarray, run: np.ndarray) -> SourceBenefit:
    """Compare the stack with and without the source on out-of-fold predictions.

    Args:
        crossed: of all learners.
        y: (n,) labels.
        run: (n,) runs; rows of one run are not independent.
    """
    scratch = without_source(crossed)
    if len(scratch.members) == len(crossed.members):
        return SourceBenefit(LEFT_OUT, 0.0, 0.0, 0.0)
    return SourceBenefit(*_gain(crossed, scratch, y, run))


@dataclass(frozen=True)
class NewSensorBenefit(SourceBenefit):
    """The same of sensors that the source does not know."""

    @property
    def sentence(self) -> str:
        """For the report."""
        words = {HELPS: "what is new to the source helps", HURTS: "what is new to the source hurts"}
        unclear = "there are too few rows to tell whether what is new to the source helps"
        bounds = f"{self.low:+.3f} and {self.high:+.3f}"
        return (
            f"Inside the training rows, {words.get(self.verdict, unclear)}: it saves "
            f"{self.gain:+.3f} of log-loss per row (95 % bounds {bounds})."
        )


def benefit_of_new(crossed: CrossFit, y: np.ndarray, run: np.ndarray) -> NewSensorBenefit | None:
    """Compare the stack with and without members that read new sensors; None without such members.

    Args are those of :func:`source_benefit`.
    """
    reads = [any(block.kind == NEW for block in member.blocks) for member in crossed.members]
    if not any(reads):
        return None
    others = only(crossed, [place for place, new in enumerate(reads) if not new])
    return NewSensorBenefit(*_gain(crossed, others, y, run))


def _gain(
    crossed: CrossFit, without: CrossFit, y: np.ndarray, run: np.ndarray
) -> tuple[str, float, float, float]:
    """Verdict, saving of log-loss per row by all members over some, and its bounds."""
    saved = _losses(without, y, run) - _losses(crossed, y, run)
    gain = float(saved.mean())
    margin = max(_margin(saved - gain, _groups(run)), _LEAST_SAVING)
    verdict = UNCLEAR
    if gain > margin:
        verdict = HELPS
    elif gain < -margin:
        verdict = HURTS
    return verdict, gain, gain - margin, gain + margin


def without_source(crossed: CrossFit) -> CrossFit:
    """The learners that know the target's rows alone."""
    families = enumerate(crossed.families)
    return only(crossed, [place for place, family in families if family == WITHOUT_SOURCE])


def only(crossed: CrossFit, places: list[int]) -> CrossFit:
    """Some of the learners, by their places."""
    members = tuple(crossed.members[place] for place in places)
    return dataclasses.replace(crossed, members=members, logits=crossed.logits[places])


def _losses(crossed: CrossFit, y: np.ndarray, run: np.ndarray) -> np.ndarray:
    """(n,) log-losses of the stack."""
    _, logits = weigh(crossed, y, row_counts(crossed, y, run))
    z = crossed_platt(logits[None], y, crossed.folds)[0]
    return np.asarray(np.logaddexp(0, z) - y * z)


def _margin(centred: np.ndarray, groups: np.ndarray) -> float:
    """Half the width of the interval of a mean over rows that are alike within (n,) groups."""
    sums = np.bincount(groups, weights=centred)
    count = len(sums)
    squares = (sums**2).sum()
    spread = np.sqrt(count / (count - 1) * squares) / len(centred)
    return float(t.ppf(_LEVEL, count - 1) * spread)


def _groups(run: np.ndarray) -> np.ndarray:
    """(n,) numbers of runs, or of consecutive rows of them where there are few runs."""
    names, numbers = np.unique(run.astype(str), return_inverse=True)
    pieces = int(np.ceil(_LEAST_GROUPS / len(names)))
    piece = blocks_of(numbers, np.arange(len(run)), pieces)
    return np.unique(numbers * pieces + piece, return_inverse=True)[1]


# A linear model of some fifty weights learns nothing from more rows, and Newton's method takes
# seconds on them.
_LINEAR_ROWS = 20_000
# Each tree sees every sensor on a wide plant too: the network reads those by which trees gain most.
_SOURCE_TREES: dict[str, Any] = {
    "learning_rate": 0.05,
    "min_data_in_leaf": 20,
    "feature_fraction": 1.0,
}


def fit_source_models(
    X: np.ndarray,
    y: np.ndarray,
    seed: int,
    spread: Spread | None = None,
    normal: Spread | None = None,
) -> SourceModels:
    """Robust statistics, gradient boosting and logistic regression of the source's rows.

    Args:
        X: (n, d) rows in engineering units.
        y: (n,) labels.
        seed: of bagging, and of the rows that the logistic regression is fitted on.
        spread: statistics of more rows than these, where they are known.
        normal: those of their normal rows.
    """
    spread, normal = spread or spread_of(X), normal or spread_of(X[y == 0])
    trees = boost(X, y, seed, rounds=200, **_SOURCE_TREES)
    some = np.random.default_rng(seed).permutation(len(X))[:_LINEAR_ROWS]
    coef, intercept = fit_logistic(soft_clipped(X[some], spread), y[some], 1.0)
    return SourceModels(spread, normal, trees, LinearModel(coef, intercept))
