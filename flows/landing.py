"""The watch folder as flow runs: one for each file that is scored, and for each transfer."""

from __future__ import annotations

from typing import Any

from prefect import Flow, tags
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import State, StateType
from prefect.states import Crashed

from faultxfer.landing.watching import watch
from faultxfer.landing.workers import Scored, Workers, check, require_scorer, sentence_of
from faultxfer.progress import progress
from faultxfer.requests import ScoreRequest, TransferRequest, WatchRequest
from flows.pipeline import flow_of, score, transfer
from flows.typed import result_of

_UNENDED = [StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED]


def in_flow_runs() -> Workers:
    """Workers that make a flow run of what they do."""
    return Workers(_score, _transfer, require_scorer, check, _mark_interrupted)


def _score(request: ScoreRequest, digest: str) -> Scored:
    return Scored.of(_run(score, request, digest))


def _transfer(request: TransferRequest, digest: str) -> str:
    return sentence_of(_run(transfer, request, digest))


def _run(flow: Flow[..., Any], request: ScoreRequest | TransferRequest, digest: str) -> Any:
    values = {field: getattr(request, field) for field in type(request).model_fields}
    with tags(_tag_of(digest)):
        return result_of(flow(**values, return_state=True))


def _tag_of(digest: str) -> str:
    return f"content:{digest[:12]}"


def _mark_interrupted(digest: str) -> None:
    """End the runs that a killed process left running: nobody else is going to."""
    tagged = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[_tag_of(digest)]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNENDED)),
    )
    killed: State[Any] = Crashed(
        message="The process was killed. The work was begun anew in another run."
    )
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=tagged):
            client.set_flow_run_state(run.id, killed, force=True)


def _watch(*, run: Any, **values: Any) -> Any:
    """Watch in the present flow run; what is done with a file is a run of its own."""
    request = WatchRequest(**values)
    return watch(request, in_flow_runs(), lambda event: progress.info(event.sentence))


_watch.__name__ = "watch_folder"
watch_folder = flow_of("watch-folder", _watch, WatchRequest)
