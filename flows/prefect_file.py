"""``prefect.yaml``: the deployments for a work pool, whose workers run on machines of their own."""

from __future__ import annotations

from typing import Any

import yaml

from faultxfer.deployments import Deployments, Schedule
from flows.choices import choices_of
from flows.deployed import Deployment, deployments_of

_HEAD = """\
# Deployments of the flows for a work pool, as `faultxfer deployments write` writes them from
# deployments.yaml, or from the contracts in data_contracts/. On one machine `faultxfer up` serves
# the same without this file. Typed in this order, each line works; the first and the last go on
# running, each in a terminal of its own, and all but the first need the address:
#
#   prefect server start
#   export PREFECT_API_URL=http://127.0.0.1:4200/api
#   prefect work-pool create POOL --type process
#   prefect --no-prompt deploy --all
#   faultxfer deployments refresh
#   prefect worker start --pool POOL
#
# `faultxfer deployments refresh` makes the forms short, and lists files and machines in them; type
# it again after each `prefect deploy`. Paths are seen from the folder in which that was typed.
"""


def as_text(settings: Deployments, pool: str) -> str:
    """The file's content.

    Args:
        settings: the families.
        pool: name of the work pool.

    Raises:
        ConfigError: a file that a family names cannot be used.
    """
    choices = {name: choices_of(family) for name, family in settings.families.items()}
    content = {
        "name": "faultxfer",
        # Nothing is fetched: flows are those of the worker's own environment.
        "pull": None,
        "deployments": [_entry(one, pool) for one in deployments_of(settings, choices)],
    }
    plain = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return f"{_HEAD.replace('POOL', pool)}{plain}"


def _entry(one: Deployment, pool: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": one.name,
        "entrypoint": one.plan.entrypoint,
        "description": one.plan.does,
        "tags": [one.family],
        "parameters": one.parameters,
        "work_pool": {"name": pool},
    }
    if one.plan.alone:
        entry["concurrency_limit"] = {"limit": 1, "collision_strategy": "ENQUEUE"}
    if one.schedules:
        entry["schedules"] = [_schedule(slug, when) for slug, when in one.schedules.items()]
    return entry


def _schedule(slug: str, schedule: Schedule) -> dict[str, Any]:
    return {
        "slug": slug,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "active": schedule.active,
        **({"parameters": schedule.parameters} if schedule.parameters else {}),
    }
