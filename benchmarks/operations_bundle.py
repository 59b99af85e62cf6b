"""Bundles for the trials of ordinary operation: honest files and manifest, and no network.

The manifest has what a real one has: a hash for each file, and the contract, by which a machine is
found. Nothing parses the network, so none of this needs TensorFlow.
"""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

FEATURES = ("flow", "pressure")
_NETWORK_BYTES = 20_000


def write_bundle(folder: Path, seed: int) -> Path:
    """Write a bundle with a report beside it; gives back the bundle's folder.

    Args:
        folder: must not exist.
        seed: other bytes for another seed, the same for the same.
    """
    bundle = folder / "bundle"
    bundle.mkdir(parents=True)
    drawn = random.Random(seed)
    (bundle / "network.keras").write_bytes(drawn.randbytes(_NETWORK_BYTES))
    (bundle / "training_rows.npy").write_bytes(drawn.randbytes(800))
    (bundle / "manifest.json").write_text(json.dumps(_manifest(bundle), indent=2))
    (folder / "report").mkdir()
    (folder / "report" / "report.md").write_text("trial")
    return bundle


def _manifest(bundle: Path) -> dict[str, Any]:
    hashes = {path.name: _sha256(path.read_bytes()) for path in sorted(bundle.iterdir())}
    manifest = {
        "format": 2,
        "features": list(FEATURES),
        "units": {"flow": "m3/h", "pressure": "bar"},
        "scaler": {"mean": [0.0, 0.0], "scale": [1.0, 1.0]},
        "threshold": 0.5,
        "lineage": {"contract": _contract()},
        "sha256": hashes,
    }
    hashes["manifest.json"] = _sha256(json.dumps(manifest, sort_keys=True).encode())
    return manifest


def _contract() -> dict[str, Any]:
    return {
        "version": 1,
        "family": "pumps",
        "label": {"column": "fault", "normal": ["0"], "fault": ["1"]},
        "equipment_column": "equipment",
        "run_column": "run",
        "time_column": "timestamp",
        "sensors": {
            "flow": {"unit": "m3/h", "min": 0, "max": 2000},
            "pressure": {"unit": "bar", "min": -1, "max": 40},
        },
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
