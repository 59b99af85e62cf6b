"""What the registry knows of the families that are deployed, as JSON on stdout.

A program of its own: importing MLflow takes seconds and memory that the process which serves the
deployments need not keep.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from faultxfer import children
from faultxfer.errors import ConfigError, FaultxferError
from faultxfer.registry import names
from flows.choices import Registered, Waiting
from flows.reviews import as_markdown

_SECONDS = 300.0
# Who only looks is nobody who started a transfer.
_READER = "the form of approvals"
# Between machine and version, as the form names both.
_VERSION = ", version "


def registered(models: list[str]) -> dict[str, Registered]:
    """What is registered, by source model; nothing where the registry cannot be read.

    Args:
        models: source models.
    """
    command = [sys.executable, "-m", __spec__.name, *models]
    try:
        done = children.run(command, env=dict(os.environ), seconds=_SECONDS)
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}
    return {model: _of_plain(one) for model, one in found.items()}


def _of_plain(one: dict[str, Any]) -> Registered:
    waiting = tuple(Waiting(**version) for version in one["waiting"])
    return Registered(machines=tuple(one["machines"]), waiting=waiting)


def choice(equipment: str, version: str) -> str:
    """How the form names a version that waits.

    >>> choice("pump-9", "3")
    'pump-9, version 3'
    """
    return f"{equipment}{_VERSION}{version}"


def chosen(text: str) -> tuple[str, int]:
    """Machine and version of a choice.

    Raises:
        ConfigError: it is none.

    >>> chosen("pump-9, version 3")
    ('pump-9', 3)
    """
    equipment, _, number = text.rpartition(_VERSION)
    if not equipment or not number.isdecimal():
        raise ConfigError(
            "This names no version of a machine",
            received={"version": text},
            remedy="Choose one of the list, such as 'pump-9, version 3'",
        )
    return equipment, int(number)


def _read(models: list[str]) -> dict[str, Any]:
    from faultxfer.registry.catalog import list_models

    machines = [one for one in list_models() if one["kind"] == names.TARGET_KIND]
    return {
        model: _plain(model, [one for one in machines if one["source_model"] == model])
        for model in models
    }


def _plain(model: str, machines: list[dict[str, Any]]) -> dict[str, Any]:
    waiting = [one for one in machines if one["waiting"]]
    return {
        "machines": [one["equipment"] for one in machines],
        "waiting": [_waiting(model, one["equipment"], one["waiting"]) for one in waiting],
    }


def _waiting(model: str, equipment: str, version: str) -> dict[str, str]:
    from faultxfer.registry.approving import read_review

    try:
        shown = as_markdown(read_review(model, equipment, int(version)))
    except FaultxferError as error:
        shown = str(error)
    return {"choice": choice(equipment, version), "shown": shown}


def main(models: list[str]) -> None:
    """Print what is registered."""
    os.environ["FAULTXFER_ACTOR"] = _READER
    try:
        found = _read(models)
    except FaultxferError:  # there is no registry yet, or none that answers: a run says why
        found = {}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
