"""Move a registry, and copy it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from faultxfer.registry import connect
from faultxfer.registry.backup import back_up
from faultxfer.registry.relocate import Location, relocate


def relocate_registry(*, dry_run: bool) -> dict[str, Any]:
    """Let the registry name its files where they are now.

    Returns:
        ``outcome`` (``relocated``, ``unchanged`` or ``dry run``), the counts of addresses by what
        became of them, the folders that are missing or lie elsewhere still, the copy of the
        database, and the next command.

    Raises:
        RegistryError: see :func:`faultxfer.registry.relocate.relocate`.
    """
    done = relocate(connect.tracking_uri(), dry_run=dry_run)
    plan = done.plan
    changed = "dry run" if dry_run else "relocated"
    return {
        "outcome": changed if plan.moved else "unchanged",
        "database": str(done.database),
        "moved": len(plan.moved),
        "here": plan.here,
        "missing": _folders(plan.missing),
        "elsewhere": _folders(plan.left),
        "copy": str(done.copy) if done.copy else None,
        "next": f"faultxfer registry {'relocate' if dry_run and plan.moved else 'verify'}",
    }


def back_up_registry(folder: Path) -> dict[str, Any]:
    """Copy the registry into a folder, while it is in use.

    Returns:
        The copied database, the number of files and their bytes, the folders that the registry
        names and that do not exist, and how to restore.

    Raises:
        UserError: see :func:`faultxfer.registry.backup.back_up`.
    """
    done = back_up(connect.tracking_uri(), folder)
    copied, address = done.database.parent, connect.sqlite_uri(done.database)
    return {
        "outcome": "backed up",
        "database": str(done.database),
        "files": done.files,
        "bytes": done.size,
        "missing": [str(path) for path in done.missing],
        "tracking_uri": address,
        "look": f"MLFLOW_TRACKING_URI={shlex.quote(address)} faultxfer registry list",
        "restore": [
            f"cp -a {shlex.quote(str(copied))} mlruns",
            "faultxfer registry relocate",
            "faultxfer registry verify",
        ],
    }


def _folders(found: Iterable[Location]) -> list[str]:
    return sorted({str(one.path) for one in found})
