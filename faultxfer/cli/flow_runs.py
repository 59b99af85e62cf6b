"""Run a pipeline command as a Prefect flow in this process, or plainly."""

from __future__ import annotations

import importlib
from typing import Any

from faultxfer.steps.progress import progress


def run_pipeline(name: str, *, plain: bool, **arguments: Any) -> Any:
    """Run flow ``name`` with ``arguments``; with ``plain`` the same steps without Prefect.

    The temporary Prefect server starts while this process imports TensorFlow.
    """
    progress.info("Loading TensorFlow" if plain else "Loading TensorFlow, starting Prefect")
    if plain:
        from faultxfer import pipeline

        return getattr(pipeline, name)(**arguments)
    from flows.server import start_in_background

    wait = start_in_background()
    module = importlib.import_module(f"flows.{name}")
    wait()
    return getattr(module, name)(**arguments)
