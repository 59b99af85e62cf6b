"""Fit and apply a network, the same way every time.

Fitting is one compiled TensorFlow loop instead of ``Model.fit``: on the 50 to 200 rows of a new
machine nearly all of ``Model.fit``'s time is per-epoch overhead (measured: 8.9 s against 0.5 s, see
``docs/decisions/0003``). The optimizer and the losses are Keras' and TensorFlow's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from faultxfer.network.freeze import copy_network
from faultxfer.network.recipe import (
    History,
    Recipe,
    class_weights,
    plain_loss,
    weighted_loss,
)

# Rows in one forward pass: one large batch is twenty times faster than Keras' default of 32, and
# what a wide layer gives for a larger one would take gigabytes.
_CHUNK = 4096
# Compiled steps kept for later fits; one of a large network holds some ten megabytes.
_KEPT = 8


def make_deterministic(seed: int) -> None:
    """Same seed, same weights.

    Seeds Python, NumPy and TensorFlow and asks TensorFlow for deterministic kernels.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit_network(
    network: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    recipe: Recipe,
    *,
    seed: int,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    balanced: bool = True,
    encoder: keras.Model | None = None,
) -> History:
    """Fit ``network`` in place.

    Steps are compiled over the weights that are trainable now, so freezing before the call is all
    it takes. Fits of networks that are built alike share them: compiling is most of the time of a
    fit on few rows.

    Args:
        network: outputs one logit, or one for each of several members, which are fitted side by
            side and averaged where validation rows are judged.
        x: (n, d) inputs.
        y: (n,) labels 0 or 1, or probabilities where ``balanced`` is off.
        recipe: how to fit.
        seed: of the shuffle and the dropout.
        validation: rows whose loss stops the training; the best epoch's weights are kept.
        balanced: whether both classes get the same total weight.
        encoder: from the rows to what ``network`` reads, never trained; each batch goes through it
            when its turn comes, as the rows as a whole would take many times their memory then.

    Returns:
        ``loss`` per epoch, and ``val_loss`` with validation rows.
    """
    make_deterministic(seed)
    batches = _Batches(len(y), recipe, seed)
    weights = class_weights(y) if balanced else np.ones(len(y), np.float32)
    with _steps_for(network, encoder, recipe, batches.per_epoch * recipe.epochs) as steps:
        steps.begin((network, encoder), seed, x, y, weights)
        if validation is None:
            losses = steps.run(np.concatenate([batches.next() for _ in range(recipe.epochs)]))
            history = {"loss": losses.reshape(recipe.epochs, -1).mean(axis=1).tolist()}
        else:
            loss = weighted_loss if balanced else plain_loss
            history = _fit_until_worse(steps, batches, recipe, validation, loss)
        network.set_weights(steps.network.get_weights())
    return history


def _fit_until_worse(
    steps: _Steps,
    batches: _Batches,
    recipe: Recipe,
    validation: tuple[np.ndarray, np.ndarray],
    loss: Callable[[np.ndarray, np.ndarray], float],
) -> History:
    """Leave the weights of the best epoch in the network of the steps."""
    rows, labels = validation
    network = steps.network
    losses: list[float] = []
    judged: list[float] = []
    best, weights = np.inf, network.get_weights()
    for epoch in range(recipe.epochs):
        losses.append(float(steps.run(batches.next()).mean()))
        judged.append(loss(steps.logits(rows), labels))
        if judged[-1] < best:
            best, weights = judged[-1], network.get_weights()
        if epoch - int(np.argmin(judged)) >= recipe.patience:
            break
    network.set_weights(weights)
    return {"loss": losses, "val_loss": judged}


