"""Temporary folders that killed processes left, as findings of the doctor."""

from __future__ import annotations

from collections.abc import Iterator

from faultxfer.registry.diagnosis import RESTORES, Diagnosis
from faultxfer.temporary import dead_folders


def temporary_left() -> Iterator[Diagnosis]:
    """Folders of this user's on this machine whose process is gone; they hold copies and half-done files alone."""
    for path, remove in dead_folders():
        message = "A temporary folder whose process is gone"
        yield Diagnosis("TEMPORARY-LEFT", str(path), message, "remove it", remove, kind=RESTORES)
