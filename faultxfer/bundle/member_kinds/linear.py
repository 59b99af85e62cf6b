"""A member that is a linear head on features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.member_kinds.features import features_of, graph_features
from faultxfer.bundle.member_kinds.kind import Kind

if TYPE_CHECKING:
    from faultxfer.bundle.graph.views import GraphViews
    from faultxfer.bundle.members import Member


def _score(member: Member, views: Views) -> np.ndarray:
    (intercept,) = member.arrays["intercept"]
    return np.asarray(features_of(member, views) @ member.arrays["coef"] + intercept)


def _export(member: Member, views: GraphViews) -> str:
    (intercept,) = member.arrays["intercept"]
    features = graph_features(member, views)
    return views.graph.sum_of_products(features, member.arrays["coef"], float(intercept))


KIND = Kind(_score, _export)
