"""What tests of registrations and of the doctor share."""

from __future__ import annotations

from pathlib import Path

import registry_work as work

from faultxfer.registry import journal
from faultxfer.registry.store import Registry
from faultxfer.steps import upkeep

NAME, SENSORS = work.NAME, ("flow", "pressure")
WHO = (work.MODEL, work.EQUIPMENT)


def chain_of(registry: Registry) -> journal.Chain:
    return journal.read_journal(registry.client, NAME)


def heal(*, dry_run: bool = False) -> list[tuple[str, str]]:
    found = upkeep.heal_registry(None, None, dry_run=dry_run, minutes=0)["found"]
    return [(one["code"], one["done"].split(":")[0].split(" ")[0]) for one in found]


def spoil(registry: Registry, version: str) -> None:
    (path,) = Path("mlruns/artifacts").rglob(f"*{registry.version(NAME, version).model_id}*/**/network.keras")
    path.write_bytes(b"other weights")
