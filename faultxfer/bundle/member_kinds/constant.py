"""A member that says the same of every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.member_kinds.kind import Kind

if TYPE_CHECKING:
    from faultxfer.bundle.graph.views import GraphViews
    from faultxfer.bundle.members import Member


def _score(member: Member, views: Views) -> np.ndarray:
    return np.full(len(views), _logit(member))


def _export(member: Member, views: GraphViews) -> str:
    return views.graph.like(_logit(member), views.readings)


def _logit(member: Member) -> float:
    return float(member.arrays["intercept"][0])


KIND = Kind(_score, _export)
