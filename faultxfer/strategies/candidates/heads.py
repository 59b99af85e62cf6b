"""Linear heads on the frozen source network, and a fitted gain and offset in front of it."""

from __future__ import annotations

import numpy as np

from faultxfer.bundle.members import ADAPTED, LINEAR, Member
from faultxfer.strategies.candidates.convex import fit_logistic
from faultxfer.strategies.candidates.protocol import Rows

_SENSORS = "sensors@target"
_LEAST_SPREAD = 0.05


class _Neural:
    rival, neural = False, True
    family = ""
    name = ""
    paper = ""


class MapHead(_Neural):
    """New head on frozen features, pulled to the source's head: the posterior mode under a Gaussian around it."""

    family = "map-head"
    paper = 'Li et al., "Explicit inductive bias for transfer learning" (L2-SP), ICML 2018, for the head'

    def __init__(self, map_name: str, penalty: float) -> None:
        self.map_name, self.penalty = map_name, penalty
        self.name = f"map-head@{map_name}-{penalty:g}"

    def fit(self, rows: Rows) -> Member:
        """Newton's method; the penalty counts each feature in its source standard deviations."""
        block = f"hidden@{self.map_name}"
        features, spread = rows.target.block(block), hidden_spread(rows)
        head = network_head(rows)
        coef, intercept = fit_logistic(
            features,
            rows.y,
            self.penalty * spread**2,
            prior=head[:-1],
            offset=np.full(len(rows.y), head[-1]),
        )
        arrays = {"coef": coef, "intercept": np.array([intercept + head[-1]])}
        return Member(self.family, self.name, LINEAR, (block,), arrays)


class FreshHead(_Neural):
    """New head on frozen features, pulled to zero."""

    family = "fresh-head"
    paper = 'Donahue et al., "DeCAF: a deep convolutional activation feature", ICML 2014'

    def __init__(self, map_name: str, penalty: float) -> None:
        self.map_name, self.penalty = map_name, penalty
        self.name = f"fresh-head@{map_name}-{penalty:g}"

    def fit(self, rows: Rows) -> Member:
        """Newton's method on the rows' own space."""
        block = f"hidden@{self.map_name}"
        features = rows.target.block(block)
        coef, intercept = fit_logistic(features, rows.y, self.penalty * hidden_spread(rows) ** 2)
        return Member(self.family, self.name, LINEAR, (block,), {"coef": coef, "intercept": np.array([intercept])})


class WideHead(_Neural):
    """Head on frozen features, target-scaled sensors and the source's logit, which alone starts at weight 1."""

    family = "wide-head"
    paper = 'Cheng et al., "Wide & deep learning for recommender systems", 2016'

    def __init__(self, map_name: str, penalty: float = 10.0) -> None:
        self.map_name, self.penalty = map_name, penalty
        self.name = f"wide-head@{map_name}-{penalty:g}"

    def fit(self, rows: Rows) -> Member:
        """Newton's method."""
        blocks = (f"hidden@{self.map_name}", _SENSORS, f"network@{self.map_name}")
        features = rows.target.blocks(blocks)
        sensors = rows.target.X.shape[1]
        penalty = np.concatenate([self.penalty * hidden_spread(rows) ** 2, np.full(sensors, self.penalty), [2.0]])
        prior = np.append(np.zeros(features.shape[1] - 1), 1.0)
        coef, intercept = fit_logistic(features, rows.y, penalty, prior=prior)
        return Member(self.family, self.name, LINEAR, blocks, {"coef": coef, "intercept": np.array([intercept])})


class AdaptedInput(_Neural):
    """Gain and offset of each sensor, fitted through the frozen network and held near an input map."""

    family = "adapter"
    paper = 'Neto et al., "Speaker-adaptation for hybrid HMM-ANN …", Eurospeech 1995, diagonal'

    def __init__(self, map_name: str, strength: float) -> None:
        self.map_name, self.strength = map_name, strength
        self.name = f"adapter@{map_name}-{strength:g}"

    def fit(self, rows: Rows) -> Member:
        """L-BFGS through the network."""
        network = rows.target.source.network
        if network is None:
            raise ValueError(f"A source network was expected. Received: candidate={self.name}")
        first = rows.target.maps[self.map_name]
        scaled = (first(rows.target.X) - network.mean) / network.scale
        gain, offset = network.adapter.fit(scaled, rows.y, self.strength)
        # gain * ((first(x) - mean) / scale) + offset, back in engineering units
        arrays = {
            "gain": gain * first.gain,
            "offset": gain * (first.offset - network.mean) + offset * network.scale + network.mean,
        }
        return Member(self.family, self.name, ADAPTED, arrays=arrays)


def hidden_spread(rows: Rows) -> np.ndarray:
    """(h,) standard deviations of the frozen features over the source's rows."""
    return np.asarray(np.maximum(rows.source.block("hidden@source").std(axis=0), _LEAST_SPREAD))


def network_head(rows: Rows) -> np.ndarray:
    """(h + 1,) weights and intercept of the source network's averaged head."""
    network = rows.target.source.network
    if network is None:
        raise ValueError("A source network was expected. Received: network=None")
    return network.head
