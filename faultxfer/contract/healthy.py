"""Which rows somebody vouches for: a range, a column that says yes or no, or all."""

from __future__ import annotations

from dataclasses import dataclass

from faultxfer.errors import ConfigError

_COLUMN, _ALL = "column:", "all"


@dataclass(frozen=True)
class Healthy:
    """Rows without a label that were healthy, by somebody's word.

    Attributes:
        text: as it was said.
        column: that says yes or no of each row; None where a range or all is meant.
        first, last: of the range, as they were written; None likewise.
    """

    text: str
    column: str | None = None
    first: str | None = None
    last: str | None = None

    @classmethod
    def parsed(cls, text: str) -> Healthy:
        """What was said.

        >>> Healthy.parsed("2026-03-01/2026-03-15").last, Healthy.parsed("column:ok").column
        ('2026-03-15', 'ok')

        Raises:
            ConfigError: it is neither a range, nor a column, nor `all`.
        """
        said = text.strip()
        if said == _ALL:
            return cls(said)
        if said.startswith(_COLUMN) and said.removeprefix(_COLUMN).strip():
            return cls(said, column=said.removeprefix(_COLUMN).strip())
        first, mark, last = (part.strip() for part in said.partition("/"))
        if mark and first and last and "/" not in last:
            return cls(said, first=first, last=last)
        raise ConfigError(
            "`--healthy` says which rows somebody vouches for, and this cannot be read",
            received={"healthy": text},
            remedy="Write 2026-03-01/2026-03-15, or 100/400 where the time column counts, or "
            "column:NAME of a column that says yes or no, or all",
        )
