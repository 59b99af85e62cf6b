"""The main job on a simulated pump fleet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.cli.pipelines import run_pipeline
from faultxfer.progress import progress

MODEL = "demo-pumps"
_FIRST_NEW_PUMP = 9


@dataclass(frozen=True)
class DemoResult:
    """What the demo did; ``pretrained`` is None where the source model was there already."""

    folder: Path
    pretrained: Any
    transferred: Any
    scored: Any

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "folder": str(self.folder),
            "pretrain": self.pretrained.as_dict() if self.pretrained else None,
            "transfer": self.transferred.as_dict(),
            "score": self.scored.as_dict() if self.scored else None,
        }


def run_demo(folder: Path, *, prefect: bool | None) -> DemoResult:
    """Simulate, pretrain unless done before, transfer to the next new pump, score its next week."""
    from faultxfer.simulation.simulator import write_pump_fleet

    first, equipment = _where_we_are()
    progress.info("Simulating the pump fleet")
    fleet = write_pump_fleet(folder, target_equipment=equipment)
    contract = str(fleet.contract)
    quarantine = str(folder / "quarantine")
    pretrained = None
    if first:
        files = [str(path) for path in fleet.source_csvs]
        pretrained = run_pipeline(
            "pretrain", prefect, files=files, contract=contract, model=MODEL, quarantine=quarantine
        )
    new = {"model": MODEL, "equipment": equipment, "quarantine": quarantine}
    transferred = run_pipeline(
        "transfer", prefect, files=[str(fleet.target_csv)], contract=contract, force=True, **new
    )
    scored = None
    if transferred.version:
        out = str(folder / "scores.csv")
        scored = run_pipeline("score", prefect, files=[str(fleet.new_rows_csv)], out=out, **new)
    return DemoResult(folder, pretrained, transferred, scored)


def _where_we_are() -> tuple[bool, str]:
    """Whether the source model is still to be trained, and the next new pump's name."""
    from faultxfer.registry.connect import Access
    from faultxfer.registry.machines import equipments
    from faultxfer.registry.store import open_registry

    registry = open_registry(access=Access.CREATING)
    known = equipments(registry, MODEL)
    return registry.champion(MODEL) is None, f"pump-{_FIRST_NEW_PUMP + len(known)}"