class _Batches:
    """Shuffled row numbers, (steps, batch) int32; -1 fills up the last batch."""

    def __init__(self, rows: int, recipe: Recipe, seed: int) -> None:
        self.rows = rows
        self.size = min(recipe.batch_size, rows)
        self.per_epoch = -(-rows // self.size)
        self.rng = np.random.default_rng(seed)

    def next(self) -> np.ndarray:
        filled = np.full(self.per_epoch * self.size, -1, dtype=np.int32)
        filled[: self.rows] = self.rng.permutation(self.rows)
        return filled.reshape(self.per_epoch, self.size)


class _Steps:
    """Gradient steps over a network of their own, compiled once.

    Nothing of one fit is left in the next: weights, optimizer and dropout begin anew.

    Args:
        network: is copied.
        encoder: in front of it; is copied, if there is one.
        recipe: how to fit.
        total_steps: over which the learning rate is decayed.
    """

    def __init__(
        self,
        network: keras.Model,
        encoder: keras.Model | None,
        recipe: Recipe,
        total_steps: int,
    ) -> None:
        self.network = copy_network(network)
        self._encoder = None if encoder is None else copy_network(encoder)
        self._pull = recipe.pull
        schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, total_steps)
        self._optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
        self._optimizer.build(self.network.trainable_variables)
        self._traced = self._trace()

    def begin(
        self,
        networks: tuple[keras.Model, keras.Model | None],
        seed: int,
        x: np.ndarray,
        y: np.ndarray,
        row_weights: np.ndarray,
    ) -> None:
        """Start from the weights of a network and of what encodes its rows, with inputs (n, d).

        Labels (n,) and weights (n,).
        """
        network, encoder = networks
        self.network.set_weights(network.get_weights())
        if self._encoder is not None and encoder is not None:
            self._encoder.set_weights(encoder.get_weights())
        # The moments and the count of the steps, all of which begin at zero.
        for variable in self._optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        _seed_dropout(self.network, seed)
        starts = [tf.constant(np.array(one)) for one in self.network.trainable_variables]
        inputs = tf.constant(_as_float(x))
        labels, weights = (tf.constant(_as_float(values)[:, None]) for values in (y, row_weights))
        self._rows = (inputs, labels, weights, starts)

    def run(self, batches: np.ndarray) -> np.ndarray:
        """Take one step for each row of (steps, batch) row numbers; returns the (steps,) losses."""
        return np.asarray(self._traced(tf.constant(batches), *self._rows))

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """(n,) logits of (n, d) rows, the mean where the network has several members."""
        if self._encoder is None:
            return logits_of(self.network, rows)
        parts = np.array_split(rows, range(_CHUNK, len(rows), _CHUNK))
        return np.concatenate([logits_of(self.network, self._encoded(part)) for part in parts])

    def _encoded(self, rows: Any) -> Any:
        return rows if self._encoder is None else self._encoder(rows, training=False)

    def _trace(self) -> Any:
        """Done once, here: TensorFlow warns of a function that is traced again and again."""
        column = tf.TensorSpec((None, 1))
        signature = (
            tf.TensorSpec((None, None), tf.int32),
            tf.TensorSpec((self._encoder or self.network).input_shape),
            column,
            column,
            [tf.TensorSpec(variable.shape) for variable in self.network.trainable_variables],
        )
        return tf.function(self._loop, input_signature=signature).get_concrete_function()

    def _loop(
        self,
        batches: tf.Tensor,
        inputs: tf.Tensor,
        labels: tf.Tensor,
        weights: tf.Tensor,
        starts: list[tf.Tensor],
    ) -> tf.Tensor:
        losses = tf.TensorArray(tf.float32, size=tf.shape(batches)[0])
        for step in tf.range(tf.shape(batches)[0]):
            batch = batches[step]
            rows = tf.maximum(batch, 0)
            real = tf.cast(batch >= 0, tf.float32)[:, None]
            shares = real * tf.gather(weights, rows)
            batch_labels = tf.gather(labels, rows)
            seen = self._encoded(tf.gather(inputs, rows))
            with tf.GradientTape() as tape:
                logits = self.network(seen, training=True)
                entropy = _cross_entropy(batch_labels, logits)
                loss = tf.reduce_sum(shares * entropy) / tf.reduce_sum(real)
                penalised = loss + self._penalty(starts)
            variables = self.network.trainable_variables
            self._optimizer.apply(tape.gradient(penalised, variables), variables)
            losses = losses.write(step, loss)
        return losses.stack()

    def _penalty(self, starts: list[tf.Tensor]) -> tf.Tensor | float:
        """L2-SP: the squared distance of the weights from where they start."""
        if not self._pull:
            return 0.0
        variables = self.network.trainable_variables
        moved = [now - start for now, start in zip(variables, starts, strict=True)]
        return 0.5 * self._pull * tf.add_n([tf.reduce_sum(one**2) for one in moved])


_kept: dict[tuple[object, ...], _Steps] = {}


@contextmanager
def _steps_for(
    network: keras.Model, encoder: keras.Model | None, recipe: Recipe, total_steps: int
) -> Iterator[_Steps]:
    """Compiled steps for a network that is built like this one, kept for the next who asks."""
    of_encoder = "" if encoder is None else _architecture(encoder)
    key = (of_encoder, *_key(network, recipe, total_steps))
    # Taken out while in use, so that two threads never share them.
    steps = _kept.pop(key, None) or _Steps(network, encoder, recipe, total_steps)
    yield steps
    _kept[key] = steps
    while len(_kept) > _KEPT:
        _kept.pop(next(iter(_kept)), None)


def _key(network: keras.Model, recipe: Recipe, total_steps: int) -> tuple[object, ...]:
    """All that is compiled into the steps; the rows, the weights and the seed are not."""
    optimizer = (recipe.learning_rate, recipe.weight_decay, recipe.pull, total_steps)
    return _architecture(network), *optimizer


def _architecture(network: keras.Model) -> str:
    """Layers, how they are joined and which are trainable, without the names that Keras draws."""
    config = json.loads(network.to_json())["config"]
    places = {layer["config"]["name"]: number for number, layer in enumerate(config["layers"])}

    def unnamed(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: unnamed(value) for key, value in node.items() if key != "name"}
        if isinstance(node, list):
            return [unnamed(value) for value in node]
        return places.get(node, node) if isinstance(node, str) else node

    return json.dumps(unnamed(config), sort_keys=True)


def _seed_dropout(network: keras.Model, seed: int) -> None:
    """Give each dropout layer its own stream, the same in each fit."""
    for number, layer in enumerate(network.layers):
        if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
            state = np.random.SeedSequence([seed, number]).generate_state(2)
            layer.seed_generator.state.assign(state)


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """(b, 1) sums over the members of the losses of (b, members) logits for labels (b, 1)."""
    wanted = tf.repeat(labels, logits.shape[1], axis=1)
    each = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
    return tf.reduce_sum(each, axis=1, keepdims=True)


def apply_network(network: keras.Model, x: np.ndarray) -> np.ndarray:
    """The network's output for (n, d) inputs in inference mode, as (n, k) float32."""
    if not len(x):
        return np.empty((0, network.output_shape[-1]), np.float32)
    outputs = []
    for start in range(0, len(x), _CHUNK):
        chunk = _as_float(x[start : start + _CHUNK])
        outputs.append(np.asarray(network(chunk, training=False)))
    return np.concatenate(outputs)


def logits_of(network: keras.Model, x: np.ndarray) -> np.ndarray:
    """(n,) float64 fault logits for (n, d) scaled sensors.

    The mean where the network has several members.
    """
    return np.asarray(apply_network(network, x).astype(np.float64).mean(axis=1))


def _as_float(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)
