"""The fault network."""

from __future__ import annotations

import keras

# Beyond this many standard deviations a sensor says no more than "far out": keeps one stuck or
# shifted sensor of a new machine from driving every unit of the first layer.
SOFT_CLIP = 4.0


def build_network(n_features: int, hidden: tuple[int, ...], dropout: float) -> keras.Model:
    """A multilayer perceptron from scaled sensors to one fault logit.

    There is no batch normalisation: its stored statistics would be a second, hidden scaler of the
    source machine. Scaled sensors are clipped smoothly, ``4 tanh(z / 4)``, with standard layers
    only, so that the stored network holds nothing but layers on the loader's allow-list.

    Args:
        n_features: number of sensors ``d``; the input is (n, d) float32.
        hidden: units of each hidden layer.
        dropout: share of units dropped after each hidden layer while training.

    Returns:
        An uncompiled model with output (n, 1): the logit of a fault.
    """
    inputs = keras.Input((n_features,), name="scaled_sensors")
    x = keras.layers.Rescaling(1 / SOFT_CLIP, name="clip_in")(inputs)
    x = keras.layers.Activation("tanh", name="clip")(x)
    x = keras.layers.Rescaling(SOFT_CLIP, name="clip_out")(x)
    for number, units in enumerate(hidden, 1):
        x = keras.layers.Dense(
            units, activation="silu", kernel_initializer="he_normal", name=f"hidden_{number}"
        )(x)
        x = keras.layers.Dropout(dropout, name=f"dropout_{number}")(x)
    return keras.Model(inputs, keras.layers.Dense(1, name="fault_logit")(x), name="fault_network")
