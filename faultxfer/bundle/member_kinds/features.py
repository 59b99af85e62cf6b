"""Features of a linear head or of trees: blocks, then bins of the sensors, then constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faultxfer.bundle.frozen import Views

if TYPE_CHECKING:
    from faultxfer.bundle.graph.views import GraphViews
    from faultxfer.bundle.members import Member


def features_of(member: Member, views: Views) -> np.ndarray:
    """(n, k) features of a linear head or of trees: blocks, then bins, then constants."""
    parts = [views.block(block) for block in member.blocks]
    if "edges" in member.arrays:
        parts.append(encode(views.X, member.arrays["edges"]))
    if member.constants:
        parts.append(np.tile(member.constants, (len(views), 1)))
    return np.hstack(parts)


def graph_features(member: Member, views: GraphViews) -> str:
    """The same as an (n, k) value of a graph."""
    graph = views.graph
    parts = [views.block(block) for block in member.blocks]
    if "edges" in member.arrays:
        parts.append(_graph_bins(views, member.arrays["edges"]))
    parts += [graph.like(constant, views.readings) for constant in member.constants]
    return graph.side_by_side(parts)


def encode(X: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Piecewise-linear encoding of (n, d) sensors by (d, b + 1) edges.

    Gives (n, d * b) values between 0 and 1.

    Gorishniy et al., "On embeddings for numerical features in tabular deep learning", NeurIPS 2022.
    Each bin says how far the reading has come through it, and a bin of no width is a step:

    >>> encode(np.array([[2.0]]), np.array([[0.0, 1.0, 3.0, 9.0]])).tolist()
    [[1.0, 0.5, 0.0]]
    """
    through = (X[:, :, None] - edges[:, :-1]) / _widths(edges)
    return np.asarray(np.clip(through, 0, 1).reshape(len(X), -1))


def _widths(edges: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(np.diff(edges, axis=1), 1e-12))


def _graph_bins(views: GraphViews, edges: np.ndarray) -> str:
    graph = views.graph
    each = graph.op("Unsqueeze", views.readings, graph.whole(2))
    above = graph.op("Sub", each, graph.constant(edges[:, :-1]))
    through = graph.op("Div", above, graph.constant(_widths(edges)))
    shares = graph.clipped(through, 0.0, 1.0)
    return graph.op("Reshape", shares, graph.whole(-1, edges[:, :-1].size))
