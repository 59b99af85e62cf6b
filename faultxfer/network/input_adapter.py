"""Gains and offsets of sensors, fitted through a frozen network.

Linear input networks come from speaker adaptation (Neto et al., "Speaker-adaptation for hybrid
HMM-ANN continuous speech recognition system", Eurospeech 1995); the diagonal one has two numbers
for each sensor, few enough for few rows.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

# A priori a sensor's gain lies within some 30 % of 1 and its offset within a standard deviation of
# 0.
_GAIN_PRECISION, _OFFSET_PRECISION = 10.0, 1.0
_SLOPE_PRECISION, _BIAS_PRECISION = 2.0, 0.01
_STEPS = 40


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
