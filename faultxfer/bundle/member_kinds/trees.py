"""A member that is trees, as LightGBM text, on features; they may be added to a base logit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.graph.builder import NoConverterError
from faultxfer.bundle.member_kinds.features import features_of, graph_features
from faultxfer.bundle.member_kinds.kind import Kind
from faultxfer.bundle.trees import trees_of

if TYPE_CHECKING:
    from faultxfer.bundle.graph.views import GraphViews
    from faultxfer.bundle.members import Member

# What trees give: a logit, or a share of faults.
LOGIT, SHARE = "logit", "share"
# A forest's share of 0 or 1 among few rows is not certainty.
_SHARE_LIMIT = 0.005


def tree_sums(member: Member, features: np.ndarray) -> np.ndarray:
    """(n,) sums over all trees for (n, k) features, before the link."""
    return np.asarray(trees_of(member.text).predict(features, raw_score=True))


def trees_in(member: Member) -> int:
    """How many trees a member has."""
    return trees_of(member.text).count


def log_odds_of_share(share: np.ndarray) -> np.ndarray:
    """(n,) shares of faults among a forest's leaves as log-odds, none of them certain."""
    inside = np.clip(share, _SHARE_LIMIT, 1 - _SHARE_LIMIT)
    return np.asarray(np.log(inside / (1 - inside)))


def _score(member: Member, views: Views) -> np.ndarray:
    features = features_of(member, views)
    if member.link == SHARE:
        return log_odds_of_share(tree_sums(member, features) / trees_in(member))
    scores = tree_sums(member, features)
    if not member.base:
        return scores
    base = member.arrays["base"]
    weights, offset = base[:-1], base[-1]
    return np.asarray(scores + views.blocks(member.base) @ weights + offset)


def _export(member: Member, views: GraphViews) -> str:
    from faultxfer.bundle.graph import trees

    graph, forest = views.graph, trees.read_forest(member.text)
    sums = trees.tree_sums(graph, forest, graph_features(member, views))
    if member.link == SHARE:
        if not forest.average:
            raise NoConverterError("trees whose share of faults is no average")
        return _graph_log_odds(views, graph.op("Div", sums, graph.number(forest.trees)))
    if not member.base:
        return sums
    base = member.arrays["base"]
    own = graph.sum_of_products(views.blocks(member.base), base[:-1], float(base[-1]))
    return graph.op("Add", sums, own)


def _graph_log_odds(views: GraphViews, share: str) -> str:
    graph = views.graph
    inside = graph.clipped(share, _SHARE_LIMIT, 1 - _SHARE_LIMIT)
    rest = graph.op("Sub", graph.number(1.0), inside)
    return graph.op("Log", graph.op("Div", inside, rest))


KIND = Kind(_score, _export)
