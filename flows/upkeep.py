"""Flows that look after the registry: approve what waits, and look whether it is sound."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import BaseModel, ConfigDict, Field

from faultxfer.errors import ConfigError, RegistryError
from faultxfer.stopping import heeded
from faultxfer.wording import counted
from flows.endings import failed
from flows.registered import chosen
from flows.reviews import as_markdown


class ApproveRequest(BaseModel):
    """Approve or reject a version that waits; the journal keeps the name and the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    waiting: str = Field(
        title="Version",
        description="A version that waits. Its metrics, and what changed in its data, are in this "
        "deployment's description.",
    )
    decision: Literal["approve", "reject"] = Field(
        title="Decision", description="Approved, it is the machine's champion from now on."
    )
    reason: str = Field(title="Reason", min_length=1, description="The journal keeps it.")
    name: str = Field(
        title="Your name",
        min_length=1,
        description="The journal keeps it. Whoever started the transfer is refused, unless the "
        "deployment says `self_approval: true`.",
    )
    model: str = Field(title="Source model", description="Name of the registered source model.")


class DoctorRequest(BaseModel):
    """Look whether the registry is sound; a run in which something is damaged fails."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repair: bool = Field(
        default=False,
        title="Repair",
        description="Also finish what is half done, and bring back what is sound; it only looks "
        "if left out. Nothing is taken away.",
    )


@flow(name="approve")
def approve(
    waiting: str, decision: Literal["approve", "reject"], reason: str, name: str, model: str
) -> State[Any]:
    """Approve or reject a version that waits; the journal keeps the name and the reason."""
    return _ended(lambda: _settle(waiting, decision, reason, name, model))


@flow(name="doctor")
def doctor(repair: bool = False) -> State[Any]:
    """Look whether the registry is sound; a run in which something is damaged fails."""
    return _ended(lambda: _look(repair=repair))


def _ended(work: Callable[[], str]) -> State[Any]:
    """The state that the run ends in: one sentence, of what was done or what is wrong."""
    try:
        with heeded():
            return Completed(message=work())
    except Exception as error:
        return failed(error)


def _settle(waiting: str, decision: str, reason: str, name: str, model: str) -> str:
    from faultxfer.registry.approving import approve_version, read_review, reject_version

    if not name.strip():
        raise ConfigError("Who decides is not said", remedy="Give your name: the journal keeps it")
    equipment, version = chosen(waiting)
    os.environ["FAULTXFER_ACTOR"] = name.strip()
    review = read_review(model, equipment, version)
    create_markdown_artifact(markdown=as_markdown(review), key="review", description=waiting)
    if decision == "approve":
        approve_version(model, equipment, version, reason)
        return f"{equipment}: version {version} is the champion now, approved by {name.strip()}."
    reject_version(model, equipment, version, reason)
    return f"{equipment}: version {version} was rejected by {name.strip()}; the champion stays."


def _look(*, repair: bool) -> str:
    from faultxfer.registry.doctor import repair_registry

    result = repair_registry(None, None, dry_run=not repair, files=True)
    if result["found"]:
        create_table_artifact(table=result["found"], key="registry-doctor")
    left = [one for one in result["found"] if not one["done"].startswith("done")]
    if left:
        raise RegistryError(
            f"The registry is not sound: {counted(len(left), 'thing')} to mend, the first: "
            f"{left[0]['message'].rstrip('.')}",
            where=left[0]["where"],
            remedy="A table of this run lists everything; `faultxfer registry doctor` mends what "
            "takes nothing away",
        )
    return "The registry is sound."
