"""What a frozen source network says of rows: last hidden features and member logits, in one forward pass."""

from __future__ import annotations

from functools import cached_property

import keras
import numpy as np

from faultxfer.network.adapter import InputAdapter
from faultxfer.network.ensemble import MEMBER_LOGITS
from faultxfer.network.fit import apply_network


class NetworkFeatures:
    """Callable on (n, d) readings in engineering units.

    Args:
        network: as :func:`faultxfer.network.ensemble.build_ensemble` makes it, fitted.
        mean, scale: (d,) of the scaling stage in front of it.
    """

    def __init__(self, network: keras.Model, mean: np.ndarray, scale: np.ndarray) -> None:
        self.network, self.mean, self.scale = network, mean, scale
        logits = network.get_layer(MEMBER_LOGITS).output
        self.members = logits.shape[1]
        hidden = [self._last_hidden(network, number) for number in range(self.members)]
        hidden.append(network.get_layer("clip_out").output)
        self.hidden_units = sum(tensor.shape[1] for tensor in hidden)
        self._model = keras.Model(network.input, keras.layers.Concatenate()([*hidden, logits]))
        self.head = self._head()

    @cached_property
    def adapter(self) -> InputAdapter:
        """Traced when first asked for."""
        return InputAdapter(self.network)

    def __call__(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) readings to (n, h) features of the heads and (n, members) logits.

        The features are the last hidden layer of each member, side by side, and the clipped sensors.
        """
        out = apply_network(self._model, (X - self.mean) / self.scale)
        return out[:, : self.hidden_units], out[:, self.hidden_units :]

    @staticmethod
    def _last_hidden(network: keras.Model, number: int) -> keras.KerasTensor:
        layers = [
            layer for layer in network.layers if layer.name.startswith(f"member_{number}_hidden")
        ]
        return layers[-1].output

    def seen_by(self, member: int) -> np.ndarray:
        """Columns of the (n, h) features that the head of a member reads: its last hidden layer, then the sensors."""
        units = [
            self.network.get_layer(f"head_{number}").input.shape[1] - self._sensors
            for number in self._numbers
        ]
        start = sum(units[:member])
        own = np.arange(start, start + units[member])
        return np.concatenate(
            [own, np.arange(self.hidden_units - self._sensors, self.hidden_units)]
        )

    def head_of(self, member: int) -> np.ndarray:
        """(units + d + 1,) weights of a member's head on the columns :meth:`seen_by` and 1."""
        kernel, intercept = self.network.get_layer(f"head_{member}").get_weights()
        return np.append(kernel[:, 0], intercept).astype(np.float64)

    def set_head_of(self, member: int, coef: np.ndarray, intercept: float) -> None:
        """Give one member the head that :meth:`head_of` returns."""
        weights = [coef[:, None].astype(np.float32), np.array([intercept], dtype=np.float32)]
        self.network.get_layer(f"head_{member}").set_weights(weights)

    def set_head(self, coef: np.ndarray, intercept: float) -> None:
        """Give every member's head its part of (h,) weights and the intercept: the inverse of ``head``."""
        for number in self._numbers:
            own = coef[self.seen_by(number)]
            own[: -self._sensors] *= self.members
            self.set_head_of(number, own, intercept)

    @property
    def _sensors(self) -> int:
        return int(self.network.input_shape[1])

    @property
    def _numbers(self) -> range:
        return range(self.members)

    def _head(self) -> np.ndarray:
        """(h + 1,) weights of the averaged logit on the features and 1."""
        head = np.zeros(self.hidden_units + 1)
        for number in self._numbers:
            head[np.append(self.seen_by(number), self.hidden_units)] += self.head_of(number)
        return np.asarray(head / self.members)
