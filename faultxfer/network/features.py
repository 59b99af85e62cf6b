"""What a frozen source network gives for rows, and gains and offsets fitted through it.

Last hidden features and member logits come of one forward pass. Linear input networks come from
speaker adaptation (Neto et al., "Speaker-adaptation for hybrid HMM-ANN continuous speech
recognition system", Eurospeech 1995); the diagonal one has two numbers for each sensor, few enough
for few rows.
"""

from __future__ import annotations

from functools import cached_property

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

from faultxfer.network.ensemble import MEMBER_LOGITS, sensors_read
from faultxfer.network.fit import apply_network

# A priori a sensor's gain lies within some 30 % of 1 and its offset within a standard deviation of
# 0.
_GAIN_PRECISION, _OFFSET_PRECISION = 10.0, 1.0
_SLOPE_PRECISION, _BIAS_PRECISION = 2.0, 0.01
_STEPS = 40


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

        The features are the last hidden layer of each member, side by side, and the clipped
        sensors.
        """
        known = X[:, : len(self.mean)]  # new sensors of a machine stand behind
        out = apply_network(self._model, (known - self.mean) / self.scale)
        return out[:, : self.hidden_units], out[:, self.hidden_units :]

    @staticmethod
    def _last_hidden(network: keras.Model, number: int) -> keras.KerasTensor:
        layers = [
            layer for layer in network.layers if layer.name.startswith(f"member_{number}_hidden")
        ]
        return layers[-1].output

    def seen_by(self, member: int) -> np.ndarray:
        """Columns of the (n, h) features that the head of a member reads.

        Its last hidden layer comes first, then the sensors, which all heads read.
        """
        units = []
        for number in self._numbers:
            read = self.network.get_layer(f"head_{number}").input.shape[1]
            units.append(read - self._sensors)
        start = sum(units[:member])
        own = np.arange(start, start + units[member])
        sensors = np.arange(self.hidden_units - self._sensors, self.hidden_units)
        return np.concatenate([own, sensors])

    def head_of(self, member: int) -> np.ndarray:
        """(units + d + 1,) weights of a member's head on the columns :meth:`seen_by` and 1."""
        kernel, intercept = self.network.get_layer(f"head_{member}").get_weights()
        return np.append(kernel[:, 0], intercept).astype(np.float64)

    def set_head_of(self, member: int, coef: np.ndarray, intercept: float) -> None:
        """Give one member the head that :meth:`head_of` returns."""
        kernel, bias = coef[:, None].astype(np.float32), np.array([intercept], dtype=np.float32)
        self.network.get_layer(f"head_{member}").set_weights([kernel, bias])

    def set_head(self, coef: np.ndarray, intercept: float) -> None:
        """Give every member's head its part of (h,) weights and the intercept.

        The inverse of ``head``.
        """
        for number in self._numbers:
            own = coef[self.seen_by(number)]
            own[: -self._sensors] *= self.members
            self.set_head_of(number, own, intercept)

    @property
    def _sensors(self) -> int:
        return sensors_read(self.network)

    @property
    def _numbers(self) -> range:
        return range(self.members)

    def _head(self) -> np.ndarray:
        """(h + 1,) weights of the averaged logit on the features and 1."""
        head = np.zeros(self.hidden_units + 1)
        for number in self._numbers:
            places = np.append(self.seen_by(number), self.hidden_units)
            head[places] += self.head_of(number)
        return np.asarray(head / self.members)


class InputAdapter:
    """Fits adapters for one frozen network.

    Traced once, so that each fit takes a fraction of a second.

    Args:
        network: from (n, d) scaled sensors to one logit.
    """

    def __init__(self, network: keras.Model) -> None:
        self.sensors = network.input_shape[1]
        rows, labels = tf.TensorSpec((None, self.sensors)), tf.TensorSpec((None,))
        vector, scalar = tf.TensorSpec((self.sensors,)), tf.TensorSpec(())
        signature = [rows, labels, vector, vector, scalar, scalar]

        @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
        def gradients(
            x: tf.Tensor,
            y: tf.Tensor,
            gain: tf.Tensor,
            offset: tf.Tensor,
            slope: tf.Tensor,
            bias: tf.Tensor,
        ) -> tuple[tf.Tensor, list[tf.Tensor]]:
            parameters = [gain, offset, slope, bias]
            with tf.GradientTape() as tape:
                tape.watch(parameters)
                logits = network(x * tf.exp(gain) + offset, training=False)[:, 0]
                each = tf.nn.sigmoid_cross_entropy_with_logits(y, slope * logits + bias)
                loss = tf.reduce_sum(each)
            return loss, tape.gradient(loss, parameters)

        self._gradients = gradients.get_concrete_function()

    def fit(
        self, scaled: np.ndarray, y: np.ndarray, strength: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gains and offsets (d,) in scaled units that fit (n, d) rows with labels (n,).

        Near 1 and 0.

        ``strength`` multiplies the precision of the prior.
        """
        d = self.sensors
        of_sensors = strength * np.repeat([_GAIN_PRECISION, _OFFSET_PRECISION], d)
        precision = np.append(of_sensors, [_SLOPE_PRECISION, _BIAS_PRECISION])
        centre = np.append(np.zeros(2 * d), [1.0, 0.0])
        x, labels = tf.constant(scaled.astype(np.float32)), tf.constant(y.astype(np.float32))

        def objective(p: np.ndarray) -> tuple[float, np.ndarray]:
            q = tf.constant(p.astype(np.float32))
            loss, gradient = self._gradients(x, labels, q[:d], q[d : 2 * d], q[2 * d], q[2 * d + 1])
            flat = np.hstack([np.asarray(each, dtype=np.float64) for each in gradient])
            change = p - centre
            penalty = 0.5 * float(precision @ change**2)
            return float(loss) + penalty, flat + precision * change

        found = minimize(
            objective, centre, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
        ).x
        return np.exp(found[:d]), found[d : 2 * d]
