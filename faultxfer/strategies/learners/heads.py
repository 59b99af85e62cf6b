"""Linear heads on the frozen source network, and a fitted gain and offset in front of it."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.frozen import Block
from faultxfer.bundle.members import ADAPTED, Member
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.protocol import BaseLearner, TrainingRows

_SENSORS = Block("sensors", "target")
_LEAST_SPREAD = 0.05


class WideHead(BaseLearner):
    """Head on frozen features, target-scaled sensors and the source's logit, which alone starts at weight 1."""

    family = "wide-head"
    paper = 'Cheng et al., "Wide & deep learning for recommender systems", 2016'

    def __init__(self, map_name: str, penalty: float = 10.0) -> None:
        self.map_name, self.penalty = map_name, penalty
        self.name = f"wide-head@{map_name}-{penalty:g}"

    def fit(self, rows: TrainingRows) -> Member:
        """Newton's method."""
        blocks = (Block("hidden", self.map_name), _SENSORS, Block("network", self.map_name))
        features = rows.target.blocks(blocks)
        sensors = rows.target.X.shape[1]
        penalty = np.concatenate(
            [self.penalty * hidden_spread(rows) ** 2, np.full(sensors, self.penalty), [2.0]]
        )
        prior = np.append(np.zeros(features.shape[1] - 1), 1.0)
        return self.linear(blocks, fit_logistic(features, rows.y, penalty, prior=prior))


class AdaptedInput(BaseLearner):
    """Gain and offset of each sensor, fitted through the frozen network and held near an input map."""

    family = "adapter"
    paper = 'Neto et al., "Speaker-adaptation for hybrid HMM-ANN …", Eurospeech 1995, diagonal'

    def __init__(self, map_name: str, strength: float) -> None:
        self.map_name, self.strength = map_name, strength
        self.name = f"adapter@{map_name}-{strength:g}"

    def fit(self, rows: TrainingRows) -> Member:
        """L-BFGS through the network."""
        network = rows.target.source.network
        if network is None:
            raise ValueError(f"A source network was expected. Received: learner={self.name}")
        first = rows.target.maps[self.map_name]
        scaled = (first(rows.target.X) - network.mean) / network.scale
        gain, offset = network.adapter.fit(scaled, rows.y, self.strength)
        # gain * ((first(x) - mean) / scale) + offset, back in engineering units
        arrays = {
            "gain": gain * first.gain,
            "offset": gain * (first.offset - network.mean) + offset * network.scale + network.mean,
        }
        return Member(self.family, self.name, ADAPTED, arrays=arrays)


def fit_pulled_head(
    features: np.ndarray,
    y: np.ndarray,
    head: np.ndarray,
    spread: np.ndarray,
    penalty: float,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """A convex head near a given one: the posterior mode under a Gaussian around it, by Newton's method.

    Args:
        features: (n, h).
        y: (n,) labels.
        head: (h + 1,) weights and intercept to stay near.
        spread: (h,) standard deviations in which a feature counts.
        penalty: strength of the pull.
        weights: (n,) of the rows.

    Returns:
        (h + 1,) weights and intercept.
    """
    offset = np.full(len(y), head[-1])
    coef, intercept = fit_logistic(
        features, y, penalty * spread**2, prior=head[:-1], offset=offset, weights=weights
    )
    return np.append(coef, intercept + head[-1])


def spread_of_features(features: np.ndarray) -> np.ndarray:
    """(h,) standard deviations of (n, h) features, none close to 0."""
    return np.asarray(np.maximum(features.std(axis=0), _LEAST_SPREAD))


def hidden_spread(rows: TrainingRows) -> np.ndarray:
    """(h,) standard deviations of the frozen features over the source's rows, or the target's where none are kept."""
    views = rows.source if len(rows.source) else rows.target
    return spread_of_features(views.block(Block("hidden", "source")))
