"""What a frozen source network gives for rows: last hidden features and logits of its members."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from faultxfer.network.arrays import CLIPPED, MEMBER_LOGITS, ArrayNetwork


class NetworkFeatures:
    """Callable on (n, d) readings in engineering units.

    Args:
        network: as :func:`faultxfer.network.ensemble.build_ensemble` makes it, fitted.
        mean, scale: (d,) of the scaling stage in front of it.
    """

    def __init__(self, network: ArrayNetwork, mean: np.ndarray, scale: np.ndarray) -> None:
        self.network, self.mean, self.scale = network, mean, scale
        self.members = network.width(MEMBER_LOGITS)
        self._numbers = range(self.members)
        self._sensors = network.width(CLIPPED)
        self._hidden = [_last_hidden(network, number) for number in self._numbers]
        self.hidden_units = sum(map(network.width, self._hidden)) + self._sensors
        self.head = self._head()

    @cached_property
    def adapter(self) -> Any:
        """Fits gains and offsets through the network; traced when first asked for."""
        from faultxfer.network.input_adapter import InputAdapter

        return InputAdapter(self.network.keras())

    def __call__(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) readings to (n, h) features of the heads and (n, members) logits, float32.

        The features are the last hidden layer of each member, side by side, and the clipped
        sensors.
        """
        names = (*self._hidden, CLIPPED, MEMBER_LOGITS)
        *features, logits = self.network.outputs(self._scaled(X), *names)
        return np.hstack(features), logits

    def logits(self, X: np.ndarray) -> np.ndarray:
        """(n, d) readings to (n, members) logits, float32, without the features."""
        return self.network.outputs(self._scaled(X), MEMBER_LOGITS)[0]

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        known = X[:, : len(self.mean)]  # new sensors of a machine stand behind
        return np.asarray((known - self.mean) / self.scale)

    def seen_by(self, member: int) -> np.ndarray:
        """Columns of the (n, h) features that the head of a member reads.

        Its last hidden layer comes first, then the sensors, which all heads read.
        """
        units = [self.network.width(name) for name in self._hidden]
        start = sum(units[:member])
        own = np.arange(start, start + units[member])
        sensors = np.arange(self.hidden_units - self._sensors, self.hidden_units)
        return np.concatenate([own, sensors])

    def head_of(self, member: int) -> np.ndarray:
        """(units + d + 1,) weights of a member's head on the columns :meth:`seen_by` and 1."""
        kernel, intercept = self.network.get_layer(f"head_{member}").weights
        return np.append(kernel[:, 0], intercept).astype(np.float64)

    def with_heads(self, heads: list[np.ndarray]) -> ArrayNetwork:
        """The network with other heads, each as :meth:`head_of` returns it."""
        weights = {}
        for number, head in enumerate(heads):
            weights[f"head_{number}"] = [head[:-1, None], head[-1:]]
        return self.network.with_weights(weights)

    def with_head(self, head: np.ndarray) -> ArrayNetwork:
        """The network in which every member's head has its part of ``head``, (h + 1,) weights."""
        heads = []
        for number in self._numbers:
            own = head[self.seen_by(number)]
            own[: -self._sensors] *= self.members
            heads.append(np.append(own, head[-1]))
        return self.with_heads(heads)

    def _head(self) -> np.ndarray:
        """(h + 1,) weights of the averaged logit on the features and 1."""
        head = np.zeros(self.hidden_units + 1)
        for number in self._numbers:
            places = np.append(self.seen_by(number), self.hidden_units)
            head[places] += self.head_of(number)
        return np.asarray(head / self.members)


def _last_hidden(network: ArrayNetwork, member: int) -> str:
    start = f"member_{member}_hidden"
    return [layer.name for layer in network.layers if layer.name.startswith(start)][-1]
