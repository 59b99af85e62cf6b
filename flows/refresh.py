"""Rewrite what the forms offer: for deployments of ``faultxfer up`` and of work pools alike."""

from __future__ import annotations

from dataclasses import dataclass

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from faultxfer.deployments import Deployments
from flows.choices import Choices
from flows.deployed import Deployment, deployments_of


@dataclass(frozen=True)
class Refreshed:
    """Names of deployments: whose form was written anew, whose is as it was, that are not there."""

    written: tuple[str, ...]
    same: tuple[str, ...]
    absent: tuple[str, ...]

    def as_dict(self) -> dict[str, list[str]]:
        """Plain data for JSON."""
        lists = {"written": self.written, "same": self.same, "absent": self.absent}
        return {name: list(names) for name, names in lists.items()}


async def refresh(settings: Deployments, choices: dict[str, Choices]) -> Refreshed:
    """Write the forms anew where they differ.

    Args:
        settings: the families.
        choices: by family, what there is to choose from now.
    """
    written: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    async with get_client() as client:
        for one in deployments_of(settings, choices):
            written[await _refreshed(client, one)].append(one.name)
    return Refreshed(tuple(written[True]), tuple(written[False]), tuple(written[None]))


async def _refreshed(client: PrefectClient, one: Deployment) -> bool | None:
    """Whether it was written anew; None where it is not there."""
    try:
        there = await client.read_deployment_by_name(f"{one.flow}/{one.name}")
    except ObjectNotFound:
        return None
    if _is_as_wanted(there, one):
        return False
    await client.update_deployment(
        there.id,
        DeploymentUpdate(parameter_openapi_schema=one.schema, description=one.description),
    )
    return True


def _is_as_wanted(there: DeploymentResponse, one: Deployment) -> bool:
    return there.parameter_openapi_schema == one.schema and there.description == one.description
