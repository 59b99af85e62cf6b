"""What it costs that a machine lacks sensors of its source: said before anything trains.

Two questions, both asked of the source's kept rows alone: how well do the sensors that are left
predict each lacking one, on machines (or runs) left out; and by how much does the source rank its
own runs worse when it is refitted without them, on runs left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit

from faultxfer.bundle.frozen import soft_clipped
from faultxfer.bundle.imputer import fit_imputer
from faultxfer.config import SplitOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import fold_rows
from faultxfer.strategies.learners.boosting import POOLED, boost
from faultxfer.strategies.narrowing import SensorChange
from faultxfer.strategies.ranking_score import ranking_score
from faultxfer.wording import listed

# A source that ranks its own runs worse by this without the sensors was carried by them
# (docs/sensors-that-differ.md).
MOST_LOSS = 0.03
# Of the variance of a sensor; one of which less is predicted is not worth guessing if it carried.
LEAST_R2 = 0.3
# Kept rows that are asked; more of them take longer and answer the same.
_ROWS = 4_000
_FOLDS, _MACHINES = SplitOptions(folds=4), 5
_SHOWN = 8


@dataclass(frozen=True)
class SensorEvidence:
    """What a difference of sensors costs by the source's own rows.

    Attributes:
        change: the difference.
        r2: by lacking sensor, the share of its variance that the sensors left explain on source
            rows left out; empty where no source rows are kept.
        by: what was left out for that, ``machine`` or ``run``.
        score: of the source with all sensors, mean of PR-AUC and ROC-AUC on source runs left out;
            None where that cannot be measured.
        loss: of it without the lacking sensors, refitted; None likewise.
    """

    change: SensorChange
    r2: dict[str, float] = field(default_factory=dict)
    by: str = ""
    score: float | None = None
    loss: float | None = None

    @property
    def carried(self) -> bool:
        """Whether what is lacking carried the source."""
        return self.loss is not None and self.loss >= MOST_LOSS

    @property
    def lost(self) -> bool:
        """Whether it did, and nothing that is left stands for it."""
        return self.carried and min(self.r2.values(), default=0.0) < LEAST_R2

    @property
    def sentences(self) -> tuple[str, ...]:
        """In plain words, the ones that matter first."""
        return tuple(filter(None, (self._lacking(), self._cost(), self._new())))

    def as_dict(self) -> dict[str, object]:
        """Plain data for lineage and report."""
        return {
            "missing": list(self.change.missing),
            "new": list(self.change.new),
            "r2": {name: round(value, 3) for name, value in self.r2.items()},
            "r2_by": self.by,
            "source_score": self.score,
            "source_loss": self.loss,
            "carried": self.carried,
            "lost": self.lost,
            "sentences": list(self.sentences),
        }

    def _lacking(self) -> str:
        missing = self.change.missing
        if not missing:
            return ""
        text = f"The machine lacks {listed([*missing], _SHOWN)} of the source's sensors."
        if not self.r2:
            return f"{text} No source rows are kept that could show what that costs."
        worst = sorted(self.r2.items(), key=lambda one: one[1])
        named = [f"{name} {max(value, 0.0):.0%}" for name, value in worst[:_SHOWN]]
        more = f", {len(worst) - _SHOWN} more better" if len(worst) > _SHOWN else ""
        return (
            f"{text} The others predict, on source {self.by}s left out, of what varies: "
            f"{', '.join(named)}{more}."
        )

    def _cost(self) -> str:
        if self.loss is None or self.score is None:
            return ""
        figures = (
            f"on source runs left out the source ranks worse by {max(self.loss, 0.0):.2f} without "
            f"(mean of PR-AUC and ROC-AUC, {self.score:.2f} with all sensors)"
        )
        if not self.carried:
            return f"Little hangs on it: {figures}."
        carried = f"What is lacking carried the source: {figures}."
        if not self.lost:
            return f"{carried} Guesses of it take part, and this machine's rows weigh them."
        return (
            f"{carried} Nothing that is left brings that back, so nothing is guessed: models of "
            "the remaining sensors and of this machine's own rows are fitted."
        )

    def _new(self) -> str:
        new = self.change.new
        if not new:
            return ""
        one = len(new) == 1
        are, helps = ("is", "it helps") if one else ("are", "they help")
        return (
            f"{listed([*new], _SHOWN)} {are} new to the source: whether {helps}, this machine's "
            "rows have to show."
        )


def sensor_evidence(rows: Dataset | None, change: SensorChange, seed: int) -> SensorEvidence:
    """Ask the source's kept rows.

    Args:
        rows: of the source, with its sensors; None where none are kept.
        change: what the machine lacks and has.
        seed: of folds and trees.
    """
    if rows is None or not change.missing:
        return SensorEvidence(change)
    drawn = np.random.default_rng(seed).permutation(len(rows))[:_ROWS]
    rows, names = rows.take(np.sort(drawn)), set(change.missing)
    lacking = np.array([name in names for name in rows.features])
    r2, by = _explained(rows, lacking, seed)
    named = dict(zip(np.array(rows.features, dtype=object)[lacking], r2.tolist(), strict=True))
    score, loss = _lost(rows, lacking, seed)
    return SensorEvidence(change, named, by, score, loss)


def _explained(rows: Dataset, lacking: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """(m,) R² of each lacking sensor by the others, and what was left out for it."""
    sides, by = _left_out(rows, seed)
    if not sides:
        return np.full(lacking.sum(), np.nan), ""
    missed, varies = np.zeros(lacking.sum()), np.zeros(lacking.sum())
    for train, test in sides:
        imputer = fit_imputer(rows.X[train])
        emptied = rows.X[test].copy()
        emptied[:, lacking] = np.nan
        true, guess = (
            soft_clipped(X, imputer.spread)[:, lacking] for X in (rows.X[test], imputer(emptied))
        )
        missed += ((true - guess) ** 2).sum(axis=0)
        # Of a machine left out its own level counts too: it is what the guess has to meet.
        varies += ((true - imputer.mean[lacking]) ** 2).sum(axis=0)
    return 1 - missed / np.maximum(varies, 1e-12), by


def _left_out(rows: Dataset, seed: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Rows that fit and that judge: each machine in turn, or folds of runs where there is one."""
    machines = np.unique(rows.equipment.astype(str))
    if len(machines) < 2:
        return [(fold.train, fold.test) for fold in fold_rows(rows, _FOLDS, seed)], "run"
    shuffled = np.random.default_rng(seed).permutation(machines)
    parts = np.array_split(shuffled, min(len(machines), _MACHINES))
    tests = [np.isin(rows.equipment.astype(str), part) for part in parts]
    return [(np.flatnonzero(~test), np.flatnonzero(test)) for test in tests], "machine"


def _lost(rows: Dataset, lacking: np.ndarray, seed: int) -> tuple[float | None, float | None]:
    """Score of boosting on runs left out, and what it loses without the lacking sensors."""
    folds = fold_rows(rows, _FOLDS, seed)
    if not folds or lacking.all():
        return None, None
    said = np.zeros((2, len(rows)))
    for fold in folds:
        for place, kept in enumerate((np.ones_like(lacking), ~lacking)):
            said[place, fold.test] = _said(rows, fold.train, fold.test, kept, seed)
    whole, without = (ranking_score(rows.y, one) for one in said)
    return whole, whole - without


def _said(
    rows: Dataset, train: np.ndarray, test: np.ndarray, kept: np.ndarray, seed: int
) -> np.ndarray:
    """(k,) scores of test rows by trees that see some sensors."""
    import lightgbm

    text = boost(rows.X[train][:, kept], rows.y[train], seed, **POOLED)
    trees = lightgbm.Booster(model_str=text)
    logits = trees.predict(rows.X[test][:, kept], raw_score=True, num_threads=1)
    return np.asarray(expit(np.asarray(logits)))
