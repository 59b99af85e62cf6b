"""Transfers of one machine follow each other, those of two machines run side by side.

Whoever started them: the limit stands on the Prefect server, by the machine's name, and so it holds
across deployments, schedules, the watch folder and the command line. A killed holder does not keep
it: the server takes back what nobody renews.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.settings import get_current_settings

from faultxfer.progress import progress

# The server asks for a minute at least. A holder renews at three quarters of it; one that is killed
# keeps its machine for this long, and until the server looks for such the next time.
LEASE_SECONDS = 90.0


def limit_of(machine: str) -> str:
    """The name of the machine's limit.

    >>> limit_of("pump-9")
    'transfer:pump-9'
    """
    return f"transfer:{machine}"


@contextmanager
def turn_of(machine: str | None) -> Iterator[None]:
    """Wait for the machine's turn, and keep it until the work is done.

    Without a machine nobody waits. Nor on the temporary server of one command: nobody else uses it,
    and it takes nothing back from who was killed.
    """
    if machine is None or get_current_settings().api.url is None:
        yield
        return
    limit = limit_of(machine)
    if _is_taken(limit):
        progress.info(
            "Waiting: another transfer of %s runs. If none does, because the server was killed "
            "meanwhile: prefect gcl update '%s' --active-slots 0",
            *(machine, limit),
        )
    with concurrency(
        limit, lease_duration=LEASE_SECONDS, strict=True, raise_on_lease_renewal_failure=False
    ):
        yield


def _is_taken(limit: str) -> bool:
    """Whether somebody has the turn; the limit is made where there is none yet."""
    with get_client(sync_client=True) as client:
        try:
            return client.read_global_concurrency_limit_by_name(limit).active_slots > 0
        except ObjectNotFound:
            pass
        with suppress(ObjectAlreadyExists):  # somebody else made it meanwhile
            new = GlobalConcurrencyLimitCreate(name=limit, limit=1)
            client.create_global_concurrency_limit(new)
    return False
