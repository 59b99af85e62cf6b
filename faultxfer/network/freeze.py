"""Freeze all but the last layers, and cut the network there.

The activations of a frozen part are constant for given rows. So the network is cut into a frozen *extractor*, run
once, and a trainable *head*, fitted on the extractor's output; both share their layers with the whole network.
(Yosinski et al., "How transferable are features in deep neural networks?", NeurIPS 2014.)
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from faultxfer.errors import StrategyError


@dataclass(frozen=True)
class Cut:
    """A network and its two parts; layers are shared, so fitting ``head`` changes ``whole``."""

    whole: keras.Model
    extractor: keras.Model
    head: keras.Model


def copy_network(network: keras.Model) -> keras.Model:
    """A copy with its own weights."""
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    return twin


def fresh_network(network: keras.Model) -> keras.Model:
    """A network of the same layers with newly drawn weights."""
    return keras.models.clone_model(network)


def layers_with_weights(network: keras.Model) -> list[keras.layers.Layer]:
    """Layers that hold weights, first to last."""
    return [layer for layer in network.layers if layer.weights]


def freeze_all_but_last(network: keras.Model, trainable_layers: int) -> Cut:
    """Freeze everything before the last ``trainable_layers`` layers that hold weights, and cut there.

    Args:
        network: a chain of layers, as :func:`faultxfer.network.build.build_network` makes it.
        trainable_layers: how many layers with weights stay trainable, at least 1.

    Raises:
        StrategyError: the network has fewer layers with weights.
    """
    weighted = layers_with_weights(network)
    if not 1 <= trainable_layers <= len(weighted):
        raise StrategyError(
            f"Between 1 and {len(weighted)} trainable layers were expected",
            received={"trainable_layers": trainable_layers},
            where=f"network {network.name!r}",
            remedy="Choose a smaller number with --trainable-layers",
        )
    first = weighted[-trainable_layers]
    position = network.layers.index(first)
    for number, layer in enumerate(network.layers):
        layer.trainable = number >= position
    extractor = keras.Model(network.input, first.input, name="extractor")
    inputs = keras.Input(first.input.shape[1:], name="frozen_features")
    x = inputs
    for layer in network.layers[position:]:
        x = layer(x)
    return Cut(network, extractor, keras.Model(inputs, x, name="head"))
