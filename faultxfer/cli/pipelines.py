"""Run a pipeline: plainly, or as a flow run on a Prefect server where one is named."""

from __future__ import annotations

import importlib
from typing import Any

from faultxfer import requests
from faultxfer.cli.prefect_server import named_server, require_answer
from faultxfer.progress import progress

REQUESTS: dict[str, type[requests.Request]] = {  # type: ignore[valid-type]
    "validate": requests.ValidateRequest,
    "pretrain": requests.PretrainRequest,
    "transfer": requests.TransferRequest,
    "score": requests.ScoreRequest,
    "learning_curve": requests.CurveRequest,
}


def run_pipeline(name: str, prefect: bool | None, **fields: Any) -> Any:
    """Run the pipeline of that name.

    Args:
        name: of the function in :mod:`faultxfer.pipeline`, and of the flow.
        prefect: True runs a flow, on a temporary server where none is named; False never does; None
            runs a flow where a server is named.
        **fields: of the request.

    Raises:
        ConfigError: the request has a wrong form, or the Prefect server that is named does not answer.
    """
    request = requests.make_request(REQUESTS[name], **fields)
    address = None if prefect is False else named_server()
    if address is None and not prefect:
        return getattr(importlib.import_module("faultxfer.pipeline"), name)(request)
    if address is not None:
        require_answer(address)
    return _run_flow(name, request, named=address is not None)


def _run_flow(name: str, request: Any, *, named: bool) -> Any:
    progress.info("Starting Prefect")
    from flows.server import start_in_background

    wait = start_in_background(named=named)
    module = importlib.import_module("flows.pipeline")
    wait()
    values = {field: getattr(request, field) for field in type(request).model_fields}
    return getattr(module, name)(**values)
