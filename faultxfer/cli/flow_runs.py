"""Run a pipeline command as a Prefect flow in this process, or plainly."""

from __future__ import annotations

import importlib
from typing import Any

import faultxfer
from faultxfer.progress import progress


def run_pipeline(name: str, *, plain: bool, **arguments: Any) -> Any:
    """Run flow ``name`` with ``arguments``; with ``plain`` the same steps without Prefect.

    The temporary Prefect server starts while this process imports TensorFlow, which the contract check does not need.
    """
    libraries = "pandas" if name == "validate" else "TensorFlow"
    progress.info(f"Loading {libraries}" if plain else f"Loading {libraries}, starting Prefect")
    if plain:
        return getattr(faultxfer, name)(**arguments)
    from flows.server import start_in_background

    wait = start_in_background()
    module = importlib.import_module(f"flows.{name}")
    wait()
    return getattr(module, name)(**arguments)
