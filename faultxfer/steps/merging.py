"""Leave a machine one champion, or take that back; nothing here loads a network."""

from __future__ import annotations

from typing import Any

from faultxfer.registry import merging
from faultxfer.registry.maintenance import require_reason
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.rights import open_to_change


@reported("the tracking store")
def merge_machine(
    model: str, equipment: str | None, reason: str, *, keep: str | None = None, undo: bool = False
) -> dict[str, Any]:
    """Let all champions of a machine but one step down, or bring them back.

    Args:
        model: a source model; or, without ``equipment``, the whole name of one of the machine's models.
        equipment: the machine.
        reason: in a sentence; the journals keep it.
        keep: the model that stays; with ``undo`` the one that comes back.
        undo: bring back those that stepped down.

    Raises:
        RegistryError: there is nothing to settle, or files are not as they were registered.
        ConfigError: no reason is given.
        ChampionMovedError: somebody promoted meanwhile.
    """
    require_reason(reason)
    registry = open_to_change()
    settled = (merging.undo if undo else merging.merge)(registry, model, equipment, reason, keep)
    done = "restored" if undo else "merged"
    return {
        "outcome": done if settled.others else "unchanged",
        "kept": settled.kept,
        "champion": settled.version,
        "use": _address(settled.kept),
        "models": [
            {"name": name, "version": number, "address": _address(name)}
            for name, number in settled.others
        ],
    }


def _address(name: str) -> str:
    return f"models:/{name}@champion"
