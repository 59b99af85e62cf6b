"""What a case of the corpus is.

Files, the contract they are checked against, and what must come out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from grid import Grid, Spelling, written
from plants import Changes, Plant

Severity = Literal["refuse", "quarantine", "warn"]
Content = Grid | bytes


@dataclass(frozen=True)
class Bad:
    """Files with one thing wrong.

    Attributes:
        name: unique; the files are named after it.
        story: what happened in the plant.
        files: name and bytes of each file, in the order of the command.
        contract: plain data.
        code: the finding that must be raised.
        column: the column it must name, None where it concerns no single one.
        line: the first line it must name, None where it concerns the whole file.
        severity: whether the file is refused, rows are set aside, or it is only said.
        lines: every line concerned, where the rule works by rows.
        also: codes of findings that may stand beside it.
        also_lines: further lines set aside by those.
        rows: number of rows in all files, None where they cannot be read.
        left_out: rows of other machines.
        labelled, equipment: as in ``check_files``.
    """

    name: str
    story: str
    files: tuple[tuple[str, bytes], ...]
    contract: dict[str, Any]
    code: str
    column: str | None
    line: int | None
    severity: Severity
    lines: tuple[int, ...] = ()
    also: frozenset[str] = frozenset()
    also_lines: tuple[int, ...] = ()
    rows: int | None = None
    left_out: int = 0
    labelled: bool | None = None
    equipment: str | None = None

    @property
    def set_aside(self) -> list[int]:
        """Lines that must be in the quarantine file."""
        if self.severity == "refuse":
            return []
        return sorted({*(self.lines if self.severity == "quarantine" else ()), *self.also_lines})

    @property
    def guilty(self) -> str:
        """The file that the finding must name: the last one."""
        return self.files[-1][0]


@dataclass(frozen=True)
class Valid:
    """Files that must be accepted completely.

    Attributes:
        name, story, files, contract: as in :class:`Bad`.
        plant: whose contract it is; tells the roles of the columns of ``truth``.
        truth: clean rows, in the order in which they must be accepted.
        said: codes of warnings that may be raised.
    """

    name: str
    story: str
    files: tuple[tuple[str, bytes], ...]
    contract: dict[str, Any]
    plant: Plant
    truth: Grid
    said: frozenset[str] = field(default_factory=frozenset)


def bad(
    name: str,
    story: str,
    plant: Plant,
    content: Content,
    code: str,
    column: str | None = None,
    lines: tuple[int, ...] | range = (),
    *,
    severity: Severity = "refuse",
    line: int | None = None,
    spelling: Spelling | None = None,
    ending: str = ".csv",
    beside: tuple[Content, ...] = (),
    contract: Changes | None = None,
    also: tuple[str, ...] = (),
    **more: Any,
) -> Bad:
    """A case of one file, or of several where the finding belongs to the last.

    ``beside`` are the others.
    """
    every = (*beside, content)
    rows = (
        sum(len(one.rows) for one in every if isinstance(one, Grid))
        if isinstance(content, Grid)
        else None
    )
    return Bad(
        name=name,
        story=story,
        files=_files(name, every, spelling, ending),
        contract=plant.contract(contract or {}),
        code=code,
        column=column,
        line=line if line is not None else (lines[0] if lines else None),
        severity=severity,
        lines=tuple(lines),
        also=frozenset(also),
        rows=rows,
        **more,
    )


def valid(
    name: str,
    story: str,
    plant: Plant,
    content: Content,
    *,
    spelling: Spelling | None = None,
    ending: str = ".csv",
    beside: tuple[Content, ...] = (),
    truth: Grid | None = None,
    contract: Changes | None = None,
    said: tuple[str, ...] = (),
) -> Valid:
    """A case of one file, or of several.

    The truth is the plant's clean table unless another is given.
    """
    files = _files(name, (*beside, content), spelling, ending)
    return Valid(
        name,
        story,
        files,
        plant.contract(contract or {}),
        plant,
        truth or plant.grid,
        frozenset(said),
    )


def _files(
    name: str, contents: tuple[Content, ...], spelling: Spelling | None, ending: str
) -> tuple[tuple[str, bytes], ...]:
    stems = (
        [name]
        if len(contents) == 1
        else [f"{name}-{number}" for number in range(1, len(contents) + 1)]
    )
    return tuple(
        (stem + ending, one if isinstance(one, bytes) else written(one, spelling))
        for stem, one in zip(stems, contents, strict=True)
    )
