"""A member of which one block is the logit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faultxfer.bundle.frozen import Views
from faultxfer.bundle.member_kinds.kind import Kind

if TYPE_CHECKING:
    from faultxfer.bundle.graph.views import GraphViews
    from faultxfer.bundle.members import Member


def _score(member: Member, views: Views) -> np.ndarray:
    return views.block(member.blocks[0])[:, 0]


def _export(member: Member, views: GraphViews) -> str:
    return views.block(member.blocks[0])


KIND = Kind(_score, _export)
