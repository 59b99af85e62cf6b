"""LightGBM's trees as one ONNX operator, with thresholds and leaves in double precision.

``TreeEnsemble`` of ONNX's operators for machine learning (opset 5) compares and sums doubles; the
older ``TreeEnsembleRegressor`` sums them too, and hands over single precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from faultxfer.bundle.graph.builder import TREES_DOMAIN, GraphBuilder, NoConverterError

# Bits of LightGBM's decision types.
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT = 1, 2, 2
_NO_MISSING, _ZERO_IS_MISSING, _NAN_IS_MISSING = 0, 1, 2
# What LightGBM takes for zero: its constant is of single precision.
_ZERO = float(np.float32(1e-35))
# Of the operator: a comparison by "less or equal", a sum of the trees, and nothing behind it.
_LESS_OR_EQUAL, _SUM, _AS_IT_IS = 0, 1, 0


@dataclass(frozen=True)
class Forest:
    """The trees of a LightGBM text in arrays.

    Attributes:
        width: number of features.
        roots: (t,) nodes at which trees with a split begin.
        features, thresholds: (k,) of the splits; a row goes left where its feature is at most the
            threshold.
        left, right: (k,) child of each split: a node, or a leaf.
        left_is_leaf, right_is_leaf: (k,) bool.
        missing_left: (k,) bool: a missing reading goes left.
        zero_is_missing: (k,) bool: so does a zero.
        leaves: (l,) what a leaf adds.
        constant: what trees without a split add.
        trees: number of all trees.
        average: whether the text is of a random forest, whose trees are averaged.
    """

    width: int
    roots: np.ndarray
    features: np.ndarray
    thresholds: np.ndarray
    left: np.ndarray
    right: np.ndarray
    left_is_leaf: np.ndarray
    right_is_leaf: np.ndarray
    missing_left: np.ndarray
    zero_is_missing: np.ndarray
    leaves: np.ndarray
    constant: float
    trees: int
    average: bool


@lru_cache(maxsize=16)
def read_forest(text: str) -> Forest:
    """The trees of LightGBM text, read once for writing a graph and for looking for its cuts.

    Raises:
        NoConverterError: a split is categorical, a leaf holds a linear model, or there is more than
            one score.
    """
    head, *texts = text.split("\nTree=")
    header, trees = _fields(head), list(map(_fields, texts))
    if header.get("num_tree_per_iteration", "1") != "1":
        raise NoConverterError("trees that give more than one score")
    if any(tree.get("is_linear", "0") != "0" for tree in trees):
        raise NoConverterError("trees with linear models in their leaves")
    flat = [float(tree["leaf_value"]) for tree in trees if tree["num_leaves"] == "1"]
    cut = [tree for tree in trees if tree["num_leaves"] != "1"]
    return Forest(
        width=int(header["max_feature_idx"]) + 1,
        constant=sum(flat),
        trees=len(trees),
        average="average_output" in head.splitlines(),
        **_splits(cut),
    )


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _splits(trees: list[dict[str, str]]) -> dict[str, Any]:
    """Nodes and leaves of trees with a split, numbered from the first tree to the last."""
    kinds = _joined(trees, "decision_type", np.int64)
    if (kinds & _CATEGORICAL).any():
        raise NoConverterError("trees with categorical splits")
    leaves = _joined(trees, "num_leaves", np.int64)
    splits = leaves - 1
    roots, first_leaf = np.cumsum(splits) - splits, np.cumsum(leaves) - leaves
    nodes_before, leaves_before = np.repeat(roots, splits), np.repeat(first_leaf, splits)
    left, right = (_joined(trees, name, np.int64) for name in ("left_child", "right_child"))
    thresholds = _around_zero(_joined(trees, "threshold", np.float64))
    missing, default_left = kinds >> _MISSING_SHIFT & 3, (kinds & _DEFAULT_LEFT) > 0
    return {
        "roots": roots,
        "features": _joined(trees, "split_feature", np.int64),
        "thresholds": thresholds,
        "left": np.where(left < 0, ~left + leaves_before, left + nodes_before),
        "right": np.where(right < 0, ~right + leaves_before, right + nodes_before),
        "left_is_leaf": left < 0,
        "right_is_leaf": right < 0,
        # Where nothing was missing when the tree grew, a missing reading counts as zero.
        "missing_left": np.where(missing == _NO_MISSING, thresholds >= 0, default_left),
        "zero_is_missing": missing == _ZERO_IS_MISSING,
        "leaves": _joined(trees, "leaf_value", np.float64),
    }


def _joined(trees: list[dict[str, str]], name: str, kind: type) -> np.ndarray:
    """The numbers of one field, of all trees."""
    return np.fromstring(" ".join(tree[name] for tree in trees), dtype=kind, sep=" ")


def _around_zero(thresholds: np.ndarray) -> np.ndarray:
    """The same cuts for readings as they are: LightGBM takes tiny ones for zero."""
    below = (thresholds < 0) & (thresholds >= -_ZERO)
    above = (thresholds >= 0) & (thresholds < _ZERO)
    moved = np.where(below, np.nextafter(-_ZERO, -np.inf), thresholds)
    return np.asarray(np.where(above, _ZERO, moved))


def tree_sums(graph: GraphBuilder, forest: Forest, rows: str) -> str:
    """(n, width) rows to the (n, 1) sum over all trees."""
    if not len(forest.roots):
        return graph.like(forest.constant, rows)
    features = forest.features
    if forest.zero_is_missing.any():
        # Splits that take zeros for missing read columns of their own, in which they are.
        zero = graph.op("LessOrEqual", graph.op("Abs", rows), graph.number(_ZERO))
        gone = graph.op("Where", zero, graph.number(np.nan), rows)
        rows = graph.side_by_side([rows, gone])
        features = features + forest.width * forest.zero_is_missing
    sums = _tree_ensemble(graph, forest, features, rows)
    return graph.op("Add", sums, graph.number(forest.constant)) if forest.constant else sums


def _tree_ensemble(graph: GraphBuilder, forest: Forest, features: np.ndarray, rows: str) -> str:
    from onnx import numpy_helper

    splits, moved = len(forest.features), _leaves_apart(forest)
    left, right = (
        np.where(leaf, (child + moved) % len(forest.leaves), child)
        for child, leaf in (
            (forest.left, forest.left_is_leaf),
            (forest.right, forest.right_is_leaf),
        )
    )
    return graph.op(
        "TreeEnsemble",
        rows,
        domain=TREES_DOMAIN,
        n_targets=1,
        aggregate_function=_SUM,
        post_transform=_AS_IT_IS,
        tree_roots=forest.roots.tolist(),
        nodes_featureids=features.tolist(),
        nodes_splits=numpy_helper.from_array(forest.thresholds),
        nodes_modes=numpy_helper.from_array(np.full(splits, _LESS_OR_EQUAL, dtype=np.uint8)),
        nodes_truenodeids=left.tolist(),
        nodes_trueleafs=forest.left_is_leaf.astype(int).tolist(),
        nodes_falsenodeids=right.tolist(),
        nodes_falseleafs=forest.right_is_leaf.astype(int).tolist(),
        nodes_missing_value_tracks_true=forest.missing_left.astype(int).tolist(),
        leaf_targetids=[0] * len(forest.leaves),
        leaf_weights=numpy_helper.from_array(np.roll(forest.leaves, moved)),
    )


def _leaves_apart(forest: Forest) -> int:
    """By how much to renumber leaves, so that no split has a leaf and a split of one number.

    Up to onnxruntime 1.23 such a split is silently taken for one whose children are the same.
    """
    count = len(forest.leaves)
    mixed = forest.left_is_leaf != forest.right_is_leaf
    leaf = np.where(forest.left_is_leaf, forest.left, forest.right)[mixed]
    split = np.where(forest.left_is_leaf, forest.right, forest.left)[mixed]
    barred = (split - leaf) % count
    return int(np.setdiff1d(np.arange(count), barred)[0])  # fewer are barred than there are leaves
