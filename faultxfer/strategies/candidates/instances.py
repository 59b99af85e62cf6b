"""Source rows beside target rows: re-weighted by how target-like they are, or seen under several maps at once."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.special import expit

from faultxfer.bundle.members import TREES, Member, member_logits
from faultxfer.strategies.candidates.boosting import boost
from faultxfer.strategies.candidates.convex import fit_logistic
from faultxfer.strategies.candidates.protocol import Rows
from faultxfer.strategies.candidates.rivals import POOLED, domain_weights, pooled

_ROUNDS = 8
_TREES_PER_ROUND = 20


class _Instances:
    rival, neural = False, False
    family = ""
    name = ""
    paper = ""


class ReweightedBoosting(_Instances):
    """Pooled boosting whose source rows weigh what a domain classifier says of their density ratio.

    The log-odds of "target" given the sensors are the log density ratio up to a constant; they are halved, which keeps
    more source rows in play (relative density ratios: Yamada et al., Neural Computation 2013).
    """

    family = "reweighted"
    paper = 'Bickel, Brückner & Scheffer, "Discriminative learning under covariate shift", JMLR 2009'

    def __init__(self, map_name: str) -> None:
        self.map_name = map_name
        self.name = f"reweighted@{map_name}"

    def fit(self, rows: Rows) -> Member:
        """Fit the domain classifier, then boost."""
        block = f"sensors@{self.map_name}"
        features, y = pooled(rows, block)
        base = domain_weights(rows, 0.5)
        m = len(rows.source_y)
        is_target = np.r_[np.zeros(m), np.ones(len(y) - m)]
        coef, intercept = fit_logistic(features[:, :-1], is_target, 10.0, weights=base)
        ratio = np.exp(0.5 * np.clip(features[:m, :-1] @ coef + intercept, -8, 8))
        weights = base.copy()
        weights[:m] *= ratio / ratio.mean()
        text = boost(features, y, rows.seed, weights=weights, **POOLED)
        return Member(self.family, self.name, TREES, (block,), text=text, constants=(1.0,))


class SeveralMaps(_Instances):
    """Pooled boosting on the sensors under several maps side by side: each cut picks the map that fits its sensor.

    On source rows all maps agree, so only target rows tell them apart.
    """

    family = "several-maps"
    paper = 'after Daumé III, "Frustratingly easy domain adaptation", ACL 2007'

    def __init__(self, maps: tuple[str, ...], share: float, *, forget: float = 0.5) -> None:
        self.blocks = tuple(f"sensors@{name}" for name in maps)
        self.share, self.forget = share, forget
        self.name = f"several@{'+'.join(maps)}-{share:g}"

    def fit(self, rows: Rows) -> Member:
        """Boost; each tree sees half of the columns, so that no map shadows its copies."""
        features = np.vstack([rows.source.blocks(self.blocks), rows.target.blocks(self.blocks)])
        y = np.concatenate([rows.source_y, rows.y])
        settings = {**POOLED, "feature_fraction": self.forget}
        text = boost(features, y, rows.seed, weights=domain_weights(rows, self.share), **settings)
        return Member(self.family, self.name, TREES, self.blocks, text=text)


class TrAdaBoost(_Instances):
    """Source rows that a model of both gets wrong lose weight round by round; one model is fitted with what is left.

    TrAdaBoost lets the later half of its rounds vote; keeping the last weights alone makes one set of trees of it.
    """

    family = "reweighted"
    paper = 'Dai et al., "Boosting for transfer learning", ICML 2007'

    def __init__(self, map_name: str) -> None:
        self.map_name = map_name
        self.name = f"tradaboost@{map_name}"

    def fit(self, rows: Rows) -> Member:
        """Reweigh the source rows, then boost once with the weights reached."""
        block = f"sensors@{self.map_name}"
        features, y = pooled(rows, block)
        m = len(rows.source_y)
        weights = domain_weights(rows, 0.5)
        beta = 1 / (1 + np.sqrt(2 * np.log(max(m, 2)) / _ROUNDS))
        settings = {**POOLED, "rounds": _TREES_PER_ROUND, "learning_rate": 0.2}
        member = Member(self.family, self.name, TREES, (block,), constants=(1.0,))
        for _ in range(_ROUNDS):
            text = boost(features, y, rows.seed, weights=weights, **settings)
            scores = member_logits(dataclasses.replace(member, text=text, constants=(0.0,)), rows.source)
            wrong = np.abs(rows.source_y - expit(scores))
            weights[:m] *= beta**wrong
        text = boost(features, y, rows.seed, weights=weights, **POOLED)
        return dataclasses.replace(member, text=text)
