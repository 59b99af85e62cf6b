"""When the registry was written to, seen without opening it: cheap enough to look every second."""

from __future__ import annotations

import time
from pathlib import Path

from faultxfer.registry import connect


def registry_written() -> float:
    """Seconds since 1970; each minute where that cannot be seen, as with a server."""
    file = connect.sqlite_file(connect.tracking_uri())
    if file is None:
        return time.time() // 60 * 60
    return max((_changed(path) for path in (file, Path(f"{file}-wal"))), default=0.0)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
