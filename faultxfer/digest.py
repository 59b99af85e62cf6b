"""The SHA-256 of plain data and of files, by which equal content is known again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def digest_of(plain: Any) -> str:
    """SHA-256 (hex) of what JSON can hold; the order of keys does not count.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def digest_of_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
