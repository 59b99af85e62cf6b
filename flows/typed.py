"""A flow that somebody typed: a run from that moment on, not from when the imports were done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psutil
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from prefect.states import Scheduled

from flows.endings import UnfitError
from flows.labels import name_of, tags_of


def run_typed(flow: Flow[..., Any], values: dict[str, Any]) -> Any:
    """Run a flow in this process; what it returns, or raises, is what its list of steps does.

    The run is expected from when this process began, and so shows what the imports took.
    """
    typed = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(
            flow,
            parameters=values,
            name=name_of(flow.name, values),
            tags=tags_of(values),
            state=Scheduled(scheduled_time=typed),
        )
    state: Any = run_flow(flow, flow_run=run, parameters=values, return_type="state")
    return result_of(state)


def result_of(state: Any) -> Any:
    """What a flow run made, also where it failed in the end; else what it raised.

    A check that refuses a file fails, and its findings are what was asked for.
    """
    result = state.result(raise_on_failure=False)
    if isinstance(result, UnfitError):
        return result.made
    if isinstance(result, BaseException):
        raise result
    return result
