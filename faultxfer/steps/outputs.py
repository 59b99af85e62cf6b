"""Files that the user asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faultxfer.errors import ConfigError


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
