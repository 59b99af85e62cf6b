"""Freeze all but the last layers, and cut the network there.

The activations of a frozen part are constant for given rows. So the network is cut into a frozen
*extractor*, run once, and a trainable *head*, fitted on the extractor's output; both share their
layers with the whole network. (Yosinski et al., "How transferable are features in deep neural
networks?", NeurIPS 2014.)
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from faultxfer.errors import StrategyError
from faultxfer.network.ensemble import is_ensemble, member_stages, trunk_of


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


def layers_with_weights(network: keras.Model) -> list[keras.layers.Layer]:
    """Layers that hold weights, first to last."""
    return [layer for layer in network.layers if layer.weights]


def stages_of(network: keras.Model) -> list[list[keras.layers.Layer]]:
    """Learnt layers, first to last; in an ensemble each stage holds the layer of every member."""
    return (
        member_stages(network)
        if is_ensemble(network)
        else [[layer] for layer in layers_with_weights(network)]
    )


def freeze_all_but_last(network: keras.Model, trainable_layers: int) -> Cut:
    """Freeze everything before the last ``trainable_layers`` layers that hold weights.

    The network is cut there.

    Args:
        network: a chain of layers, as :func:`faultxfer.network.build.build_network` makes it, or an
            ensemble, as :func:`faultxfer.network.ensemble.build_ensemble` does. The input layers of
            an ensemble are always fixed.
        trainable_layers: how many layers with weights stay trainable, at least 1.

    Raises:
        StrategyError: the network has fewer layers with weights.
    """
    stages = stages_of(network)
    if not 1 <= trainable_layers <= len(stages):
        raise StrategyError(
            f"The network has {len(stages)} layers with weights, of which at least one is trained",
            received={"trainable_layers": trainable_layers},
            where=f"network {network.name!r}",
            remedy=f"Choose a number from 1 to {len(stages)} with --trainable-layers",
        )
    for number, stage in enumerate(stages):
        for layer in stage:
            layer.trainable = number >= len(stages) - trainable_layers
    if is_ensemble(network):
        return Cut(network, *trunk_of(network))
    return _cut_chain(network, stages[-trainable_layers][0])


def _cut_chain(network: keras.Model, first: keras.layers.Layer) -> Cut:
    position = network.layers.index(first)
    extractor = keras.Model(network.input, first.input, name="extractor")
    inputs = keras.Input(first.input.shape[1:], name="frozen_features")
    x = inputs
    for layer in network.layers[position:]:
        x = layer(x)
    return Cut(network, extractor, keras.Model(inputs, x, name="head"))
