"""Load a version from the registry as production would, and compare its scores with the stored."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultxfer.bundle.plain_files import read_text
from faultxfer.errors import BundleError, ConfigError, FaultxferError
from faultxfer.registry import clean_process, names
from faultxfer.registry.clean_process import SHARED, EndedError
from faultxfer.registry.model_files import (
    BUNDLE_IN_MODEL,
    LOADER,
    MACHINE,
    known_packages,
    own_rows,
)
from faultxfer.temporary import temporary_folder

if TYPE_CHECKING:
    from faultxfer.bundle.golden import Golden
    from faultxfer.registry.store import Registry, Version

# Scores of one bundle agree between processes to this.
SAME = 1e-6
WHERE = "FAULTXFER_SMOKE_TEST"
CLEAN_PROCESS, THIS_PROCESS = "clean_process", "this_process"
_SECONDS = 600.0
_MLMODEL_BYTES = 2**20
_SOUND, _TOLD = "sound", "error"
# All that scoring a version needs, the registry and MLflow's loader included, and no more: no
# TensorFlow, no Great Expectations, no Prefect.
_NEEDED = (
    "alembic.command",
    "alembic.config",
    "faultxfer.registry.pyfunc",
    "faultxfer.registry.store",
    "lightgbm",
    "h5py",
    "mlflow.artifacts",
    "mlflow.pyfunc",
    "mlflow.store.model_registry.sqlalchemy_workspace_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "pyarrow.pandas_compat",
    "sqlalchemy.dialects.sqlite",
)
_ELSEWHERE: list[bool] = []
_LEFT_THE_CHAMPION = "The champion was left as it is; check the artifact store and run again"


def smoke_test(registry: Registry, version: Version) -> None:
    """Score a version's golden rows as loaded from the registry, in a clean process.

    The process serves every version of this one, each in a fork of its own.
    ``FAULTXFER_SMOKE_TEST=this_process`` saves its memory.

    Raises:
        BundleError: it does not load, or scores differently.
        ConfigError: the environment asks for something else.
    """
    if _is_in_clean_process():
        _in_clean_process(registry, version)
    else:
        check_version(registry, version)


def expect_smoke_test() -> None:
    """Let the clean process start and import, beside the work that a version may come of."""
    if _is_in_clean_process() and not _ELSEWHERE:
        SHARED.begin()


def expect_no_smoke_test() -> None:
    """Start no clean process here: another process registers what this one prepares."""
    _ELSEWHERE.append(True)


def _is_in_clean_process() -> bool:
    where = os.environ.get(WHERE) or CLEAN_PROCESS
    if where not in (CLEAN_PROCESS, THIS_PROCESS):
        raise ConfigError(
            f"{WHERE} may only be {CLEAN_PROCESS} or {THIS_PROCESS}",
            received={WHERE: where},
            remedy="Correct or unset the environment variable",
        )
    return where == CLEAN_PROCESS


def check_version(registry: Registry, version: Version) -> None:
    """The smoke test itself.

    Raises:
        BundleError: see :func:`smoke_test`.
    """
    from faultxfer.bundle.bundle import read_versions
    from faultxfer.bundle.versions import explained

    with temporary_folder("smoke") as folder:
        model_folder = registry.download_model(version, folder)
        require_our_loader(model_folder)
        try:
            _check_scores(model_folder)
        except BundleError as error:
            told = explained(error, read_versions(model_folder / BUNDLE_IN_MODEL))
            if told is error:
                raise
            raise told from error


def _check_scores(model_folder: Path) -> None:
    import mlflow.pyfunc

    from faultxfer.bundle.bundle import load_bundle, read_golden

    golden = read_golden(model_folder / BUNDLE_IN_MODEL)
    if golden is None:
        # Of an older release it can only be checked that it loads.
        load_bundle(model_folder / BUNDLE_IN_MODEL)
        return
    with known_packages():
        model = mlflow.pyfunc.load_model(str(model_folder))
    asked = tuple(model.metadata.get_input_schema().input_names())
    taken = own_rows(model_folder / BUNDLE_IN_MODEL, (model.model_config or {}).get(MACHINE))
    expected = golden.features if taken is None else tuple(taken.columns)
    if asked != expected:
        received = {"signature": asked, "bundle": expected}
        raise _failed("'s signature does not name the bundle's columns", received)
    # Golden rows are readings in the contract's units, which no machine writes.
    scores = model.predict if taken is None else model.get_raw_model().predict
    compare(golden, scores(_frame(golden)))


def require_our_loader(model_folder: Path) -> None:
    """The module that MLflow imports to load a model must be ours, with no code beside it.

    Raises:
        BundleError: it is another one.
    """
    import yaml

    try:
        content = yaml.safe_load(read_text(model_folder / "MLmodel", _MLMODEL_BYTES))
        flavors = content["flavors"]
        found = {"flavors": sorted(flavors), "loader": flavors["python_function"]["loader_module"]}
        code = flavors["python_function"].get("code")
    except (OSError, KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise _not_ours({"problem": f"{type(error).__name__}: {error}"}) from error
    if found != {"flavors": ["python_function"], "loader": LOADER} or code:
        raise _not_ours({**found, "code": code})


def compare(golden: Golden, scored: Any) -> None:
    """Names, types and values of what a model gave for its golden rows.

    Args:
        golden: the rows and what is expected.
        scored: the model's answer, a data frame.

    Raises:
        BundleError: they differ.
    """
    import numpy as np

    types = {str(name): str(kind) for name, kind in scored.dtypes.items()}
    if types != {"fault_probability": "float64", "alarm": "bool"}:
        raise _failed(" does not give fault_probability and alarm", {"columns": types})
    probabilities, alarms = scored["fault_probability"].to_numpy(), scored["alarm"].to_numpy()
    if probabilities.shape != golden.probabilities.shape or not np.isfinite(probabilities).all():
        received = {"probabilities": probabilities.tolist()}
        rows = len(golden.probabilities)
        raise _failed(f" does not give {rows} finite probabilities", received)
    difference = float(np.abs(probabilities - golden.probabilities).max())
    if not difference <= SAME:
        received = {"largest difference": difference, "allowed": SAME}
        raise _failed(" does not score as the candidate did", received)
    if (alarms != golden.alarms).any():
        other = int((alarms != golden.alarms).sum())
        raise _failed(" does not raise the candidate's alarms", {"other alarms": other})


def _frame(golden: Golden) -> Any:
    """The rows as a plant would give them: by name, in another order than the bundle's."""
    import pandas as pd

    return pd.DataFrame(golden.X, columns=list(golden.features))[list(reversed(golden.features))]


