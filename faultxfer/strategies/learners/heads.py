"""Linear heads on the frozen source network, and a fitted gain and offset in front of it."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.frozen import Block
from faultxfer.bundle.members import ADAPTED, Member
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.learners.protocol import SENSORS, BaseLearner, TrainingRows

_LEAST_SPREAD = 0.05
# Of a source logit towards weight 1.
_PULL_OF_LOGIT = 2.0


class WideHead(BaseLearner):
    """Head on frozen features, target-scaled sensors and the source's logit.

    All weights but that of the logit, which starts at 1, are pulled to zero.

    Args:
        map_name: input map of the target's rows.
        penalty: strength of the pull.
    """

    family = "wide-head"
    paper = 'Cheng et al., "Wide & deep learning for recommender systems", 2016'

    def __init__(self, map_name: str, penalty: float = 10.0) -> None:
        self.blocks = (Block("hidden", map_name), SENSORS, Block("network", map_name))
        self.penalty = penalty
        self.name = f"wide-head@{map_name}-{penalty:g}"

    def fit(self, rows: TrainingRows) -> Member:
        """Newton's method."""
        features = rows.target.blocks(self.blocks)
        of_hidden = self.penalty * hidden_spread(rows) ** 2
        of_sensors = np.full(rows.target.block(SENSORS).shape[1], self.penalty)
        penalty = np.concatenate([of_hidden, of_sensors, [_PULL_OF_LOGIT]])
        prior = np.zeros(len(penalty))
        prior[-1] = 1.0
        fitted = fit_logistic(features, rows.y, penalty, prior=prior)
        return self.linear(self.blocks, fitted)


class AdaptedInput(BaseLearner):
    """Gain and offset of each sensor, fitted through the frozen network.

    Args:
        map_name: input map that they are held near.
        strength: of that pull.
    """

    family = "adapter"
    paper = 'Neto et al., "Speaker-adaptation for hybrid HMM-ANN …", Eurospeech 1995, diagonal'

    def __init__(self, map_name: str, strength: float) -> None:
        self.map_name, self.strength = map_name, strength
        self.name = f"adapter@{map_name}-{strength:g}"

    def fit(self, rows: TrainingRows) -> Member:
        """L-BFGS through the network."""
        network = rows.target.source.network
        if network is None:
            raise ValueError(f"There is no source network. Received: learner={self.name}")
        near = rows.target.maps[self.map_name]
        mapped = near(rows.target.X)
        scaled = (mapped - network.mean) / network.scale
        gain, offset = network.adapter.fit(scaled, rows.y, self.strength)
        # gain * ((near(x) - mean) / scale) + offset, back in engineering units
        moved = gain * (near.offset - network.mean) + offset * network.scale
        arrays = {"gain": gain * near.gain, "offset": moved + network.mean}
        return Member(self.family, self.name, ADAPTED, arrays=arrays)


def fit_pulled_head(
    features: np.ndarray,
    y: np.ndarray,
    head: np.ndarray,
    penalty: float,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """A convex head near a given one, by Newton's method.

    It is the posterior mode under a Gaussian around that head, in which a feature counts by its
    standard deviation over the rows.

    Args:
        features: (n, h).
        y: (n,) labels.
        head: (h + 1,) weights and intercept to stay near.
        penalty: strength of the pull.
        weights: (n,) of the rows.

    Returns:
        (h + 1,) weights and intercept.
    """
    near, near_intercept = head[:-1], head[-1]
    coef, intercept = fit_logistic(
        features,
        y,
        penalty * spread_of_features(features) ** 2,
        prior=near,
        offset=np.full(len(y), near_intercept),
        weights=weights,
    )
    return np.append(coef, intercept + near_intercept)


def spread_of_features(features: np.ndarray) -> np.ndarray:
    """(h,) standard deviations of (n, h) features, none close to 0."""
    return np.asarray(np.maximum(features.std(axis=0), _LEAST_SPREAD))


def hidden_spread(rows: TrainingRows) -> np.ndarray:
    """(h,) standard deviations of the frozen features over the source's rows.

    They are taken over the target's rows where none of the source's are kept.
    """
    views = rows.source if len(rows.source) else rows.target
    return spread_of_features(views.block(Block("hidden", "source")))
