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
        self.head = self._head(network)

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
        layers = [layer for layer in network.layers if layer.name.startswith(f"member_{number}_hidden")]
        return layers[-1].output

    def set_head(self, coef: np.ndarray, intercept: float) -> None:
        """Give every member's head its part of (h,) weights and the intercept: the inverse of ``head``."""
        sensors = self.network.input_shape[1]
        start = 0
        for number in range(self.members):
            head = self.network.get_layer(f"head_{number}")
            units = head.input.shape[1] - sensors
            kernel = np.concatenate([self.members * coef[start : start + units], coef[self.hidden_units - sensors :]])
            head.set_weights([kernel[:, None].astype(np.float32), np.array([intercept], dtype=np.float32)])
            start += units

    def _head(self, network: keras.Model) -> np.ndarray:
        """(h + 1,) weights of the averaged logit on the features and 1."""
        parts, sensors, bias = [], 0.0, 0.0
        for number in range(self.members):
            kernel, intercept = network.get_layer(f"head_{number}").get_weights()
            units = len(kernel) - network.input_shape[1]
            parts.append(kernel[:units, 0])
            sensors = sensors + kernel[units:, 0]
            bias += float(intercept[0])
        head = np.concatenate([*parts, np.atleast_1d(sensors), [bias]]).astype(np.float64)
        return np.asarray(head / self.members)
