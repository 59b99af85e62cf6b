"""Serve the deployments of this folder: make them on the server, run what is due, until stopped.

A program of its own, started by ``faultxfer up``. Each flow run is a process below it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import (
    ConcurrencyLimitStrategy,
    ConcurrencyOptions,
    State,
    StateType,
)
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.states import Crashed
from prefect.utilities.callables import ParameterSchema

from faultxfer.deployments import Deployments, Schedule, load_deployments
from faultxfer.errors import FaultxferError
from faultxfer.registry.written import registry_written
from flows.choices import Choices, Registered, choices_of
from flows.deployed import Deployment, deployments_of
from flows.refresh import refresh
from flows.registered import registered
from flows.watchers import keep_watching

# How often is asked what is due, and whether something landed.
_ASK_SECONDS, _LOOK_SECONDS = 5, 3.0
# A run under way writes to the registry for a while; it is read once that is over.
_QUIET_SECONDS = 5.0
# Fits are what takes the machine; each has a process with half a gigabyte.
_RUNS = max(2, (os.cpu_count() or 2) // 2)
_UNDER_WAY = [StateType.RUNNING, StateType.CANCELLING, StateType.PENDING]


class Serving(Runner):
    """Prefect's runner, ended by SIGTERM within its own loop, so that its runs end first."""

    def handle_sigterm(self, *_: Any) -> None:
        """Cancel what runs, and leave."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin_to_stop)

    def _begin_to_stop(self) -> None:
        if self.started:
            self._stopping = asyncio.ensure_future(self.astop())


def as_runner_deployment(one: Deployment) -> RunnerDeployment:
    """A deployment that whoever made it also runs."""
    limits: dict[str, Any] = {}
    if one.plan.alone:
        limits["concurrency_limit"] = 1
        limits["concurrency_options"] = ConcurrencyOptions(
            collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        )
    made = RunnerDeployment(
        name=one.name,
        flow_name=one.flow,
        entrypoint=one.plan.entrypoint,
        parameters=one.parameters,
        description=one.description,
        tags=[one.family],
        schedules=[_scheduled(slug, schedule) for slug, schedule in one.schedules.items()],
        **limits,
    )
    # Those of a worker, where the same name was deployed to a pool before: cleared.
    made.work_pool_name = None
    made.work_queue_name = None
    made._path = None
    made._parameter_openapi_schema = ParameterSchema.model_validate(one.schema)
    return made


def _scheduled(slug: str, schedule: Schedule) -> DeploymentScheduleCreate:
    # Without `active`, one that somebody switched off on the page stays off.
    switched_off = {} if schedule.active else {"active": False}
    return DeploymentScheduleCreate(
        schedule=CronSchedule(cron=schedule.cron, timezone=schedule.timezone),
        parameters=schedule.parameters,
        slug=slug,
        **switched_off,
    )


async def serve(settings: Deployments, ready: Path, file: str | None = None) -> None:
    """Make the deployments and serve them until SIGTERM.

    Args:
        settings: the families.
        ready: file that is written when runs are started, with the id of each deployment by name.
        file: from which the settings come; None for those that are found without one.
    """
    await _answering()
    runner = Serving(name="faultxfer", limit=_RUNS, query_seconds=_ASK_SECONDS)
    made = deployments_of(settings, _choices(settings, {}))
    ids = {one.name: await runner.aadd_deployment(as_runner_deployment(one)) for one in made}
    async with get_client() as client:
        await _forget_schedules(client, made, ids)
        await _end_left_runs(client, ids.values())
    beside = [
        asyncio.create_task(_refresh_for_ever(settings)),
        asyncio.create_task(keep_watching(settings, file)),
        asyncio.create_task(_say_when_started(runner, ready, ids)),
    ]
    try:
        await runner.start()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


async def _answering() -> None:
    """Wait for the server, which is started at the same time; whoever started both gives up."""
    async with get_client() as client:
        while await client.api_healthcheck() is not None:
            await asyncio.sleep(0.3)


async def _say_when_started(runner: Serving, ready: Path, ids: dict[str, UUID]) -> None:
    while not runner.started:
        await asyncio.sleep(0.1)
    written = ready.with_suffix(".part")
    written.write_text(json.dumps({name: str(one) for name, one in ids.items()}))
    written.replace(ready)


async def _forget_schedules(
    client: PrefectClient, made: Iterable[Deployment], ids: dict[str, UUID]
) -> None:
    """Delete schedules that the settings had once; those made on the page have no such name."""
    for one in made:
        there = await client.read_deployment_schedules(ids[one.name])
        for schedule in there:
            slug = schedule.slug or ""
            if slug.startswith(f"{one.flow}-") and slug not in one.schedules:
                await client.delete_deployment_schedule(ids[one.name], schedule.id)


async def _end_left_runs(client: PrefectClient, ids: Iterable[UUID]) -> None:
    """Runs that a killed `up` left as running hold places and are nobody's any more."""
    left = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNDER_WAY))
        ),
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=list(ids))),
    )
    state: State[Any] = Crashed(message="Its process was killed together with `faultxfer up`.")
    for run in left:
        await client.set_flow_run_state(run.id, state)


def _choices(settings: Deployments, known: dict[str, Registered]) -> dict[str, Choices]:
    return {
        name: choices_of(family, known.get(family.model))
        for name, family in settings.families.items()
    }


async def _refresh_for_ever(settings: Deployments) -> None:
    """Rewrite the choices when something landed, or the registry was written to."""
    models = [family.model for family in settings.families.values()]
    known: dict[str, Registered] = {}
    before: dict[str, Choices] = {}
    read = 0.0
    while True:
        written = registry_written()
        if written > read and time.time() - written > _QUIET_SECONDS:
            read = written
            known = await asyncio.to_thread(registered, models) or known
        now = await asyncio.to_thread(_choices, settings, known)
        if now != before:
            with suppress(FaultxferError):
                await refresh(settings, now)
            before = now
        await asyncio.sleep(_LOOK_SECONDS)


def main(arguments: list[str]) -> None:
    """Serve ``deployments.yaml``, or the file that is named."""
    ready, landing, *named = arguments
    settings = load_deployments(named[0] if named else None)
    if landing:
        settings = settings.with_landing(Path(landing))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    asyncio.run(serve(settings, Path(ready), named[0] if named else None))


if __name__ == "__main__":
    main(sys.argv[1:])
