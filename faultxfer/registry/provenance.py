"""Who or what acts, and with which code: for the journal."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import subprocess
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_GIT_SECONDS = 5.0


def actor() -> str:
    """``FAULTXFER_ACTOR``, as a scheduled job sets it, or user and host."""
    named = os.environ.get("FAULTXFER_ACTOR", "").strip()
    if named:
        return named[:200]
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


@cache
def code() -> dict[str, str]:
    """Release, revision where it is a working copy, and what pins the libraries."""
    revision = _revision()
    return {
        "release": version("faultxfer"),
        **({"revision": revision} if revision else {}),
        **_libraries(),
    }


def _revision() -> str | None:
    """The commit, with a mark where files were changed since."""
    if not (_PACKAGE.parent / ".git").exists():
        return None
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{commit}{'+changes' if changed else ''}" if commit else None


def _git(*arguments: str) -> str | None:
    try:
        # Fixed arguments, and git wherever it is installed.
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(_PACKAGE.parent), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _libraries() -> dict[str, str]:
    lock = _PACKAGE.parent / "uv.lock"
    if lock.is_file():
        return {"lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest()}
    installed = sorted({f"{found.name}=={found.version}" for found in distributions()})
    return {"installed_sha256": hashlib.sha256("\n".join(installed).encode()).hexdigest()}
