"""Start, slope and limit of transfer against scratch over label counts, with intervals.

The three benefits of transfer are a higher start, a higher slope and a higher asymptote (Torrey &
Shavlik, "Transfer learning", 2009). Intervals are 95 % percentiles of a bootstrap that draws
repeats and gives every run one random weight in all repeats in which it is held out (Rubin, "The
Bayesian bootstrap", 1981), as neither rows of a run nor repeats that share runs are independent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

TRANSFER, SCRATCH, AS_IS = "transfer", "scratch", "source as it is"
RESAMPLES = 500
_LEVELS = (2.5, 97.5)
# A standard error below this comes from a handful of repeats that happen to agree.
_LEAST_DEVIATION = 0.005
# A curve that misses its own last count by more is no guide to the next rows.
_MISS = 0.01


@dataclass(frozen=True)
class Repeat:
    """What both contestants predict of the rows of one hold-out.

    Attributes:
        y: (m,) labels, both present.
        run: (m,) recording of each row.
        scores: contestant -> (k, m) scores, one line for each count; only their order matters.
            The source as it is has one line, as no rows change it.
    """

    y: np.ndarray
    run: np.ndarray
    scores: dict[str, np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; None where it lies beyond what these rows can show."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Point:
    """One count.

    Attributes:
        rows, faults: labelled rows, and mean fault rows among them.
        transfer, scratch, gain: PR-AUC of each, and their difference on the same rows.
        scratch_rows: rows that scratch needs to reach transfer here; None beyond
            :attr:`LearningCurve.reach`.
    """

    rows: int
    faults: float
    transfer: Estimate
    scratch: Estimate
    gain: Estimate
    scratch_rows: Estimate


@dataclass(frozen=True)
class Shape:
    """One contestant's curve.

    Attributes:
        slope: PR-AUC gained each time the rows double, from the first count to the last.
        asymptote: PR-AUC that the fitted power law tends to.
        more: PR-AUC gained by the further rows asked about, by the fitted power law.
        miss: the power law fitted without the last count, minus what was measured there.
        fits: whether ``miss`` may be chance or is small; otherwise nothing is said beyond the last
            count.
        fitted: PR-AUC by the fitted power law at :attr:`LearningCurve.grid`.
    """

    slope: Estimate
    asymptote: Estimate
    more: Estimate
    miss: Estimate
    fits: bool
    fitted: tuple[float, ...]


@dataclass(frozen=True)
class LearningCurve:
    """The whole result, in plain numbers.

    Attributes:
        at_hand: labelled rows that there are.
        now, more: ``more`` rows are asked about on top of ``now``.
        limit: rows beyond which nothing is said, twice those at hand.
        reach: rows up to which scratch is followed: the limit, or the last count where its power
            law does not fit.
        fault_share: PR-AUC of a random ranking.
        as_is: PR-AUC of the source as it is; None where it was not measured.
        runs, repeats: recordings and hold-outs behind the intervals.
        grid: rows at which the fitted curves are given.
    """

    at_hand: int
    now: int
    more: int
    limit: int
    reach: int
    fault_share: float
    runs: int
    repeats: int
    points: tuple[Point, ...]
    shapes: dict[str, Shape]
    grid: tuple[float, ...]
    as_is: Estimate | None = None

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return asdict(self)


def learning_curve(
    counts: tuple[int, ...],
    faults: tuple[float, ...],
    repeats: tuple[Repeat, ...],
    *,
    at_hand: int,
    more: int,
    seed: int,
) -> LearningCurve:
    """Put numbers and intervals on both curves.

    Args:
        counts: (k,) labelled rows, four or more.
        faults: (k,) mean fault rows among them.
        repeats: predictions on rows held out, two or more.
        at_hand: labelled rows that there are.
        more: further rows asked about; not more than would double those at hand.
        seed: of the bootstrap.
    """
    # Rows at hand far beyond the last count cannot be judged from these counts.
    now = at_hand if at_hand <= 2 * counts[-1] else counts[-1]
    more, limit = min(more, now), 2 * now
    means = {who: _resampled(repeats, who, seed) for who in (TRANSFER, SCRATCH)}
    laws = {who: _fit(counts, each) for who, each in means.items()}
    grid = np.geomspace(counts[0], limit, 40)
    shapes = {who: _shape(counts, means[who], laws[who], now, more, grid) for who in means}
    reach = limit if shapes[SCRATCH].fits else counts[-1]
    needed = _reached(counts, means, laws[SCRATCH], limit, reach)
    return LearningCurve(
        at_hand=at_hand,
        now=now,
        more=more,
        limit=limit,
        reach=reach,
        fault_share=float(np.concatenate([repeat.y for repeat in repeats]).mean()),
        runs=len(_runs_of(repeats)),
        repeats=len(repeats),
        points=_points(counts, faults, means, needed),
        shapes=shapes,
        grid=tuple(grid.tolist()),
        as_is=_as_is(repeats, seed),
    )


def _as_is(repeats: tuple[Repeat, ...], seed: int) -> Estimate | None:
    if any(AS_IS not in repeat.scores for repeat in repeats):
        return None
    return _estimate(_resampled(repeats, AS_IS, seed)[:, 0])


def _runs_of(repeats: tuple[Repeat, ...]) -> list[str]:
    """Names of all runs that were held out, sorted."""
    names = np.concatenate([repeat.run.astype(str) for repeat in repeats])
    runs: list[str] = np.unique(names).tolist()
    return runs


def _points(
    counts: tuple[int, ...],
    faults: tuple[float, ...],
    means: dict[str, np.ndarray],
    needed: np.ndarray,
) -> tuple[Point, ...]:
    gains = means[TRANSFER] - means[SCRATCH]
    points = []
    for k, count in enumerate(counts):
        points.append(
            Point(
                rows=count,
                faults=faults[k],
                transfer=_estimate(means[TRANSFER][:, k]),
                scratch=_estimate(means[SCRATCH][:, k]),
                gain=_estimate(gains[:, k]),
                scratch_rows=_estimate(needed[:, k]),
            )
        )
    return tuple(points)


def weighted_pr_auc(y: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(b,) average precision of (m,) scores against (m,) labels, under (b, m) weights of the rows.

    >>> y, scores = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1])
    >>> weighted_pr_auc(y, scores, np.ones((1, 4))).round(3).tolist()
    [0.833]
    """
    order = np.argsort(-scores, kind="stable")
    y, weights = y[order], weights[:, order]
    # Equal scores alarm together.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(y) - 1)
    hits = np.cumsum(weights * y, axis=1)[:, last]
    alarms = np.cumsum(weights, axis=1)[:, last]
    gained = np.diff(hits, axis=1, prepend=0.0)
    return np.asarray((gained * hits / alarms).sum(axis=1) / hits[:, -1])


