"""Read a CSV as text, so that every cell can be checked and named by line."""

from __future__ import annotations

import csv
import glob
import gzip
import hashlib
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.contract.table import RawTable
from faultxfer.errors import DataError

_SEPARATORS = ",;\t|"


def find_files(patterns: list[str]) -> list[Path]:
    """Expand files and glob patterns, each at most once, in the order given.

    Raises:
        DataError: a pattern matches no file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern))  # noqa: PTH207  # may be absolute
        files = [Path(name) for name in matches if Path(name).is_file()]
        if not files:
            raise DataError(
                "An existing CSV file was expected",
                received={"csv": pattern},
                remedy="Check the path; quote patterns such as 'data/*.csv'",
            )
        found.update(dict.fromkeys(files))
    return list(found)


def read_csv(path: Path) -> RawTable:
    """Read one ``.csv`` or ``.csv.gz`` as text cells.

    Raises:
        DataError: the file is unreadable, has no header, two equal column names, or rows of different width.
    """
    content, digest = _bytes(path)
    text = _decoded(path, content)
    header_line = text.split("\n", 1)[0]
    if not header_line.strip():
        raise DataError(
            "A header row with column names was expected",
            received={"first line": header_line[:80]},
            where=path.name,
            remedy="Export the file again with its column names; an empty file cannot be used",
        )
    separator = max(_SEPARATORS, key=header_line.count)
    _check_header(path, header_line, separator)
    frame = _frame(path, text, separator)
    lines = np.arange(2, len(frame) + 2)
    blank = (frame == "").all(axis=1).to_numpy()
    frame = frame[~blank].reset_index(drop=True)
    return RawTable(path.name, frame, lines[~blank], digest)


def _bytes(path: Path) -> tuple[bytes, str]:
    """The file's content, and the SHA-256 of the file as it lies on disk."""
    try:
        stored = path.read_bytes()
        content = gzip.decompress(stored) if path.suffix == ".gz" else stored
        return content, hashlib.sha256(stored).hexdigest()
    except (OSError, EOFError) as error:
        raise DataError(
            "A readable file was expected",
            received={"problem": str(error)},
            where=str(path),
            remedy="Check the permissions, or export the file again",
        ) from error


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            "Text in UTF-8 was expected",
            received={"byte": hex(content[error.start]), "at byte": error.start},
            where=path.name,
            remedy="Export the file as CSV (UTF-8)",
        ) from error


def _check_header(path: Path, header_line: str, separator: str) -> None:
    names = [name.strip() for name in next(csv.reader([header_line], delimiter=separator))]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            "Column names that occur once were expected",
            received={"twice": twice},
            where=f"{path.name}, line 1",
            remedy="Rename or remove the doubled columns",
        )


def _frame(path: Path, text: str, separator: str) -> pd.DataFrame:
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            index_col=False,
            on_bad_lines="error",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(
            "Rows with as many cells as the header were expected",
            received={"problem": " ".join(str(error).split())},
            where=path.name,
            remedy="Look at the line named above; a stray separator or quote is the usual cause",
        ) from error
    frame.columns = [str(name).strip() for name in frame.columns]
    # A row shorter than the header comes with missing cells; they count as blank.
    return frame.fillna("")
