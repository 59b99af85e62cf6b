"""From probabilities to alarms: the threshold for a requested false-alarm rate, and what the rows can promise of it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta, norm
from scipy.stats import t as student

from faultxfer.errors import DataError

# Confidence of the bound that is reported where no promise was asked for.
REPORTED_CONFIDENCE = 0.95
# Fewer rows than this above a score say nothing of whether they come in runs.
_FEWEST_ABOVE = 10
# Likeness is looked at among twice as many high scores too: at the rate alone simulated bounds held in 91 % where 95 %
# were promised (docs/decisions/0008).
_WIDER = 2


@dataclass(frozen=True)
class AlarmThreshold:
    """A threshold, and the evidence for its false-alarm rate.

    Attributes:
        value: a row alarms when its probability is *above* it.
        rate: false-alarm rate that was asked for.
        promised: whether ``bound`` was asked to stay at or below ``rate``.
        confidence: of ``bound``.
        estimate: share of the normal rows at hand that alarm.
        bound: upper confidence bound on the false-alarm rate in new runs.
        best: the lowest bound that any threshold has on these rows.
        normals, runs: normal rows at hand, and the runs that hold them.
        effective: independent rows that they are worth.
    """

    value: float
    rate: float
    promised: bool
    confidence: float
    estimate: float
    bound: float
    best: float
    normals: int
    runs: int
    effective: float

    @property
    def kept(self) -> bool:
        """Whether what was asked for can be said of these rows."""
        return not self.promised or self.bound <= self.rate

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the manifest and the report."""
        return dataclasses.asdict(self)

    def sentence(self) -> str:
        """What a plant engineer may rely on."""
        at_hand = f"{self.estimate:.2%} of {self.normals} normal rows of {self.runs} run(s) alarm"
        worth = f"counted as {self.effective:.0f} independent rows, as rows of a run resemble each other"
        if self.promised:
            return (
                f"At most {self.rate:.2%} false alarms in new runs, with {self.confidence:.0%} confidence: "
                f"{at_hand}, {worth}."
            )
        if not self.effective:
            return f"{at_hand}; nothing can be promised of new runs, as one run says nothing of another."
        return (
            f"{at_hand}; with {self.confidence:.0%} confidence at most {self.bound:.1%} of normal rows in new runs "
            f"do ({worth})."
        )


def choose_threshold(
    probabilities: np.ndarray,
    y: np.ndarray,
    run: np.ndarray,
    rate: float,
    confidence: float | None = None,
) -> AlarmThreshold:
    """The lowest threshold for a false-alarm rate on rows that fitted nothing.

    Without ``confidence`` at most ``rate`` of these very normal rows alarm. With it, the upper confidence bound on the
    rate in new runs is at most ``rate``: the order statistic of Tong, Feng & Li ("Neyman–Pearson classification
    algorithms and NP receiver operating characteristics", Science Advances 2018) with the exact binomial bound on
    the effective number of rows, as rows of a run are no independent witnesses (:func:`effective_rows`). Where no
    threshold has such a bound, the strictest is returned and says so (:attr:`AlarmThreshold.kept`).

    Args:
        probabilities: (n,) calibrated probabilities.
        y: (n,) labels; only normal rows count.
        run: (n,) recording of each row.
        rate: share of normal rows that may alarm.
        confidence: of the promise, or None for an estimate.
    """
    normal, runs = probabilities[y == 0], _numbered(run[y == 0])
    rows, order = len(normal), np.sort(normal)
    level = confidence or REPORTED_CONFIDENCE
    effective = effective_rows(normal, runs, rate, level)
    # Counted in shares as they will be measured: 0.29 * 100 is a little less than 29 in floating point.
    shares = np.arange(rows) / rows
    bounds = upper_bounds(shares, effective, level)
    allowed = int(((bounds if confidence else shares)[1:] <= rate).sum())
    value = float(order[rows - 1 - allowed])
    estimate = float((normal > value).mean())
    return AlarmThreshold(
        value=value,
        rate=rate,
        promised=confidence is not None,
        confidence=level,
        estimate=estimate,
        # Ties below the threshold's own row would alarm fewer rows than the order statistic allows for.
        bound=float(upper_bounds(np.array([allowed / rows]), effective, level)[0]),
        best=float(bounds[0]),
        normals=rows,
        runs=len(np.bincount(runs)),
        effective=effective,
    )


def require_kept(threshold: AlarmThreshold, where: str) -> None:
    """Refuse a promise that the rows cannot support.

    Raises:
        DataError: says how many more rows would do, and which rate these rows can promise.
    """
    if not threshold.kept:
        raise _refusal(threshold, where)


