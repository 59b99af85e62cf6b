"""From probabilities to alarms: the threshold for a false-alarm rate, and what the rows promise."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student

from faultxfer.bundle.run_spread import intraclass_correlation, numbered, spread_limit
from faultxfer.errors import DataError
from faultxfer.exact_bounds import highest_share
from faultxfer.wording import counted, percent

# Share of its own faults at which a model must alarm, and by how much in log-odds.
_OWN_FAULTS = 0.5
_MARGIN = 1e-3
# Certainty has no log-odds.
_LEAST = 1e-12
# Confidence of the bound that is reported where no promise was asked for.
REPORTED_CONFIDENCE = 0.95
# Fewer rows than this above a score say nothing of whether they come in runs.
_FEWEST_ABOVE = 10
# Correlation is measured among twice as many high scores too: at the rate alone simulated bounds
# held in 91 % where 95 % were promised (docs/decisions/0008).
_WIDER = 2


@dataclass(frozen=True)
class Fitted:
    """What a model says of the rows that it was fitted on.

    Attributes:
        faults: probabilities of the fault rows.
        normals: of the normal rows.
    """

    faults: np.ndarray
    normals: np.ndarray

    def most(self, rate: float) -> float:
        """The highest threshold at which the model is not silent; 1 where it has seen no fault.

        A model that says the same of all rows is silent whatever the threshold, so the normal rows
        have the last word.
        """
        if not len(self.faults):
            return 1.0
        alarms = math.ceil(_OWN_FAULTS * len(self.faults))
        fault = np.clip(np.sort(self.faults)[-alarms], _LEAST, 1 - _LEAST)
        # Scored among other rows, a network says the same but for the last digits.
        least = float(expit(logit(fault) - _MARGIN))
        if not len(self.normals):
            return least
        return max(least, _order_statistic(self.normals, _shares(len(self.normals)), rate)[0])


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

    def raised_to(self, value: float, normal: np.ndarray) -> AlarmThreshold:
        """The same threshold, or a higher one; its bound on the rate holds all the more.

        Args:
            value: no lower than the own.
            normal: probabilities of the normal rows at hand.
        """
        if value == self.value:
            return self
        return dataclasses.replace(self, value=value, estimate=float((normal > value).mean()))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the manifest and the report."""
        return dataclasses.asdict(self)

    def sentence(self) -> str:
        """What a plant engineer may rely on."""
        rows, runs = counted(self.normals, "normal row"), counted(self.runs, "run")
        at_hand = f"{percent(self.estimate)} of {rows} of {runs} alarm"
        confidence = f"with {percent(self.confidence)} confidence"
        worth = f"counted as {counted(round(self.effective), 'independent row')}"
        worth += ", as rows of a run resemble each other"
        if not self.promised and self.estimate > self.rate:
            at_hand += (
                ", more than were asked for, as the detector would alarm at fewer than half of its "
                "own faults otherwise"
            )
        if self.promised:
            most = f"The false-alarm rate in new runs is at most {percent(self.rate)}"
            return f"{most}, {confidence}: {at_hand}, {worth}."
        if not self.effective:
            nothing = "nothing can be promised of new runs, as one run says nothing of another"
            return f"{at_hand}; {nothing}."
        most = f"the false-alarm rate in new runs is at most {percent(self.bound)}"
        return f"{at_hand}; {confidence} {most} ({worth})."


def choose_threshold(
    probabilities: np.ndarray,
    y: np.ndarray,
    run: np.ndarray,
    rate: float,
    confidence: float | None = None,
    *,
    fitted: Fitted | None = None,
) -> AlarmThreshold:
    """The threshold for a false-alarm rate in new runs, on rows that fitted nothing.

    Without ``confidence`` at most ``rate`` of these very normal rows alarm. Where they count for
    fewer independent ones than it takes to see the rate, new runs may lie higher, and so does the
    threshold (:func:`.run_spread.spread_limit`). It lies lower again where the model would be
    silent: half of the faults that it was fitted on alarm, as long as no more than ``rate`` of the
    normal rows that it was fitted on do. With ``confidence`` the upper
    confidence bound on the rate in new runs is at most ``rate``: the order statistic of Tong, Feng
    & Li ("Neyman–Pearson classification algorithms and NP receiver operating characteristics",
    Science Advances 2018) with the exact binomial bound on the effective number of rows, as rows of
    a run are no independent witnesses (:func:`effective_sample_size`). Where no threshold has such
    a bound, the strictest is returned and says so (:attr:`AlarmThreshold.kept`).

    Of ten normal rows at most two may alarm, so the third highest is the threshold:

    >>> scores, normal = np.arange(10) / 10, np.zeros(10)
    >>> choose_threshold(scores, normal, run=np.arange(10), rate=0.2).value
    0.7

    Args:
        probabilities: (n,) calibrated probabilities.
        y: (n,) labels; only normal rows count.
        run: (n,) recording of each row.
        rate: share of normal rows that may alarm.
        confidence: of the promise, or None for an estimate.
        fitted: the rows that the model was fitted on.
    """
    is_normal = y == 0
    normal, runs = probabilities[is_normal], numbered(run[is_normal])
    rows = len(normal)
    level = confidence or REPORTED_CONFIDENCE
    effective = effective_sample_size(normal, runs, rate, level)
    shares = _shares(rows)
    bounds = highest_share(shares * effective, effective, level)
    value, allowed = _order_statistic(normal, bounds if confidence else shares, rate)
    if confidence is None:
        value = _for_new_runs(value, normal, runs, rate, effective)
        value = value if fitted is None else min(value, fitted.most(rate))
    return AlarmThreshold(
        value=value,
        rate=rate,
        promised=confidence is not None,
        confidence=level,
        estimate=float((normal > value).mean()),
        bound=_bound(normal, value, bounds, allowed),
        best=float(bounds[0]),
        normals=rows,
        runs=len(np.bincount(runs)),
        effective=effective,
    )


