"""The MLflow model folder around a bundle."""

from __future__ import annotations

import hashlib
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.bundle.plain_files import sha256_of
from faultxfer.errors import BundleError

BUNDLE_IN_MODEL = Path("data") / "bundle"
LOADER = "faultxfer.registry.pyfunc"
# MLflow writes it into every copy that it downloads.
_OF_THE_DOWNLOAD = "registered_model_meta"
_MOST_FILES, _MOST_BYTES = 1000, 4 * 2**30


def write_model(
    folder: Path,
    bundle_folder: Path,
    features: tuple[str, ...],
    example: np.ndarray,
    *,
    model_id: str,
    run_id: str,
) -> None:
    """Write an MLflow model that loads through :mod:`faultxfer.registry.pyfunc`.

    The requirements are given, not inferred: inferring loads the model in a subprocess and takes
    half a minute.

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

    # "any" and not "double": MLflow refuses a column of int64 where a double is declared, and a
    # sensor that happens to hold whole numbers is read as int64. Our own loader turns every column
    # into float64 or says why not.
    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs = Schema([ColSpec(anything, name, required=True) for name in features])
    outputs = Schema([ColSpec("double", "fault_probability"), ColSpec("boolean", "alarm")])
    with warnings.catch_warnings():
        # MLflow's advice on type hints, which a loader module has not.
        warnings.simplefilter("ignore", UserWarning)
        mlflow.pyfunc.save_model(
            str(folder),
            loader_module=LOADER,
            data_path=str(bundle_folder),
            signature=ModelSignature(inputs=inputs, outputs=outputs),
            input_example=pd.DataFrame(example, columns=list(features)),
            pip_requirements=[f"faultxfer=={version('faultxfer')}"],
            mlflow_model=Model(model_id=model_id, run_id=run_id),
        )


def files_sha256(folder: Path) -> str:
    """SHA-256 (hex) over names and hashes of all files of a model, MLflow's own as well.

    Raises:
        BundleError: there are more or larger files than a bundle has.
    """
    return digest_of(file_hashes(folder))


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of each file of a model by its path inside the model, sorted by path.

    Raises:
        BundleError: there are more or larger files than a bundle has.
    """
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name != _OF_THE_DOWNLOAD
    )
    check_amount(len(files), sum(path.stat().st_size for path in files))
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def digest_of(hashes: dict[str, str]) -> str:
    """SHA-256 (hex) over the names and hashes that :func:`file_hashes` gave."""
    lines = [f"{sha256}  {name}\n" for name, sha256 in hashes.items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_amount(files: int, size: int) -> None:
    """Refuse a model of more or larger files than a bundle has.

    Raises:
        BundleError: there are more than a thousand, or more than 4 GiB.
    """
    if files > _MOST_FILES or size > _MOST_BYTES:
        raise BundleError(
            "The model has more or larger files than a bundle",
            received={"files": files, "bytes": size},
            remedy=f"Do not load this model (the limits are {_MOST_FILES} files and {_MOST_BYTES} "
            "bytes); restore the version from a trusted copy, or transfer again",
        )
