"""The watch of a deployed family: its settings as a request."""

from __future__ import annotations

from typing import Any

from faultxfer.config import GateOptions, TransferOptions, load_options, read_options
from faultxfer.deployments import Deployments, Family
from faultxfer.errors import ConfigError
from faultxfer.requests import WatchRequest, make_request
from faultxfer.spelling import asking


def watch_of(deployments: Deployments, name: str | None, **given: Any) -> WatchRequest:
    """What is asked of the watcher of a family.

    Args:
        deployments: all families.
        name: of the family; may be left out where there is only one.
        **given: fields that differ from the settings; None stands for the settings' own.

    Raises:
        ConfigError: there is no such family, none was named where there are several, nothing says
            which folder is watched, or a file of options cannot be used.
    """
    name = name or _only(deployments)
    family = deployments.family(name)
    given = {field: value for field, value in given.items() if value is not None}
    asked = {**_settings(family), **given}
    if asked.get("landing") is None:
        raise ConfigError(
            "Nothing says which folder is watched",
            received={"family": name, "landing": None},
            remedy="Name it behind `faultxfer watch`, or as `landing` of the family in the "
            "settings of deployments",
        )
    return make_request(WatchRequest, **asked)


def _only(deployments: Deployments) -> str:
    names = list(deployments.families)
    if len(names) == 1:
        return names[0]
    raise ConfigError(
        "Several families are deployed, and none was named",
        received={"family": None},
        remedy=asking("", names, f"Name one with --family: {', '.join(names)}"),
    )


def _settings(family: Family) -> dict[str, Any]:
    gate = load_options(GateOptions, family.gate) if family.gate else None
    return {
        "landing": family.landing,
        "contract": family.contract,
        "model": family.model,
        "transfer_labelled": family.transfer_labelled,
        "options": read_options(TransferOptions, family.options, gate=gate),
        "policy": family.policy,
        "self_approval": family.self_approval,
        "approval_days": family.approval_days,
    }
