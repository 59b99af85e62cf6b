"""The MLflow model folder around a bundle."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

BUNDLE_IN_MODEL = Path("data") / "bundle"


def write_model(
    folder: Path, bundle_folder: Path, features: tuple[str, ...], example: np.ndarray, *, model_id: str, run_id: str
) -> None:
    """Write an MLflow model that loads through :mod:`faultxfer.registry.pyfunc`.

    The requirements are given, not inferred: inferring loads the model in a subprocess and takes half a minute.

    Args:
        folder: must not exist.
        bundle_folder: a saved bundle; its last part must be named ``bundle``.
        features: sensor names in order, the model's named column signature.
        example: (k, d) rows in engineering units that show how to call the model.
        model_id: MLflow model the files belong to.
        run_id: run the files belong to.
    """
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    # "any" and not "double": MLflow refuses a column of int64 where a double is declared, and a sensor that happens
    # to hold whole numbers is read as int64. Our own loader turns every column into float64 or says why not.
    inputs = Schema([ColSpec(AnyType(), name, required=True) for name in features])  # type: ignore[no-untyped-call]
    outputs = Schema([ColSpec("double", "fault_probability"), ColSpec("boolean", "alarm")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # MLflow's advice on type hints, which a loader module has not
        mlflow.pyfunc.save_model(
            str(folder),
            loader_module="faultxfer.registry.pyfunc",
            data_path=str(bundle_folder),
            signature=ModelSignature(inputs=inputs, outputs=outputs),
            input_example=pd.DataFrame(example, columns=list(features)),
            pip_requirements=[f"faultxfer=={version('faultxfer')}"],
            mlflow_model=Model(model_id=model_id, run_id=run_id),
        )
