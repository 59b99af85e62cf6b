"""What candidate and rivals predict for the test rows, and how good it is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.manifest import read_manifest
from faultxfer.config import GateOptions
from faultxfer.data.dataset import Dataset
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.measuring import differences, measured
from faultxfer.evaluate.report import Contestant
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.steps.adaptation import (
    CANDIDATE,
    RECALIBRATED,
    Adaptation,
    load_predictions,
    read_target,
)
from faultxfer.strategies.procedure import Predictions
from faultxfer.strategies.rivals import CHOSEN, RIVALS, VARIANTS

# What was adapted, where the source took its place.
ADAPTED_FIRST = "adapted"


@dataclass(frozen=True)
class Contest:
    """Everybody on the same rows.

    Attributes:
        test: the rows that judge.
        positions: theirs among the accepted rows.
        fold: (m,) fold in which each was held out.
        predictions: by name of the contestant.
        chosen: predictions of ideas that several rivals share, under the scale that was best out of
            fold, with the share of the rows that each of these rivals predicted.
        could_not_run: why, by name of the rival.
    """

    test: Dataset
    positions: np.ndarray
    fold: np.ndarray
    predictions: dict[str, Predictions]
    chosen: dict[str, tuple[Predictions, dict[str, float]]]
    could_not_run: dict[str, str]

    @property
    def candidate(self) -> ScoredRows:
        """What the candidate predicts."""
        return self.scored(self.predictions[CANDIDATE])

    def scored(self, predicted: Predictions) -> ScoredRows:
        """The rows that judge with what somebody predicts for them."""
        return scored_rows(self.test, predicted, self.fold)

    def scored_by_name(self) -> dict[str, ScoredRows]:
        """What everybody predicts who could run, chosen ideas included."""
        predictions = dict(self.predictions)
        predictions |= {idea: predicted for idea, (predicted, _) in self.chosen.items()}
        return {name: self.scored(predicted) for name, predicted in predictions.items()}

    def rivals_by_title(self) -> dict[str, ScoredRows | None]:
        """What each rival predicts; None for one that could not run."""
        scored = self.scored_by_name()
        return {rival.title: scored.get(name) for name, rival in RIVALS.items()}

    def rivals(self) -> list[Contestant]:
        """A line of the result table for each rival."""
        return [self._rival(name) for name in RIVALS]

    def _rival(self, name: str) -> Contestant:
        rival = RIVALS[name]
        idea = next((idea for idea, names in VARIANTS.items() if name in names), "")
        if name not in self.predictions:
            problem = f"could not run: {self.could_not_run[name]}"
            return Contestant(
                name, rival.title, "rival", rival.uses_source, None, problem, idea=idea
            )
        metrics = measured(self.scored(self.predictions[name]))
        return Contestant(name, rival.title, "rival", rival.uses_source, metrics, idea=idea)

    def chosen_contestants(self) -> tuple[Contestant, ...]:
        """A line of the result table for each idea that several rivals share."""
        return tuple(self._chosen(idea, title) for idea, title in CHOSEN.items())

    def _chosen(self, idea: str, title: str) -> Contestant:
        if idea not in self.chosen:
            first = next(iter(VARIANTS[idea]))
            problem = f"could not run: {self.could_not_run[first]}"
            return Contestant(idea, title, "rival", True, None, problem)
        predicted, shares = self.chosen[idea]
        scale, note = scale_in_words(shares, VARIANTS[idea])
        metrics = measured(self.scored(predicted))
        return Contestant(idea, f"{title}, {scale}", "rival", True, metrics, note=note)


def settled_contest(adapted: Adaptation, options: GateOptions) -> tuple[Adaptation, Contest]:
    """Everybody on the same rows; the source is the candidate where they show that it ranks better.

    It was fitted on none of them, so that a choice between the two is all that they are used for.

    Args:
        adapted: with the predictions of all contestants.
        options: how many rows show anything, and with what confidence.
    """
    contest = _open_contest(adapted)
    gain = _gain_of_source(adapted, contest, options)
    if gain is None:
        return adapted, contest
    return adapted.by_source(gain), _by_source(contest)


def _gain_of_source(adapted: Adaptation, contest: Contest, options: GateOptions) -> Interval | None:
    """By how much the recalibrated source ranks the rows better; None where it is not shown to."""
    if not adapted.target.split.decides or not adapted.recalibrated.exists():
        return None
    faults = int(contest.test.y.sum())
    if not options.are_enough(faults, len(contest.test) - faults):
        return None
    source = contest.scored(contest.predictions[RECALIBRATED])
    gain = differences(source, contest.candidate, options).get("pr_auc")
    return None if gain is None or gain.low <= 0 else gain


def _by_source(contest: Contest) -> Contest:
    """The same contest with the recalibrated source in the candidate's place."""
    predictions = dict(contest.predictions)
    predictions[ADAPTED_FIRST] = predictions[CANDIDATE]
    predictions[CANDIDATE] = predictions.pop(RECALIBRATED)
    return dataclasses.replace(contest, predictions=predictions)


