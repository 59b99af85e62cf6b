"""Gain and offset of each sensor in front of a frozen network, fitted through it.

Linear input networks come from speaker adaptation (Neto et al., "Speaker-adaptation for hybrid HMM-ANN continuous
speech recognition system", Eurospeech 1995); the diagonal one has two numbers for each sensor, few enough for few rows.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

# A priori a sensor's gain lies within some 30 % of 1 and its offset within a standard deviation of 0.
_GAIN_PRECISION, _OFFSET_PRECISION = 10.0, 1.0
_SLOPE_PRECISION, _BIAS_PRECISION = 2.0, 0.01
_STEPS = 40


class InputAdapter:
    """Fits adapters for one frozen network; traced once, so that each fit takes a fraction of a second.

    Args:
        network: from (n, d) scaled sensors to one logit.
    """

    def __init__(self, network: keras.Model) -> None:
        self.sensors = network.input_shape[1]
        rows, vector, scalar = (
            tf.TensorSpec((None, self.sensors)), tf.TensorSpec((self.sensors,)), tf.TensorSpec(()),
        )  # fmt: skip

        @tf.function(input_signature=[rows, tf.TensorSpec((None,)), vector, vector, scalar, scalar])  # type: ignore[untyped-decorator]
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
                logits = slope * network(x * tf.exp(gain) + offset, training=False)[:, 0] + bias
                loss = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(y, logits))
            return loss, tape.gradient(loss, parameters)

        self._gradients = gradients.get_concrete_function()

    def fit(
        self, scaled: np.ndarray, y: np.ndarray, strength: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gains and offsets (d,) in scaled units that fit (n, d) rows with labels (n,), near 1 and 0.

        ``strength`` multiplies the precision of the prior.
        """
        d = self.sensors
        precision = np.concatenate(
            [np.full(d, strength * _GAIN_PRECISION), np.full(d, strength * _OFFSET_PRECISION)]
        )
        precision = np.append(precision, [_SLOPE_PRECISION, _BIAS_PRECISION])
        centre = np.append(np.zeros(2 * d), [1.0, 0.0])
        x, labels = tf.constant(scaled.astype(np.float32)), tf.constant(y.astype(np.float32))

        def objective(p: np.ndarray) -> tuple[float, np.ndarray]:
            q = tf.constant(p.astype(np.float32))
            loss, gradient = self._gradients(x, labels, q[:d], q[d : 2 * d], q[2 * d], q[2 * d + 1])
            flat = np.concatenate(
                [np.atleast_1d(np.asarray(part, dtype=np.float64)) for part in gradient]
            )
            change = p - centre
            return float(loss) + 0.5 * float(precision @ change**2), flat + precision * change

        found = minimize(
            objective, centre, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
        ).x
        return np.exp(found[:d]), found[d : 2 * d]
