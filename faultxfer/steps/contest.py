"""What candidate and rivals predict for the test rows, and how good it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.data.dataset import Dataset
from faultxfer.evaluate.measuring import measured
from faultxfer.evaluate.report import Contestant
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.steps.adaptation import Adaptation, load_predictions, read_target
from faultxfer.strategies.procedure import Predictions
from faultxfer.strategies.rivals import CHOSEN, RIVALS, VARIANTS
from faultxfer.strategies.rivals.choice import best_out_of_fold, scale_in_words

CANDIDATE = "candidate"


@dataclass(frozen=True)
class Contest:
    """Everybody on the same rows.

    Attributes:
        test: the rows that judge.
        positions: theirs among the accepted rows.
        predictions: by name of the contestant.
        chosen: predictions of ideas that several rivals share, under the scale that was best out of
            fold, with the share of the rows that each of these rivals predicted.
        could_not_run: why, by name of the rival.
    """

    test: Dataset
    positions: np.ndarray
    predictions: dict[str, Predictions]
    chosen: dict[str, tuple[Predictions, dict[str, float]]]
    could_not_run: dict[str, str]

    @property
    def candidate(self) -> ScoredRows:
        """What the candidate predicts."""
        return scored_rows(self.test, self.predictions[CANDIDATE])

    def scored_by_name(self) -> dict[str, ScoredRows]:
        """What everybody predicts who could run, chosen ideas included."""
        predictions = dict(self.predictions)
        predictions |= {idea: predicted for idea, (predicted, _) in self.chosen.items()}
        return {name: scored_rows(self.test, predicted) for name, predicted in predictions.items()}

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
        metrics = measured(scored_rows(self.test, self.predictions[name]))
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
        metrics = measured(scored_rows(self.test, predicted))
        return Contestant(idea, f"{title}, {scale}", "rival", True, metrics, note=note)


def open_contest(adapted: Adaptation, features: tuple[str, ...]) -> Contest:
    """What was predicted while the source was adapted.

    Args:
        adapted: with the predictions of candidate and rivals.
        features: the candidate's sensors, in its order.
    """
    predictions, positions = load_predictions(adapted.predictions)
    test = read_target(adapted.target.rows, features).take(positions)
    chosen = {}
    for idea in CHOSEN:
        ran = {name: predictions[name] for name in VARIANTS[idea] if name in predictions}
        if ran:
            chosen[idea] = best_out_of_fold(ran)
    return Contest(test, positions, predictions, chosen, adapted.could_not_run)


def scored_rows(rows: Dataset, predicted: Predictions) -> ScoredRows:
    """Labelled rows with what one contestant predicts for them."""
    return ScoredRows(rows.y, predicted.probabilities, predicted.alarms, rows.run, rows.time)


def score_with(bundle: Bundle, rows: Dataset) -> ScoredRows:
    """Labelled rows with what a bundle predicts for them."""
    probabilities = bundle.probabilities(rows.X)
    return scored_rows(rows, Predictions(probabilities, bundle.alarms(probabilities)))