def _in_clean_process(registry: Registry, version: Version) -> None:
    # The address is not given on the command line, which everybody can read.
    environment = {**os.environ, "MLFLOW_TRACKING_URI": registry.uri}
    environment.pop("MLFLOW_REGISTRY_URI", None)
    asked = {"name": version.name, "version": version.version, "environment": environment}
    try:
        answer = SHARED.ask(asked, _SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _failed(
            f" gave no answer within {_SECONDS:.0f} s", {"version": version.uri}
        ) from error
    except EndedError as error:
        status, said = error.args
        raise _failed(
            " failed to load and score in a clean process", {"exit code": status, "said": said}
        ) from error
    if _TOLD in answer:
        raise BundleError(**answer[_TOLD])
    if answer.get(_SOUND) != _sound(version):
        raise _failed(" failed to load and score in a clean process", {"said": str(answer)})


def _failed(how: str, received: dict[str, Any]) -> BundleError:
    return BundleError(
        f"The registered version{how}",
        received=received,
        remedy=_LEFT_THE_CHAMPION,
    )


def _not_ours(received: dict[str, object]) -> BundleError:
    return BundleError(
        f"The model is not loaded by {LOADER} alone",
        received=received,
        where="MLmodel",
        remedy="Do not load this model; restore the version from a trusted copy or transfer again",
    )


def _prepare() -> None:
    """What the clean process imports, before it is asked for anything."""
    from faultxfer import environment
    from faultxfer.registry import connect

    environment.prepare_command()
    connect.prepare_environment()
    for module in _NEEDED:
        importlib.import_module(module)


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Check one version, under the environment of the process that asks."""
    from faultxfer.registry.store import open_registry

    os.environ.clear()
    os.environ.update(asked["environment"])
    try:
        registry = open_registry()
        version = registry.version(asked["name"], asked["version"])
        check_version(registry, version)
    except FaultxferError as error:
        return {_TOLD: _fields(error)}
    return {_SOUND: _sound(version)}


def _fields(error: FaultxferError) -> dict[str, object]:
    return {
        "expected": error.expected,
        "received": error.received,
        "where": error.where,
        "remedy": error.remedy,
    }


def _sound(version: Version) -> str:
    """What is answered of a sound version: that it is the one, with the files, that was meant."""
    return f"{version.uri} {version.tags.get(names.FILES)}"


if __name__ == "__main__":
    sys.exit(clean_process.serve(_prepare, _answer))