def require_enough_normals(
    y: np.ndarray, run: np.ndarray, rate: float, confidence: float | None, where: str
) -> None:
    """Refuse before anything is fitted what no scores on these rows could support.

    Raises:
        DataError: see :func:`require_kept`.
    """
    if confidence is not None:
        alike = np.zeros(len(y))  # the best case: none is above the others, in whatever run
        require_kept(choose_threshold(alike, y, run, rate, confidence), where)


def upper_bounds(shares: np.ndarray, effective: float, confidence: float) -> np.ndarray:
    """One-sided Clopper–Pearson upper bounds for shares (k,) seen among ``effective`` independent rows."""
    if effective <= 0:
        return np.ones(len(shares))
    seen = shares * effective
    return np.asarray(beta.ppf(confidence, seen + 1, effective - seen))


def effective_rows(scores: np.ndarray, run: np.ndarray, rate: float, confidence: float) -> float:
    """How many independent rows (n,) scores of several runs are worth.

    Kish's design effect, n / (1 + (m - 1) * ICC) with m the mean size of the run that a row is in, and less for few
    runs, whose design effect is a guess itself: by (z / t with runs − 1 degrees of freedom)², after Korn & Graubard
    ("Confidence intervals for proportions with small expected number of positive counts estimated from survey data",
    Survey Methodology 1998). Rows of a single run are worth nothing for other runs.

    Args:
        scores: (n,) scores of normal rows.
        run: (n,) their runs.
        rate: share of the rows whose likeness inside runs counts, the highest scores.
        confidence: of the bound that they are to serve.
    """
    number = _numbered(run)
    sizes = np.bincount(number)
    if len(sizes) < 2:
        return 0.0
    spread = (sizes**2).sum() / len(scores)
    likeness = max(_likeness(scores, number, share) for share in (rate, _WIDER * rate))
    guess = float(norm.ppf(confidence) / student.ppf(confidence, len(sizes) - 1)) ** 2
    return float(guess * len(scores) / (1 + (spread - 1) * likeness))


def _numbered(run: np.ndarray) -> np.ndarray:
    """(n,) runs, by name or number, as numbers from 0 without gaps."""
    names = run.astype(str) if run.dtype == object else run
    return np.asarray(np.unique(names, return_inverse=True)[1])


def _likeness(scores: np.ndarray, number: np.ndarray, highest: float) -> float:
    """Intraclass correlation, 0 to 1, of being among the highest scores: the analysis-of-variance estimator.

    Args:
        scores: (n,) scores.
        number: (n,) run of each, from 0.
        highest: share of rows that are the highest.
    """
    rows, sizes = len(scores), np.bincount(number)
    runs = len(sizes)
    above = min(max(int(highest * rows), _FEWEST_ABOVE), rows - 1)
    high = (scores > np.sort(scores)[rows - 1 - above]).astype(float)
    if rows == runs or not high.any():
        return 0.0
    share = np.bincount(number, weights=high) / sizes
    between = (sizes * (share - high.mean()) ** 2).sum() / (runs - 1)
    within = (high.sum() - (sizes * share**2).sum()) / (rows - runs)
    size = (rows - (sizes**2).sum() / rows) / (runs - 1)
    return float(np.clip((between - within) / (between + (size - 1) * within), 0.0, 1.0))


def _refusal(threshold: AlarmThreshold, where: str) -> DataError:
    needed = math.log(1 - threshold.confidence) / math.log(1 - threshold.rate)
    more, higher = "normal rows of several runs", "a higher `--false-alarm-rate`"
    if threshold.effective >= 1:
        # Rows of more runs like these are worth as much as these are.
        missing = max(math.ceil(threshold.normals * (needed / threshold.effective - 1)), 1)
        more = f"about {missing} more normal rows of other runs like these"
        higher = f"`--false-alarm-rate {math.ceil(threshold.best * 1000) / 1000:g}` or more"
    return DataError(
        f"Normal rows that can promise a false-alarm rate of {threshold.rate:.2%} in new runs with "
        f"{threshold.confidence:.0%} confidence were expected ({math.ceil(needed)} independent ones)",
        received={
            "normal rows": threshold.normals,
            "runs": threshold.runs,
            "independent rows they are worth": round(threshold.effective),
            "lowest rate they may promise": round(threshold.best, 4),
        },
        where=where,
        remedy=f"Bring {more}, ask for {higher}, or leave `alarm_confidence` out for an estimate without a promise",
    )