def _resampled(repeats: tuple[Repeat, ...], who: str, seed: int) -> np.ndarray:
    """(1 + b, k) mean PR-AUC: as measured in the first line, then of each resample."""
    # The same resamples for both contestants.
    rng = np.random.default_rng([seed, 7])
    runs, count = _runs_of(repeats), len(repeats)
    of_runs = np.vstack([np.ones(len(runs)), rng.exponential(size=(RESAMPLES, len(runs)))])
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    share = np.vstack([np.ones(count), drawn]) / count
    total = np.zeros((1 + RESAMPLES, len(repeats[0].scores[who])))
    for number, repeat in enumerate(repeats):
        weights = of_runs[:, np.searchsorted(runs, repeat.run.astype(str))]
        each = [weighted_pr_auc(repeat.y, scores, weights) for scores in repeat.scores[who]]
        total += share[:, [number]] * np.stack(each, axis=1)
    return total


def _fit(counts: tuple[int, ...], means: np.ndarray) -> PowerLaw:
    deviation = np.maximum(means[1:].std(axis=0), _LEAST_DEVIATION)
    return fit_power_law(np.array(counts, dtype=float), 1 - means, deviation**-2)


def _shape(
    counts: tuple[int, ...], means: np.ndarray, law: PowerLaw, now: int, more: int, grid: np.ndarray
) -> Shape:
    slope = (means[:, -1] - means[:, 0]) / np.log2(counts[-1] / counts[0])
    without_last = _fit(counts[:-1], means[:, :-1])
    miss = _estimate(1 - without_last(counts[-1]) - means[:, -1])
    return Shape(
        slope=_estimate(slope),
        asymptote=_estimate(1 - law.limit),
        more=_estimate(law(now) - law(now + more)),
        miss=miss,
        fits=_near_nothing(miss),
        fitted=tuple(float(1 - law(count)[0]) for count in grid),
    )