def _for_new_runs(
    value: float, normal: np.ndarray, run: np.ndarray, rate: float, effective: float
) -> float:
    """The threshold, or a higher one where the rows are too few to see how runs differ."""
    if effective * rate >= 1:
        return value
    log_odds = logit(np.clip(normal, _LEAST, 1 - _LEAST))
    return max(value, float(expit(spread_limit(log_odds, run, rate))))


def _bound(normal: np.ndarray, value: float, bounds: np.ndarray, allowed: int) -> float:
    """Upper bound of the false-alarm rate, by as many alarms as the threshold gives.

    Ties below the row that it was chosen by would alarm fewer rows than the order statistic allows.
    """
    alarms = int((normal > value).sum())
    return float(bounds[min(max(alarms, allowed), len(bounds) - 1)])


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


def effective_sample_size(
    scores: np.ndarray, run: np.ndarray, rate: float, confidence: float
) -> float:
    """How many independent rows (n,) scores of several runs count for.

    Kish's design effect, n / (1 + (m - 1) * ICC) with m the mean size of the run that a row is in,
    and less for few runs, whose design effect is a guess itself: by (z / t with runs − 1 degrees of
    freedom)², after Korn & Graubard ("Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data", Survey Methodology 1998). Rows of a
    single run say nothing of other runs:

    >>> effective_sample_size(np.arange(50.0), run=np.zeros(50), rate=0.05, confidence=0.95)
    0.0

    Args:
        scores: (n,) scores of normal rows.
        run: (n,) their runs.
        rate: share of the rows whose correlation inside runs counts, the highest scores.
        confidence: of the bound that they are to serve.
    """
    number = numbered(run)
    sizes = np.bincount(number)
    rows, runs = len(scores), len(sizes)
    if runs < 2:
        return 0.0
    mean_size = (sizes**2).sum() / rows
    at_rate = _among_highest(scores, number, rate)
    wider = _among_highest(scores, number, _WIDER * rate)
    design_effect = 1 + (mean_size - 1) * max(at_rate, wider)
    guess = norm.ppf(confidence) / student.ppf(confidence, runs - 1)
    return float(float(guess) ** 2 * rows / design_effect)


def _order_statistic(scores: np.ndarray, limited: np.ndarray, rate: float) -> tuple[float, int]:
    """The lowest of (n,) scores that few enough exceed, and how many of them may.

    Args:
        scores: at least one.
        limited: (n,) what is to stay within the rate, where 0, 1, 2 … of them exceed it; it grows.
        rate: its limit.
    """
    allowed = int((limited[1:] <= rate).sum())
    return float(np.sort(scores)[len(scores) - 1 - allowed]), allowed


def _shares(rows: int) -> np.ndarray:
    """(n,) shares of 0, 1, 2 … rows.

    Counted as they will be measured: 0.29 * 100 is a little less than 29 in floating point.
    """
    return np.arange(rows) / rows


def _among_highest(scores: np.ndarray, number: np.ndarray, highest: float) -> float:
    """Intraclass correlation of being among the highest scores, 0 to 1.

    Args:
        scores: (n,) scores.
        number: (n,) run of each, from 0.
        highest: share of rows that are the highest.
    """
    rows = len(scores)
    above = min(max(int(highest * rows), _FEWEST_ABOVE), rows - 1)
    limit = np.sort(scores)[rows - 1 - above]
    high = (scores > limit).astype(float)
    if rows == number.max() + 1 or not high.any():
        return 0.0
    return intraclass_correlation(high, number)


def _refusal(threshold: AlarmThreshold, where: str) -> DataError:
    needed = math.log(1 - threshold.confidence) / math.log(1 - threshold.rate)
    normals, effective = threshold.normals, threshold.effective
    more, higher = "normal rows of several runs", "a higher `--false-alarm-rate`"
    if effective >= 1:
        # Rows of more runs like these count for as much as these do.
        missing = math.ceil(normals * (needed / effective - 1))
        more = f"about {max(missing, 1)} more normal rows of other runs like these"
        lowest = math.ceil(threshold.best * 1000) / 1000
        higher = f"`--false-alarm-rate {lowest:g}` or more"
    asked = f"a false-alarm rate of {percent(threshold.rate)} in new runs"
    return DataError(
        f"These normal rows cannot promise {asked} with {percent(threshold.confidence)} "
        f"confidence, for which it takes {math.ceil(needed)} independent ones",
        received={
            "normal rows": normals,
            "runs": threshold.runs,
            "independent rows they count for": round(effective),
            "lowest rate they may promise": round(threshold.best, 4),
        },
        where=where,
        remedy=f"Bring {more}, ask for {higher}, "
        "or leave `alarm_confidence` out for an estimate without a promise",
    )
