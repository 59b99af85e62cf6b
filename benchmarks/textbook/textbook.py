"""Transfer learning as a tutorial writes it: what faultxfer's times are put beside.

One file, the same libraries, nothing of faultxfer: a Prefect flow on the temporary server that
Prefect starts by itself, Great Expectations added one by one, StandardScaler, a Keras network from
the MLflow registry with all but its last two layers frozen, ten epochs of ``fit``, an evaluation
gate, ``log_model`` and the alias. It stays as it is, whatever becomes of faultxfer.

    python textbook.py pretrain SOURCE.csv [SOURCE.csv ...]   # a source network into the registry
    python textbook.py transfer TARGET.csv                    # cold: what a person waits for
    python textbook.py machines TARGET.csv COUNT              # warm: COUNT transfers, one process
    python textbook.py predict TARGET.csv                     # rows a second of `predict`

The registry lies in the folder ``mlruns`` of the working directory. Columns named ``equipment``,
``run``, ``seq``, ``timestamp``, ``fault`` and ``fault_...`` are no sensors. Each command ends with
one line of JSON: seconds by part.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

BEGAN = time.perf_counter()
# The temporary server gives up after 20 s otherwise, which a busy machine does not always keep.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")

import great_expectations as gx  # noqa: E402 - imports are a part that is timed
import keras  # noqa: E402
import mlflow  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow.models import infer_signature  # noqa: E402
from prefect import flow, task  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402
from sklearn.model_selection import GroupShuffleSplit  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

SECONDS = {"imports": time.perf_counter() - BEGAN}
SOURCE, EPOCHS = "textbook-source", 10
# As low as can be, so that registering is timed whatever the network is worth.
GATE = 0.0
NO_SENSORS = ("equipment", "run", "seq", "timestamp", "fault")


def timed(part: str):
    """Add the seconds of each call to a part of the profile."""

    def around(function):
        def call(*args):
            began = time.perf_counter()
            result = function(*args)
            SECONDS[part] = SECONDS.get(part, 0.0) + time.perf_counter() - began
            return result

        call.__name__ = function.__name__
        return call

    return around


def sensors_of(rows: pd.DataFrame) -> list[str]:
    """Names of the sensor columns."""
    return [name for name in rows if name not in NO_SENSORS and not str(name).startswith("fault_")]


def use_registry() -> None:
    """A store in this folder."""
    Path("mlruns").mkdir(exist_ok=True)
    mlflow.set_tracking_uri(f"sqlite:///{Path('mlruns/mlflow.db').resolve()}")
    mlflow.set_experiment("textbook")


@task
@timed("validate")
def validate(rows: pd.DataFrame) -> None:
    """Great Expectations, one by one."""
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(gx.ExpectationSuite(name=f"sensors-{time.time_ns()}"))
    for name in sensors_of(rows):
        suite.add_expectation(gx.expectations.ExpectColumnToExist(column=name))
        suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column=name))
        suite.add_expectation(
            gx.expectations.ExpectColumnValuesToBeBetween(
                column=name, min_value=-1e9, max_value=1e9
            )
        )
    suite.add_expectation(
        gx.expectations.ExpectColumnValuesToBeInSet(column="fault", value_set=[0, 1])
    )
    source = context.data_sources.add_pandas(name=f"source-{time.time_ns()}")
    asset = source.add_dataframe_asset(name="rows")
    definition = asset.add_batch_definition_whole_dataframe("all")
    batch = definition.get_batch(batch_parameters={"dataframe": rows})
    result = batch.validate(suite)
    if not result.success:
        raise ValueError(f"The data breaks its contract: {result}")


@task
@timed("load")
def load_source() -> keras.Model:
    """The newest source network."""
    return mlflow.keras.load_model(f"models:/{SOURCE}/latest")


@task
@timed("fit")
def fine_tune(model: keras.Model, X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Freeze all but the last two layers, and fit."""
    for layer in model.layers[:-2]:
        layer.trainable = False
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy")
    model.fit(X, y, epochs=EPOCHS, verbose=0)
    return model


@task
@timed("evaluate")
def evaluate(model: keras.Model, X: np.ndarray, y: np.ndarray) -> float:
    """ROC-AUC on held-out runs."""
    if len(np.unique(y)) < 2:
        return 0.5
    return float(roc_auc_score(y, model.predict(X, verbose=0)[:, 0]))


@task
@timed("register")
def register(model: keras.Model, X: np.ndarray, name: str, auc: float) -> str:
    """A new version, and the alias."""
    with mlflow.start_run():
        mlflow.log_params({"epochs": EPOCHS, "rows": len(X)})
        mlflow.log_metric("roc_auc", auc)
        signature = infer_signature(X[:5], model.predict(X[:5], verbose=0))
        info = mlflow.keras.log_model(
            model, name="model", signature=signature, registered_model_name=name
        )
    client = mlflow.MlflowClient()
    version = str(info.registered_model_version)
    client.set_registered_model_alias(name, "champion", version)
    return version


@flow(name="textbook-transfer")
def transfer(csv: str, name: str) -> str | None:
    """From a file of the new machine to a promoted version."""
    rows = pd.read_csv(csv)
    validate(rows)
    sensors = sensors_of(rows)
    split = GroupShuffleSplit(1, test_size=0.3, random_state=0)
    train, test = next(split.split(rows, groups=rows["run"]))
    scaler = StandardScaler().fit(rows[sensors].to_numpy()[train])
    X, y = scaler.transform(rows[sensors].to_numpy()), rows["fault"].to_numpy()
    model = fine_tune(load_source(), X[train], y[train])
    auc = evaluate(model, X[test], y[test])
    if auc < GATE:
        return None
    return register(model, X, name, auc)


def pretrain(files: list[str]) -> None:
    """A source network on all rows of the source machines."""
    rows = pd.concat([pd.read_csv(file) for file in files])
    sensors = sensors_of(rows)
    X = StandardScaler().fit_transform(rows[sensors].to_numpy())
    layers = [keras.Input((len(sensors),))]
    layers += [keras.layers.Dense(units, activation="relu") for units in (128, 64, 32)]
    model = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(X, rows["fault"].to_numpy(), epochs=EPOCHS, verbose=0)
    with mlflow.start_run():
        mlflow.keras.log_model(model, name="model", registered_model_name=SOURCE)


def predict(file: str) -> None:
    """Rows a second of ``predict`` as it comes."""
    rows = pd.read_csv(file)
    X = rows[sensors_of(rows)].to_numpy()
    model = mlflow.keras.load_model(f"models:/{SOURCE}/latest")
    model.predict(X[:64], verbose=0)  # traced
    began = time.perf_counter()
    model.predict(X, verbose=0)
    SECONDS["predict"] = time.perf_counter() - began
    SECONDS["rows"] = len(X)


def main() -> None:
    """Run what is asked for, and print the profile."""
    command, *rest = sys.argv[1:]
    use_registry()
    if command == "pretrain":
        pretrain(rest)
    elif command == "predict":
        predict(rest[0])
    elif command == "transfer":
        transfer(rest[0], "textbook-machine")
    else:
        each = []
        for number in range(int(rest[1])):
            began = time.perf_counter()
            transfer(rest[0], f"textbook-machine-{number}")
            each.append(time.perf_counter() - began)
        SECONDS["machines"] = each
    SECONDS["whole"] = time.perf_counter() - BEGAN
    print(json.dumps(SECONDS))


if __name__ == "__main__":
    main()