def _near_nothing(miss: Estimate) -> bool:
    if miss.value is None or miss.low is None or miss.high is None:
        return False
    return abs(miss.value) <= _MISS or miss.low <= 0 <= miss.high


def _reached(
    counts: tuple[int, ...], means: dict[str, np.ndarray], law: PowerLaw, limit: int, reach: int
) -> np.ndarray:
    """(1 + b, k) rows at which scratch reaches transfer's PR-AUC of each count, or infinity.

    Between counts the curve is straight in the logarithm of the rows; beyond the last, the fitted
    law's end leads on, up to ``reach``.
    """
    rows = np.log([*counts, limit])
    ends = np.hstack([means[SCRATCH], 1 - law(limit)[:, None]])
    # A level that was reached counts as reached.
    best = np.maximum.accumulate(ends, axis=1)
    needed = np.empty_like(means[TRANSFER])
    for number, levels in enumerate(means[TRANSFER]):
        needed[number] = [_first_at(level, rows, best[number]) for level in levels]
    needed = np.asarray(np.exp(needed))
    # Rows went through a logarithm, so the last count may come back a little larger.
    needed[needed > reach * (1 + 1e-9)] = np.inf
    return needed


def _first_at(level: float, rows: np.ndarray, curve: np.ndarray) -> float:
    """Where a curve that never falls first reaches a level; infinity where it does not.

    >>> _first_at(0.5, np.array([1.0, 2.0]), np.array([0.4, 0.6]))
    1.5
    """
    place = int(np.searchsorted(curve, level))
    if place == len(curve):
        return np.inf
    if place == 0:
        return float(rows[0])
    inside = slice(place - 1, place + 1)
    return float(np.interp(level, curve[inside], rows[inside]))


def _estimate(values: np.ndarray) -> Estimate:
    """The measured value, which comes first, and percentiles of the resamples behind it."""
    # No interpolation: between a number and infinity there is nothing.
    low, high = np.percentile(values[1:], _LEVELS, method="nearest")
    return Estimate(_finite(values[0]), _finite(low), _finite(high))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# No rows at hand can show a slower curve than the first; one faster than the last is a step.
_RATES = np.linspace(0.1, 2.0, 39)


@dataclass(frozen=True)
class PowerLaw:
    """Curves of ``b`` resamples, fitted apart.

    Attributes:
        limit: (b,) error that each curve tends to, from 0 to 1.
        size: (b,) factor; negative where more rows did harm.
        rate: (b,) exponent.
    """

    limit: np.ndarray
    size: np.ndarray
    rate: np.ndarray

    def __call__(self, count: float) -> np.ndarray:
        """(b,) errors from 0 to 1 at ``count`` rows."""
        return np.asarray(np.clip(self.limit + self.size * count**-self.rate, 0.0, 1.0))


def fit_power_law(counts: np.ndarray, errors: np.ndarray, weights: np.ndarray) -> PowerLaw:
    """Weighted least squares, exact for the limit and the factor at each rate of a grid.

    A grid has no local minima and gives the same answer each time; the factor is free in sign, so
    that a curve that falls with more rows is not called flat.

    An error of 0.1 + 2 / n is found again:

    >>> counts = np.array([10.0, 20, 50, 100])
    >>> law = fit_power_law(counts, (0.1 + 2 / counts)[None], np.ones(4))
    >>> [float(values[0].round(6)) for values in (law.limit, law.size, law.rate)]
    [0.1, 2.0, 1.0]

    Args:
        counts: (k,) labelled rows, three or more.
        errors: (b, k) from 0 to 1.
        weights: (k,) of the counts, positive.
    """
    best = np.full(len(errors), np.inf)
    law = np.zeros((3, len(errors)))
    total = weights.sum()
    for rate in _RATES:
        x = counts**-rate
        mean_x, mean_e = weights @ x / total, errors @ weights / total
        from_mean = x - mean_x
        size = (errors - mean_e[:, None]) @ (weights * from_mean) / (weights @ from_mean**2)
        limit = np.clip(mean_e - size * mean_x, 0.0, 1.0)
        above = errors - limit[:, None]
        # The best beside a limit that was clipped.
        size = above @ (weights * x) / (weights @ x**2)
        loss = (above - np.outer(size, x)) ** 2 @ weights
        law = np.where(loss < best, np.array([limit, size, np.full(len(errors), rate)]), law)
        best = np.minimum(loss, best)
    return PowerLaw(*law)
