"""The MLflow model folder around a bundle."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.imputer import IMPUTER, load_imputer
from faultxfer.bundle.manifest import read_manifest
from faultxfer.bundle.plain_files import sha256_of
from faultxfer.contract.schema import parse_contract
from faultxfer.contract.served import MachineRows
from faultxfer.contract.served_example import as_written
from faultxfer.errors import BundleError

# Where MLflow's own file says whose own rows a model takes. Versions of earlier releases do not say
# it, and take rows in the contract's columns and units.
MACHINE = "machine"
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
    machine: str | None = None,
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
        machine: whose own rows the model takes, by the contract that the bundle keeps; None for
            rows in the contract's columns and units.
        model_id: MLflow model the files belong to.
        run_id: run the files belong to.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    taken = own_rows(bundle_folder, machine)
    rows = pd.DataFrame(example, columns=list(features))
    fills = filled_by(bundle_folder, features)
    names, units = {name: name not in fills for name in features}, dict[str, str]()
    if taken is not None:
        names, units, rows = taken.columns, taken.units, as_written(rows, taken)
    with known_packages(), warnings.catch_warnings():
        # MLflow's advice on type hints, which a loader module has not.
        warnings.simplefilter("ignore", UserWarning)
        mlflow.pyfunc.save_model(
            str(folder),
            loader_module=LOADER,
            data_path=str(bundle_folder),
            signature=_signature(names, units),
            input_example=rows,
            model_config=None if taken is None else {MACHINE: taken.machine},
            pip_requirements=[f"faultxfer=={version('faultxfer')}"],
            mlflow_model=Model(model_id=model_id, run_id=run_id),
        )


@contextmanager
def known_packages() -> Iterator[None]:
    """A block in which MLflow knows whose modules are those of our requirements.

    It compares the requirements of a model with what is installed, and reads the list of files of
    every installed package for that: more than half of the time in which a model is written. A
    model of ours asks for two packages, which are called like their modules.
    """
    from mlflow.utils import requirements_utils

    known = getattr(requirements_utils, "_MODULES_TO_PACKAGES", {})
    if known is not None:
        yield
        return
    own = {"faultxfer": ["faultxfer"], "mlflow": ["mlflow"]}
    requirements_utils._MODULES_TO_PACKAGES = own  # type: ignore[assignment]
    try:
        yield
    finally:
        requirements_utils._MODULES_TO_PACKAGES = None


def own_rows(bundle_folder: Path, machine: str | None) -> MachineRows | None:
    """What a machine's own rows look like; None where no machine or no contract is known."""
    if machine is None:
        return None
    contract = read_manifest(bundle_folder).lineage.get("contract")
    if contract is None:
        return None
    parsed = parse_contract(contract, where=bundle_folder.name)
    fills = filled_by(bundle_folder, read_manifest(bundle_folder).features)
    return MachineRows(parsed, machine, fills)


def filled_by(bundle_folder: Path, features: tuple[str, ...]) -> frozenset[str]:
    """Sensors whose readings a saved bundle fills in, where they are missing in every row too."""
    if not (bundle_folder / IMPUTER).exists():
        return frozenset()
    return load_imputer(bundle_folder, len(features)).names_filled(features)


def _signature(names: dict[str, bool], units: dict[str, str]) -> Any:
    """Columns by name, required or not, and the parameter ``units`` where there are any.

    "any" and not "double": MLflow refuses a column of int64 where a double is declared, and a
    sensor that happens to hold whole numbers is read as int64. Our own loader turns every column
    into float64 or says why not.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import AnyType, Object, Property

    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs = Schema([ColSpec(anything, name, required=needed) for name, needed in names.items()])
    outputs = Schema([ColSpec("double", "fault_probability"), ColSpec("boolean", "alarm")])
    if not units:
        return ModelSignature(inputs=inputs, outputs=outputs)
    known = {name: unit for name, unit in units.items() if unit}
    either = Object([Property(name, DataType.string, required=False) for name in units])
    params = ParamSchema([ParamSpec("units", either, default=known)])
    return ModelSignature(inputs=inputs, outputs=outputs, params=params)


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
    files = [path for path in folder.rglob("*") if path.is_file()]
    check_amount(len(files), sum(path.stat().st_size for path in files))
    return hashes_by_name(folder, files)


def hashes_by_name(folder: Path, files: Iterable[Path]) -> dict[str, str]:
    """As :func:`file_hashes`, of files that were looked for and are not too many."""
    own = sorted(path for path in files if path.name != _OF_THE_DOWNLOAD)
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in own}


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
