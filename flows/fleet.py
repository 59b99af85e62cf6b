"""A fleet as a flow run: its machines by this run's own workers, or as tasks on Dask.

On Dask each machine is a task run of an inner flow, whose task runner hands it to the scheduler.
Registering stays with the one writer beside the flow run, wherever the machines are worked on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext

from faultxfer.document import to_markdown
from faultxfer.fleet.outcomes import FleetResult, Outcome
from faultxfer.fleet.page import blocks_of
from faultxfer.fleet.running import Done, run_fleet
from faultxfer.fleet.tasks import Answer, HandedOver, Lost, Task, do
from faultxfer.progress import NOTE, progress
from faultxfer.requests import LOCAL_CLUSTER, FleetRequest
from flows.pipeline import flow_of


def _fleet(*, run: Any, **values: Any) -> FleetResult:
    """Do it in the present flow run, and show what came of it."""
    request = FleetRequest(**values)
    result = run_fleet(request, _tell) if request.dask is None else _on_dask(request)
    publish_fleet(result)
    return result


def _tell(ended: int, of: int, outcome: Outcome) -> None:
    skipped = ", skipped: done before from the same files" if outcome.before else ""
    said = (ended, of, outcome.machine, outcome.outcome, skipped, outcome.told)
    progress.info("%d of %d: %s %s%s. %s", *said, extra=NOTE)


def publish_fleet(result: FleetResult) -> None:
    """The page's content, the worst machines first, as the run's summary."""
    blocks = blocks_of(result.headline, result.machines, [], result.next, result.seconds)
    text = f"{to_markdown(blocks)}\nThe same as one HTML file: `{result.page}`\n"
    create_markdown_artifact(markdown=text, key=f"fleet-{result.task}", description=result.headline)


def _on_dask(request: FleetRequest) -> FleetResult:
    """The machines as task runs that a Dask scheduler spreads over its workers.

    Raises:
        ConfigError: Dask is not installed, or the scheduler does not answer or has no workers.
    """
    from faultxfer.fleet.dask import local_cluster, require_scheduler

    if request.dask == LOCAL_CLUSTER:
        with local_cluster(request) as cluster:
            return _with_runner(request, cluster.scheduler_address)
    require_scheduler(str(request.dask))
    return _with_runner(request, str(request.dask))


def _with_runner(request: FleetRequest, address: str) -> FleetResult:
    from prefect_dask.task_runners import DaskTaskRunner

    runner: Any = DaskTaskRunner(address=address)

    @flow(name="fleet-on-dask", task_runner=runner)
    def fleet_on_dask() -> FleetResult:
        """Each machine as a task run on Dask."""
        return run_fleet(request, _tell, lambda _request, _machines, done: _Tasks(done))

    return fleet_on_dask()


@task(name="one machine", task_run_name="{machine}", cache_policy=NO_CACHE)
def _one_machine(machine: str, work: Callable[[], Answer]) -> Answer:
    """Work on one machine, whatever comes of it."""
    return work()


class _Tasks:
    """Workers that are task runs of the present flow run.

    Args:
        done: where answers go.
    """

    def __init__(self, done: Done) -> None:
        self._done = done
        context = FlowRunContext.get()
        runner: Any = context.task_runner if context else None
        self.count = max(len(runner.client.nthreads()), 1)

    def submit(self, task: Task | HandedOver) -> None:
        """Have a machine worked on by whoever is free next."""
        # In a function Prefect and Dask look for no futures, as they do in a request.
        future = _one_machine.submit(task.machine, functools.partial(do, task))
        future.add_done_callback(lambda one: self._done.put((task, _answer(task, one))))

    def close(self, *, at_once: bool = False) -> None:
        """The flow's task runner ends what is left."""


def _answer(task: Task | HandedOver, future: Any) -> Answer:
    try:
        made: Answer = future.result()
    except Exception as error:  # the worker is gone, or cannot load what it is sent
        why = " ".join(str(error).split())[:200]
        return Lost(task.machine, f"its Dask worker did not end it ({type(error).__name__}: {why})")
    return made


_fleet.__name__ = "fleet"
fleet = flow_of("fleet", _fleet, FleetRequest)
