"""A fitted stack scores from plain data alone, and its parts do what their docstrings say."""

from __future__ import annotations

import dataclasses

import lightgbm
import numpy as np
import pytest

from faultxfer.bundle.frozen import Block, FrozenSource, LinearModel, Views, soft_clipped
from faultxfer.bundle.input_map import MAPS, fit_maps, spread_of
from faultxfer.bundle.member_kinds.features import encode
from faultxfer.bundle.member_kinds.trees import SHARE
from faultxfer.bundle.members import CONSTANT, IDENTITY, LINEAR, TREES, Member, Stack, logits
from faultxfer.strategies.learners.boosting import boost, grow_forest


@pytest.fixture(scope="module")
def source() -> FrozenSource:
    rng = np.random.default_rng(0)
    X = rng.normal([10.0, -3.0, 0.5], [2.0, 1.0, 0.1], (600, 3))
    y = (X[:, 0] + 2 * X[:, 1] > 5).astype(np.int8)
    trees = lightgbm.Booster(model_str=boost(X, y, 0, rounds=20))
    return FrozenSource(
        spread_of(X), spread_of(X[y == 0]), trees, LinearModel(np.array([1.0, 2.0, 0.0]), 0.5)
    )


@pytest.fixture
def target() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    X = rng.normal([30.0, -3.0, 0.5], [4.0, 1.0, 0.1], (80, 3))
    return X, (np.arange(80) % 4 == 0).astype(np.int8)


def test_target_map_brings_median_and_quartiles_to_the_source(
    source: FrozenSource, target: tuple[np.ndarray, np.ndarray]
) -> None:
    mapped = fit_maps(*target, source.spread, source.normal)["target"](target[0])
    np.testing.assert_allclose(spread_of(mapped).center, source.spread.center)
    np.testing.assert_allclose(spread_of(mapped).scale, source.spread.scale)


def test_normal_maps_look_at_normal_rows_only(
    source: FrozenSource, target: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = target
    spoiled = np.where((y == 1)[:, None], 1e6, X)
    for name in ("source", "normal", "offset", "blend"):
        first, second = (
            fit_maps(rows, y, source.spread, source.normal)[name] for rows in (X, spoiled)
        )
        np.testing.assert_array_equal(first.gain, second.gain)
        np.testing.assert_array_equal(first.offset, second.offset)


def test_a_constant_sensor_is_mapped_to_finite_numbers(source: FrozenSource) -> None:
    X = np.tile([5.0, -3.0, 0.5], (20, 1))
    for input_map in fit_maps(X, np.arange(20) % 2, source.spread, source.normal).values():
        assert np.isfinite(input_map(X)).all()


def test_encoding_matches_a_case_computed_by_hand() -> None:
    edges = np.array([[0.0, 1.0, 3.0]])
    np.testing.assert_allclose(
        encode(np.array([[-1.0], [0.5], [2.0], [9.0]]), edges), [[0, 0], [0.5, 0], [1, 0.5], [1, 1]]
    )


def test_soft_clip_keeps_the_middle_and_bounds_the_ends() -> None:
    spread = spread_of(np.linspace(-1, 1, 101)[:, None])
    clipped = soft_clipped(np.array([[0.0], [1e9]]), spread)
    np.testing.assert_allclose(clipped, [[0.0], [4.0]], atol=1e-6)


def test_a_stack_is_the_weighted_sum_of_calibrated_members(
    source: FrozenSource, target: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = target
    maps = fit_maps(X, y, source.spread, source.normal)
    constant = Member(
        "scratch", "always-normal", CONSTANT, arrays={"intercept": np.array([-2.0])}, weight=0.25
    )
    as_is = Member(
        "source", "trees", IDENTITY, (Block("trees", "normal"),), slope=0.5, offset=1.0, weight=0.75
    )
    expected = 0.25 * -2.0 + 0.75 * (
        0.5 * Views(source, maps, X).block(Block("trees", "normal"))[:, 0] + 1.0
    )
    np.testing.assert_allclose(logits(Stack((constant, as_is), maps), source, X), expected)


def test_linear_members_read_blocks_then_bins_then_constants(
    source: FrozenSource, target: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = target
    maps = fit_maps(X, y, source.spread, source.normal)
    edges = np.quantile(X, [0, 0.5, 1], axis=0).T
    arrays = {
        "coef": np.array([2.0, *np.zeros(6), 3.0]),
        "intercept": np.array([0.5]),
        "edges": edges,
    }
    member = Member("bins", "bins", LINEAR, (Block("linear", "source"),), arrays, constants=(1.0,))
    expected = 2 * Views(source, maps, X).block(Block("linear", "source"))[:, 0] + 3.5
    np.testing.assert_allclose(logits(Stack((member,), maps), source, X), expected)


def test_a_forest_says_logits_of_its_share_of_faults(
    source: FrozenSource, target: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = target
    maps = fit_maps(X, y, source.spread, source.normal)
    text = grow_forest(Views(source, maps, X).block(Block("sensors", "target")), y, 0, rounds=20)
    member = Member(
        "scratch", "forest", TREES, (Block("sensors", "target"),), text=text, link=SHARE
    )
    shares = 1 / (1 + np.exp(-logits(Stack((member,), maps), source, X)))
    assert shares[y == 1].mean() > shares[y == 0].mean() + 0.2
    assert ((shares >= 0.005 - 1e-9) & (shares <= 0.995 + 1e-9)).all()


def test_trees_are_added_to_their_base(
    source: FrozenSource, target: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = target
    maps = fit_maps(X, y, source.spread, source.normal)
    text = boost(Views(source, maps, X).block(Block("sensors", "target")), y, 0, rounds=5)
    plain = Member("residual", "residual", TREES, (Block("sensors", "target"),), text=text)
    based = dataclasses.replace(
        plain, base=(Block("linear", "source"),), arrays={"base": np.array([2.0, -1.0])}
    )
    gap = logits(Stack((based,), maps), source, X) - logits(Stack((plain,), maps), source, X)
    np.testing.assert_allclose(
        gap, 2 * Views(source, maps, X).block(Block("linear", "source"))[:, 0] - 1
    )


def test_a_part_of_views_has_the_same_blocks(
    source: FrozenSource, target: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = target
    views = Views(source, fit_maps(X, y, source.spread, source.normal), X)
    rows = np.array([3, 70, 5])
    for block in [
        Block(kind, map_name) for kind in ("sensors", "trees", "linear") for map_name in MAPS
    ]:
        np.testing.assert_array_equal(views.take(rows).block(block), views.block(block)[rows])
