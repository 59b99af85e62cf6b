"""Where files go: those the user asked for, and those that pass between steps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faultxfer.errors import ConfigError

QUARANTINE = Path("quarantine")


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """Say which option to change where ``path`` cannot be written.

    Raises:
        ConfigError: the file system refused.
    """
    try:
        yield
    except OSError as error:
        raise ConfigError(
            "A place that can be written was expected",
            received={option: str(path), "problem": error.strerror or str(error)},
            remedy=f"Choose another --{option}",
        ) from error


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder for what passes between steps; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="faultxfer-") as folder:
        yield Path(folder)
