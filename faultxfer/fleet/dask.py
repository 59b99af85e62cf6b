"""Workers of a Dask scheduler: on this machine, or on as many as the scheduler has.

They see the same files under the same names as this process, and the same registry; what is to be
registered comes back as paths, and is registered by this process's one writer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from faultxfer.errors import ConfigError
from faultxfer.fleet.room import processors, workers_that_fit
from faultxfer.fleet.tasks import HandedOver, Lost, Task, do
from faultxfer.progress import progress
from faultxfer.requests import LOCAL_CLUSTER, FleetRequest

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

    from faultxfer.fleet.running import Done

_ANSWER_SECONDS = 10.0
# A scheduler that is started again, by whoever looks after it, is back within this time.
_BACK_SECONDS = 300.0
_LOOK_SECONDS = 0.5
_SOON = "its Dask worker is gone"


def on_dask(request: FleetRequest, machines: int, done: Done) -> DaskWorkers:
    """Connect to the scheduler that a request names, or start a cluster on this machine.

    Args:
        request: names the scheduler.
        machines: for which there is work.
        done: where answers go.

    Raises:
        ConfigError: Dask is not installed, the scheduler does not answer or has no workers, or
            there is no room for a cluster.
    """
    require_dask()
    if request.dask == LOCAL_CLUSTER:
        cluster = local_cluster(request, machines)
        return DaskWorkers(cluster.scheduler_address, done, cluster)
    return DaskWorkers(str(request.dask), done)


def require_dask() -> None:
    """Say in one sentence what to install where Dask is not.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import distributed  # noqa: F401

        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said here
    except ImportError as error:
        raise ConfigError(
            "Dask is not installed here",
            received={"problem": str(error)},
            remedy="Install it with `pip install 'faultxfer[fleet]'`, or leave --dask out: then "
            "this machine's own workers do it",
        ) from error


def require_scheduler(address: str) -> None:
    """Ask a scheduler for its workers.

    Raises:
        ConfigError: Dask is not installed, or the scheduler does not answer or has none.
    """
    require_dask()
    client = _connected(address)
    try:
        _workers_of(client, address)
    finally:
        client.close()  # type: ignore[no-untyped-call]


def local_cluster(request: FleetRequest, machines: int | None = None) -> LocalCluster:
    """A scheduler and workers on this machine, one thread each, started afresh.

    Args:
        request: how many workers, and how much memory each may take.
        machines: for which there is work; more workers are not needed.

    Raises:
        ConfigError: Dask is not installed, or there is no room for a worker.
    """
    require_dask()
    import dask
    from distributed import LocalCluster

    more = int(request.task == "transfer")
    most = machines or request.workers or processors()
    count = workers_that_fit(request.workers, request.memory_per_worker, most, more)
    dask.config.set({"distributed.scheduler.allowed-failures": 0})
    return LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        memory_limit=int(request.memory_per_worker * 1e9),
        dashboard_address=None,
    )


class DaskWorkers:
    """The workers of a scheduler; where it is lost, it is waited for, and given the work again.

    Args:
        address: of the scheduler.
        done: where answers go, as (task, answer).
        cluster: ended with this, where it was started for it.

    Raises:
        ConfigError: the scheduler does not answer, or has no workers.
    """

    def __init__(self, address: str, done: Done, cluster: LocalCluster | None = None) -> None:
        self._address, self._done, self._cluster = address, done, cluster
        self._futures: dict[int, Any] = {}
        self._lost: SimpleQueue[Task | HandedOver] = SimpleQueue()
        self._closed, self._given_up = threading.Event(), False
        try:
            self._client = _connected(address)
            self.count = _workers_of(self._client, address)
        except BaseException:
            self._end_cluster()
            raise
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def submit(self, task: Task | HandedOver) -> None:
        """Have something done by whoever is free next."""
        if self._given_up:
            self._done.put((task, Lost(task.machine, self._no_answer())))
            return
        try:
            future = self._client.submit(do, task, pure=False, key=None)
        except Exception:  # the connection is lost: whoever keeps it submits it again
            self._lost.put(task)
            return
        self._futures[id(task)] = future
        future.add_done_callback(self._when_done(task))  # type: ignore[no-untyped-call]

    def close(self, *, at_once: bool = False) -> None:
        """Let the scheduler go, and end it where it was started for this."""
        self._closed.set()
        self._keeper.join(_ANSWER_SECONDS)
        try:
            if at_once:
                self._client.cancel([*self._futures.values()], force=True)  # type: ignore[no-untyped-call]
            self._client.close(timeout=_ANSWER_SECONDS)  # type: ignore[no-untyped-call]
        except Exception:  # it is gone already
            progress.debug("The Dask client could not be closed", exc_info=True)
        self._end_cluster()

    def _end_cluster(self) -> None:
        if self._cluster is not None:
            self._cluster.close(timeout=_ANSWER_SECONDS)

    def _when_done(self, task: Task | HandedOver) -> Callable[[Any], None]:
        def pass_on(future: Any) -> None:
            if self._closed.is_set():
                return
            self._futures.pop(id(task), None)
            if future.status in ("cancelled", "lost"):
                self._lost.put(task)
            elif future.status == "finished":
                self._done.put((task, future.result()))
            else:
                self._done.put((task, Lost(task.machine, _why(future))))

        return pass_on

    def _keep(self) -> None:
        """Submit again what was lost with the scheduler, as soon as it is back."""
        while not self._closed.is_set():
            try:
                task = self._lost.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            self._wait_for_scheduler()
            self.submit(task)

    def _wait_for_scheduler(self) -> None:
        until = time.monotonic() + _BACK_SECONDS
        told = False
        while not self._closed.is_set() and not self._given_up:
            if self._client.status == "running":
                return
            if not told:
                progress.warning(
                    "The Dask scheduler %s is lost: waiting %.0f minutes for it to come back",
                    *(self._address, _BACK_SECONDS / 60),
                )
                told = True
            self._given_up = time.monotonic() > until
            if self._client.status == "closed":
                self._connect_again()
            time.sleep(_LOOK_SECONDS)

    def _connect_again(self) -> None:
        try:
            self._client = _connected(self._address)
        except ConfigError:
            return

    def _no_answer(self) -> str:
        return f"the Dask scheduler {self._address} is lost"


def _connected(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=_ANSWER_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigError(
            "The Dask scheduler does not answer",
            received={"dask": address, "problem": " ".join(str(error).split())[:200]},
            remedy="Start it (`dask scheduler`) and its workers (`dask worker ADDRESS "
            "--nthreads 1`), or correct --dask",
        ) from error


def _workers_of(client: Client, address: str) -> int:
    """How many workers the scheduler has, of those that report within ten seconds."""
    until = time.monotonic() + _ANSWER_SECONDS
    while not (found := client.nthreads()):  # type: ignore[no-untyped-call]
        if time.monotonic() > until:
            raise ConfigError(
                "The Dask scheduler has no workers",
                received={"dask": address, "workers": 0},
                remedy=f"Start some: `dask worker {address} --nthreads 1`, with faultxfer "
                "installed, and the files under the same names as here",
            )
        time.sleep(_LOOK_SECONDS)
    return len(found)


def _why(future: Any) -> str:
    """Why a worker gave no answer, in half a sentence."""
    error = future.exception()
    kind = type(error).__name__
    if kind == "KilledWorker":
        return f"{_SOON}, as where memory runs out"
    return f"a Dask worker cannot do it ({kind}: {' '.join(str(error).split())[:200]})"
