"""The table as read, before any check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class RawTable:
    """Rows of one file as text.

    Attributes:
        file: name shown in findings.
        frame: every cell as text, index 0 … n-1.
        lines: (n,) line number of each row in the file; the header is line 1.
        sha256: digest of the file's bytes.
    """

    file: str
    frame: pd.DataFrame
    lines: np.ndarray
    sha256: str
