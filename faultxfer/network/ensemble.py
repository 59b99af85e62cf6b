"""The source network: robust scaling, soft clipping and a piecewise-linear encoding inside.

Several members on top.

Built of plain layers only, so that it is stored and loaded like any other network here:

* ``robust`` re-scales the StandardScaler's output to medians and quartile ranges, ``clip`` bounds
  it smoothly;
* ``bins`` is a fixed block-diagonal layer with a ReLU that saturates at 1: the piecewise-linear
  encoding of Gorishniy et al., "On embeddings for numerical features in tabular deep learning",
  NeurIPS 2022, which lets a network make the sharp per-sensor cuts that trees make;
* the members (Lakshminarayanan et al., "Simple and scalable predictive uncertainty estimation using
  deep ensembles", NeurIPS 2017) share that input, and each has a linear head on its last hidden
  layer and the clipped sensors.
"""

from __future__ import annotations

from itertools import pairwise

import keras
import numpy as np

from faultxfer.config import NetworkOptions
from faultxfer.network.arrays import BINS, CLIPPED, ENCODED, LOGIT, MEMBER_LOGITS, ROBUST
from faultxfer.network.build import SOFT_CLIP

_IQR_OF_NORMAL = 1.349


def build_ensemble(
    scaled: np.ndarray, shape: NetworkOptions, read: np.ndarray | None = None
) -> keras.Model:
    """A network from scaled sensors to one fault logit.

    Args:
        scaled: (n, d) scaled training sensors, whose quantiles fix the input layers.
        shape: options of the network, of which only its shape is read.
        read: (k,) positions of the sensors that the network looks at; all of them if left out.

    Returns:
        An uncompiled model with output (n, 1). Its layers ``encoded``, ``features`` (n, members * h
        + k) and ``member_logits`` (n, members) are what
        :class:`faultxfer.network.features.NetworkFeatures` reads.
    """
    sensors = scaled.shape[1]
    read = np.arange(sensors) if read is None else read
    inputs = keras.Input((sensors,), name="scaled_sensors")
    clipped, encoded = _input_layers(inputs, len(read), shape.bins)
    # All hidden layers before all heads: the order in which weights draw their seeds.
    hidden = [_member(encoded, shape, number) for number in range(shape.members)]
    heads = []
    for number, last in enumerate(hidden):
        seen = keras.layers.Concatenate(name=f"seen_{number}")([last, clipped])
        heads.append(keras.layers.Dense(1, name=f"head_{number}")(seen))
    logits = keras.layers.Concatenate(name=MEMBER_LOGITS)(heads)
    mean = keras.layers.Dense(
        1, use_bias=False, kernel_initializer="zeros", trainable=False, name=LOGIT
    )(logits)
    network = keras.Model(inputs, mean, name="fault_ensemble")
    equal = np.full((shape.members, 1), 1 / shape.members, dtype=np.float32)
    network.get_layer(LOGIT).set_weights([equal])
    _fix_input_layers(network, np.asarray(scaled, dtype=np.float64), read, shape.bins)
    return network


def is_ensemble(network: keras.Model) -> bool:
    """Whether a network was made by :func:`build_ensemble`."""
    return any(layer.name == MEMBER_LOGITS for layer in network.layers)


def member_stages(network: keras.Model) -> list[list[keras.layers.Layer]]:
    """Learnt layers, first to last.

    For each depth the hidden layer of every member, then their heads.
    """
    hidden = [layer for layer in network.layers if "_hidden_" in layer.name]
    stages: dict[int, list[keras.layers.Layer]] = {}
    for layer in hidden:
        depth = int(layer.name.rpartition("_")[2])
        stages.setdefault(depth, []).append(layer)
    heads = [layer for layer in network.layers if layer.name.startswith("head_")]
    return [*(stages[depth] for depth in sorted(stages)), heads]