def _open_contest(adapted: Adaptation) -> Contest:
    """What was predicted while the source was adapted."""
    predictions, positions = load_predictions(adapted.predictions)
    features = read_manifest(adapted.bundle).features
    test = read_target(adapted.target.rows, features).take(positions)
    chosen = {}
    for idea in CHOSEN:
        ran = {name: predictions[name] for name in VARIANTS[idea] if name in predictions}
        if ran:
            chosen[idea] = best_out_of_fold(ran)
    fold = adapted.target.split.fold_numbers
    return Contest(test, positions, fold, predictions, chosen, adapted.could_not_run)


def scored_rows(
    rows: Dataset, predicted: Predictions, fold: np.ndarray | None = None
) -> ScoredRows:
    """Labelled rows with what one contestant predicts for them; one fold if it is left out."""
    fold = np.zeros(len(rows), dtype=int) if fold is None else fold
    said = predicted.probabilities, predicted.alarms
    return ScoredRows(rows.y, *said, run=rows.run, time=rows.time, fold=fold)


def score_with(bundle: Bundle, rows: Dataset, fold: np.ndarray | None = None) -> ScoredRows:
    """Labelled rows with what a bundle predicts for them, along each recording inside its fold."""
    moments = rows.moments if fold is None else rows.moments.apart(fold)
    known = None if rows.windows is None else rows.windows.values
    probabilities = bundle.probabilities(rows.X, moments, known)
    return scored_rows(
        rows, Predictions(probabilities, bundle.alarms(probabilities, moments)), fold
    )


def best_out_of_fold(variants: dict[str, Predictions]) -> tuple[Predictions, dict[str, float]]:
    """For each row the prediction of the variant that ranked best on other rows.

    With a hold-out these are the calibration rows, so one variant predicts every row. With
    cross-fitting they are the other folds, so the variant may change from fold to fold.

    Args:
        variants: predictions for the same rows by name, each with its ``ranking``.

    Returns:
        The predictions, and the share of the rows that each variant predicted, the largest first.
    """
    names, everybody = list(variants), list(variants.values())
    rankings = [one.ranking for one in everybody if one.ranking is not None]
    best = np.argmax(np.stack(rankings), axis=0)
    rows = np.arange(len(best))
    probabilities = np.stack([one.probabilities for one in everybody])
    alarms = np.stack([one.alarms for one in everybody])
    counts = np.bincount(best, minlength=len(names))
    shares = {}
    for place in np.argsort(-counts, kind="stable"):
        if counts[place]:
            shares[names[place]] = float(counts[place] / len(best))
    return Predictions(probabilities[best, rows], alarms[best, rows]), shares


def scale_in_words(shares: dict[str, float], scales: dict[str, str]) -> tuple[str, str]:
    """The scale that was chosen, for a title, and how it was chosen, for a note.

    >>> scales = {"a": "target's scale", "b": "blended scale"}
    >>> scale_in_words({"b": 1.0}, scales)
    ('blended scale', 'scale chosen out of fold')
    >>> scale_in_words({"a": 0.8, "b": 0.2}, scales)[1]
    "chosen out of fold: target's scale for 80% of the rows, blended scale for 20% of the rows"

    Args:
        shares: of the rows, by name of the variant, see :func:`best_out_of_fold`.
        scales: every variant's scale in words.
    """
    first = scales[next(iter(shares))]
    if len(scales) == 1:
        return first, ""
    if len(shares) == 1:
        return first, "scale chosen out of fold"
    said = [f"{scales[name]} for {share:.0%} of the rows" for name, share in shares.items()]
    return "best scale of each fold", f"chosen out of fold: {', '.join(said)}"
