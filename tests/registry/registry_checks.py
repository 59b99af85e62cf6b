"""What tests of registrations and of the doctor share."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import registry_work as work

from faultxfer.registry import doctor, journal
from faultxfer.registry.store import Registry

NAME, SENSORS = work.NAME, ("flow", "pressure")
WHO = (work.MODEL, work.EQUIPMENT)
_BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def run_trial(script: str, *arguments: str) -> str:
    """What a script of `benchmarks/` prints; it must end well.

    Its doctors look through temporary files of its own instead of those of all tests.
    """
    with tempfile.TemporaryDirectory() as temporary:
        done = subprocess.run(
            [sys.executable, _BENCHMARKS / script, *arguments],
            env={**os.environ, "TMPDIR": temporary},
            capture_output=True,
            text=True,
            timeout=1200,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr  # nobody who runs into this has seen one
    return done.stdout


def chain_of(registry: Registry) -> journal.Chain:
    return journal.read_journal(registry.client, NAME)


def repair(
    *, dry_run: bool = False, apply: bool = False, model: str | None = None
) -> list[tuple[str, str]]:
    """What the doctor found, and the first word of what came of it."""
    equipment = work.EQUIPMENT if model else None
    options = {"dry_run": dry_run, "apply": apply, "minutes": 0, "upload_days": 0}
    found = doctor.repair_registry(model, equipment, **options)["found"]
    return [(one["code"], one["done"].split(":")[0].split(" ")[0]) for one in found]


def file_of(registry: Registry, version: str, file: str, name: str = NAME) -> Path:
    (path,) = Path("mlruns/artifacts").rglob(
        f"*{registry.version(name, version).model_id}*/**/{file}"
    )
    return path


def spoil(registry: Registry, version: str, name: str = NAME) -> Callable[[], object]:
    """Change a version's network; gives back what makes it sound again."""
    path = file_of(registry, version, "network.keras", name)
    content = path.read_bytes()
    path.write_bytes(b"other weights")
    return lambda: path.write_bytes(content)


def make_readable(folder: Path) -> None:
    """Let every user read a test's folder."""
    for path in [folder, *folder.parents]:
        if path.owner() == folder.owner() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)


def become_nobody() -> None:
    """Go on as a user without rights, in a child process."""
    if os.geteuid() != 0:
        return
    os.setgid(65534)
    os.setuid(65534)
    tempfile.tempdir = None  # the test's own place for temporary files belongs to somebody else now