def trunk_of(network: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The fixed encoder of (n, d) sensors, and the trainable rest up to the members' logits.

    Layers are shared, so fitting the second changes ``network``.
    """
    encoded = network.get_layer(ENCODED).output
    encoder = keras.Model(network.input, encoded)
    inputs = keras.Input(encoded.shape[1:])
    return encoder, _apply_from(network, inputs)


def _input_layers(
    inputs: keras.KerasTensor, sensors: int, bins: int
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    robust = keras.layers.Dense(sensors, kernel_initializer="zeros", trainable=False, name=ROBUST)(
        inputs
    )
    x = keras.layers.Rescaling(1 / SOFT_CLIP, name="clip_in")(robust)
    x = keras.layers.Activation("tanh", name="clip")(x)
    clipped = keras.layers.Rescaling(SOFT_CLIP, name=CLIPPED)(x)
    if not bins:
        return clipped, keras.layers.Rescaling(1.0, name=ENCODED)(clipped)
    places = keras.layers.Dense(
        sensors * bins, kernel_initializer="zeros", trainable=False, name=BINS
    )(robust)
    shares = keras.layers.ReLU(max_value=1.0, name="bin_shares")(places)
    return clipped, keras.layers.Concatenate(name=ENCODED)([clipped, shares])


def _fix_input_layers(
    network: keras.Model, scaled: np.ndarray, read: np.ndarray, bins: int
) -> None:
    seen = scaled[:, read]
    low, center, high = np.percentile(seen, [25, 50, 75], axis=0)
    spread = (high - low) / _IQR_OF_NORMAL
    spread = np.where(spread > 1e-6, spread, 1.0)
    kernel = np.zeros((scaled.shape[1], len(read)))
    kernel[read, np.arange(len(read))] = 1 / spread
    network.get_layer(ROBUST).set_weights([kernel, -center / spread])
    if bins:
        network.get_layer(BINS).set_weights(_bin_weights((seen - center) / spread, bins))


def _bin_weights(robust: np.ndarray, bins: int) -> list[np.ndarray]:
    """Kernel (d, d * bins) and bias of the encoding; bins of no width stay silent."""
    sensors = robust.shape[1]
    kernel, bias = np.zeros((sensors, sensors * bins)), np.zeros(sensors * bins)
    for sensor in range(sensors):
        quantiles = np.quantile(robust[:, sensor], np.linspace(0, 1, bins + 1))
        edges = np.unique(quantiles.round(6))
        for place, (low, high) in enumerate(pairwise(edges), start=sensor * bins):
            width = high - low
            kernel[sensor, place] = 1 / width
            bias[place] = -low / width
    return [kernel, bias]


def _member(encoded: keras.KerasTensor, shape: NetworkOptions, number: int) -> keras.KerasTensor:
    x = encoded
    for depth, units in enumerate(shape.hidden, 1):
        name = f"member_{number}_hidden_{depth}"
        x = keras.layers.Dense(units, activation="silu", kernel_initializer="he_normal", name=name)(
            x
        )
        x = keras.layers.Dropout(shape.dropout, name=f"member_{number}_dropout_{depth}")(x)
    return x


def _apply_from(network: keras.Model, encoded: keras.KerasTensor) -> keras.Model:
    """The members on an input of their own.

    The clipped sensors are the first columns of what is encoded.
    """
    sensors = int(network.get_layer(CLIPPED).output.shape[1])
    pick = keras.layers.Dense(
        sensors, use_bias=False, kernel_initializer="zeros", trainable=False, name="pick"
    )
    clipped = pick(encoded)
    pick.set_weights([np.eye(encoded.shape[1], sensors)])
    heads = []
    for number in range(network.get_layer(MEMBER_LOGITS).output.shape[1]):
        x = encoded
        for layer in network.layers:
            if layer.name.startswith(f"member_{number}_"):
                x = layer(x)
        seen = keras.layers.Concatenate()([x, clipped])
        heads.append(network.get_layer(f"head_{number}")(seen))
    return keras.Model(encoded, keras.layers.Concatenate()(heads), name="trunk")
