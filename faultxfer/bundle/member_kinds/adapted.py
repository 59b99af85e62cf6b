"""A member that is the source network on readings with a gain and an offset of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.input_map import InputMap
from faultxfer.bundle.member_kinds.kind import Kind

if TYPE_CHECKING:
    from faultxfer.bundle.graph.views import GraphViews
    from faultxfer.bundle.members import Member


def _score(member: Member, views: Views) -> np.ndarray:
    network = views.source.network
    if network is None:
        raise ValueError(f"There is no source network. Received: member={member.name}")
    logits = network.logits(_map(member)(views.X))
    return np.asarray(logits.astype(np.float64).mean(axis=1))


def _export(member: Member, views: GraphViews) -> str:
    graph = views.graph
    logits = graph.exact(views.member_logits(_map(member)))
    return graph.op("ReduceMean", logits, graph.whole(1), keepdims=1)


def _map(member: Member) -> InputMap:
    return InputMap(member.arrays["gain"], member.arrays["offset"])


KIND = Kind(_score, _export)
