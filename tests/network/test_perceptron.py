"""The network that is trained without Keras learns, and repeats itself."""

from __future__ import annotations

import numpy as np

from faultxfer.network.perceptron import Perceptron
from faultxfer.network.recipe import Recipe

RECIPE = Recipe(learning_rate=2e-3, weight_decay=0.01, batch_size=64, epochs=60)


def fitted(x: np.ndarray, y: np.ndarray, seed: int = 0) -> Perceptron:
    network = Perceptron(x.shape[1], (16, 8), 0.1, seed)
    network.fit(x, y, RECIPE)
    return network


def test_it_learns_what_no_line_divides() -> None:
    x = np.random.default_rng(0).normal(size=(400, 3))
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int8)
    logits = fitted(x[:300], y[:300]).logits(x[300:])
    assert ((logits > 0) == y[300:]).mean() > 0.85


def test_the_seed_alone_decides_and_classes_weigh_the_same() -> None:
    x = np.random.default_rng(0).normal(size=(200, 2))
    y = (np.arange(200) < 10).astype(np.int8)  # of which nothing can be learnt
    one, again, other = fitted(x, y), fitted(x, y), fitted(x, y, seed=1)
    np.testing.assert_array_equal(one.logits(x), again.logits(x))
    assert not np.array_equal(one.logits(x), other.logits(x))
    assert abs(one.logits(x).mean()) < 1.5  # log-odds of a fault among the rows are -2.9


def test_its_slopes_are_those_of_the_loss() -> None:
    random = np.random.default_rng(0)
    network = Perceptron(3, (4, 2), 0.0, 0)
    x, labels = random.normal(size=(9, 3)).astype(np.float32), random.random(9) < 0.5
    network._descend(x, labels.astype(np.float32), np.ones(9, np.float32))
    found = network._slopes.copy()

    def loss() -> float:
        logits = network.logits(4 * np.arctanh(x.astype(np.float64) / 4))
        return float(np.mean(np.logaddexp(0, logits) - labels * logits))

    for place in range(0, len(found), 3):
        ends = []
        for step in (1e-2, -2e-2):
            network._weights[place] += step
            ends.append(loss())
        network._weights[place] += 1e-2
        assert abs((ends[0] - ends[1]) / 2e-2 - found[place]) < 2e-3
