"""Fit and apply a network, the same way every time.

Fitting is one compiled TensorFlow loop instead of ``Model.fit``: on the 50 to 200 rows of a new machine nearly all of
``Model.fit``'s time is per-epoch overhead (measured: 8.9 s against 0.5 s, see ``docs/decisions/0003``). The optimizer
and the losses are Keras' and TensorFlow's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

# Rows in one forward pass: one large batch is twenty times faster than Keras' default of 32.
_CHUNK = 65_536

History = dict[str, list[float]]


@dataclass(frozen=True)
class Recipe:
    """How to fit.

    Attributes:
        learning_rate: of AdamW, decayed to zero by a cosine over all epochs.
        weight_decay: of AdamW (Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019).
        batch_size: rows in a step.
        epochs: passes over the rows.
        patience: epochs without a better validation loss before stopping; unused without validation rows.
        pull: strength of the penalty ``pull / 2 * Σ (weight − start)²`` on the trainable weights' distance from where
            they start, beside the mean loss of a step: L2-SP (Li et al., "Explicit inductive bias for transfer
            learning with convolutional networks", ICML 2018). 0 leaves it out.
    """

    learning_rate: float
    weight_decay: float
    batch_size: int
    epochs: int
    patience: int = 8
    pull: float = 0.0


def make_deterministic(seed: int) -> None:
    """Same seed, same weights: seeds Python, NumPy and TensorFlow and asks TensorFlow for deterministic kernels."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def class_weights(y: np.ndarray) -> np.ndarray:
    """(n,) float32 weights with mean 1 that give both classes the same total weight.

    The fitted probabilities are then not those of the rows; the calibrator puts that right.
    """
    share = np.clip(y.mean(), 1e-6, 1 - 1e-6)
    weights: np.ndarray = np.where(y == 1, 0.5 / share, 0.5 / (1 - share)).astype(np.float32)
    return weights


def weighted_loss(logits: np.ndarray, y: np.ndarray) -> float:
    """Class-balanced log-loss of (n,) logits."""
    return float(
        np.average(np.logaddexp(0, np.where(y == 1, -logits, logits)), weights=class_weights(y))
    )


def plain_loss(logits: np.ndarray, y: np.ndarray) -> float:
    """Log-loss of (n,) logits."""
    return float(np.logaddexp(0, np.where(y == 1, -logits, logits)).mean())


def fit_network(
    network: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    recipe: Recipe,
    *,
    seed: int,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    balanced: bool = True,
) -> History:
    """Fit ``network`` in place.

    The training step is compiled anew at each call, over the weights that are trainable now; so freezing before the
    call is all it takes.

    Args:
        network: outputs one logit, or one for each of several members, which are fitted side by side and averaged
            where validation rows are judged.
        x: (n, d) inputs.
        y: (n,) labels 0 or 1, or probabilities where ``balanced`` is off.
        recipe: how to fit.
        seed: of the shuffle and the dropout.
        validation: rows whose loss stops the training; the best epoch's weights are kept.
        balanced: whether both classes get the same total weight.

    Returns:
        ``loss`` per epoch, and ``val_loss`` with validation rows.
    """
    make_deterministic(seed)
    _seed_dropout(network, seed)
    batches = _Batches(len(y), recipe, seed)
    weights = class_weights(y) if balanced else np.ones(len(y), np.float32)
    run = _compiled_steps(network, x, y, weights, recipe, batches.per_epoch * recipe.epochs)
    if validation is None:
        losses = run(np.concatenate([batches.next() for _ in range(recipe.epochs)]))
        return {"loss": losses.reshape(recipe.epochs, -1).mean(axis=1).tolist()}
    return _fit_until_worse(network, run, batches, recipe, validation, balanced)


def _seed_dropout(network: keras.Model, seed: int) -> None:
    """Give each dropout layer its own stream; a layer draws its seed when it is made, copied or loaded."""
    for number, layer in enumerate(network.layers):
        if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
            state = np.random.SeedSequence([seed, number]).generate_state(2)
            layer.seed_generator.state.assign(state)


def _fit_until_worse(
    network: keras.Model,
    run: Callable[[np.ndarray], np.ndarray],
    batches: _Batches,
    recipe: Recipe,
    validation: tuple[np.ndarray, np.ndarray],
    balanced: bool,
) -> History:
    loss = weighted_loss if balanced else plain_loss
    history: History = {"loss": [], "val_loss": []}
    best, weights = np.inf, network.get_weights()
    for epoch in range(recipe.epochs):
        history["loss"].append(float(run(batches.next()).mean()))
        history["val_loss"].append(loss(logits_of(network, validation[0]), validation[1]))
        if history["val_loss"][-1] < best:
            best, weights = history["val_loss"][-1], network.get_weights()
        if epoch - int(np.argmin(history["val_loss"])) >= recipe.patience:
            break
    network.set_weights(weights)
    return history


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


def _compiled_steps(
    network: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    row_weights: np.ndarray,
    recipe: Recipe,
    total_steps: int,
) -> Callable[[np.ndarray], np.ndarray]:
    """A function that takes one gradient step for each row of (steps, batch) row numbers and returns the losses."""
    variables = network.trainable_variables
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, total_steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    optimizer.build(variables)
    inputs, labels = tf.constant(_as_float(x)), tf.constant(_as_float(y)[:, None])
    weights = tf.constant(_as_float(row_weights)[:, None])
    members = network.output_shape[-1]
    starts = [tf.constant(np.array(variable)) for variable in variables]

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32)])  # type: ignore[untyped-decorator]
    def run(batches: tf.Tensor) -> tf.Tensor:
        losses = tf.TensorArray(tf.float32, size=tf.shape(batches)[0])
        for step in tf.range(tf.shape(batches)[0]):
            real = tf.cast(batches[step] >= 0, tf.float32)[:, None]
            rows = tf.maximum(batches[step], 0)
            with tf.GradientTape() as tape:
                logits = network(tf.gather(inputs, rows), training=True)
                wanted = tf.repeat(tf.gather(labels, rows), members, axis=1)
                entropy = tf.reduce_sum(
                    tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits), axis=1, keepdims=True
                )
                loss = tf.reduce_sum(real * tf.gather(weights, rows) * entropy) / tf.reduce_sum(
                    real
                )
                penalised = (
                    loss + 0.5 * recipe.pull * _distance(variables, starts) if recipe.pull else loss
                )
            optimizer.apply(tape.gradient(penalised, variables), variables)
            losses = losses.write(step, loss)
        return losses.stack()

    # Traced once, here: calling the function itself would make TensorFlow warn of retracing after a few fits.
    traced = run.get_concrete_function()
    return lambda batches: np.asarray(traced(tf.constant(batches)))


def _distance(variables: list[tf.Variable], starts: list[tf.Tensor]) -> tf.Tensor:
    """Sum of squared differences."""
    return tf.add_n(
        [tf.reduce_sum((now - then) ** 2) for now, then in zip(variables, starts, strict=True)]
    )


def apply_network(network: keras.Model, x: np.ndarray) -> np.ndarray:
    """The network's output for (n, d) inputs in inference mode, as (n, k) float32."""
    parts = [
        np.asarray(network(_as_float(x[start : start + _CHUNK]), training=False))
        for start in range(0, len(x), _CHUNK)
    ]
    return np.concatenate(parts) if parts else np.empty((0, network.output_shape[-1]), np.float32)


def logits_of(network: keras.Model, x: np.ndarray) -> np.ndarray:
    """(n,) float64 fault logits for (n, d) scaled sensors; the mean where the network has several members."""
    return np.asarray(apply_network(network, x).astype(np.float64).mean(axis=1))


def _as_float(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)
