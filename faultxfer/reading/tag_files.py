"""Exports of one file for each tag: what a file holds, and of which tag."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel, ConfigDict, Field, model_validator

from faultxfer.errors import DataError
from faultxfer.reading.long_form import GOOD
from faultxfer.reading.name_pattern import TAG, fields_of, matched, named_path, stem
from faultxfer.reading.table import RawTable

CODE = "FILE-NO-TAG"
_SHOWN = 8


class TagFiles(BaseModel):
    """Files of one tag each, which are joined on time.

    The tag stands in the file's name, in the column `tag`, or is the name of the column of
    readings, where `value` names none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    time: str = Field(description="Column of the time; `time_column` names it too.")
    value: str | None = Field(
        default=None,
        description="Column of the readings; without it the column that is left, named like its "
        "tag.",
    )
    tag: str | None = Field(
        default=None, description="Column that names the tag, the same in all rows of a file."
    )
    file: str = Field(
        default="*",
        description="Where names stand in the path of a file without its ending: `{tag}`, "
        "`{machine}_{tag}`, `{machine}/{tag}_*`. Names other than the tag become columns.",
    )
    name: str = Field(
        default="{tag}",
        description="Where names stand in the name of the tag, if not the file names it: "
        "`{machine}.{tag}`.",
    )
    quality: str | None = Field(
        default=None, description="Column that says what a reading is worth."
    )
    good: tuple[str, ...] = Field(
        default=GOOD, min_length=1, description="Spellings of a quality that counts, in quotes."
    )

    @model_validator(mode="after")
    def _tag_has_one_place(self) -> TagFiles:
        in_file, in_name = fields_of(self.file).count(TAG), fields_of(self.name).count(TAG)
        if self.by_file and in_file != 1:
            raise ValueError(
                "the tag stands in the file's name, so `file` has {tag} once. "
                f"Received: {self.file!r}"
            )
        if not self.by_file and (in_file or in_name != 1):
            raise ValueError(
                "the tag stands in a column or is the name of one, so `name` has {tag} once and "
                f"`file` has none. Received: name={self.name!r}, file={self.file!r}"
            )
        if len(set(self.fields)) < len(self.fields):
            raise ValueError(f"a name in braces stands twice. Received: {list(self.fields)}")
        return self

    @property
    def by_file(self) -> bool:
        """Whether the name of the file says which tag it is of."""
        return self.value is not None and self.tag is None

    @property
    def fields(self) -> tuple[str, ...]:
        """Columns that are made of names of files and tags."""
        found = fields_of(self.file) + ([] if self.by_file else fields_of(self.name))
        return tuple(name for name in found if name != TAG)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns named."""
        return tuple(filter(None, (self.time, self.value, self.tag, self.quality)))


@dataclass(frozen=True)
class Roles:
    """What a contract knows beside the readings.

    Attributes:
        tags: every name that a tag may have.
        keys: columns that name machine and run.
        beside: columns that may stand in a file of a tag, each like a tag of its own: the label,
            slices, modes.
        ignored: tags and columns that nobody needs.
    """

    tags: frozenset[str]
    keys: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TagReadings:
    """One file of a set.

    Attributes:
        table: the file as read.
        names: by column, what the names of file and tag say.
        columns: by tag, the column of the file that holds its readings.
        quality: the column of their quality, if they have one.
    """

    table: RawTable
    names: dict[str, str]
    columns: dict[str, str]
    quality: str | None = None


def readings_of_tag(path: Path, table: RawTable, shape: TagFiles, roles: Roles) -> TagReadings:
    """What a file of a set holds.

    Args:
        path: the file; its name may say which tag it is of.
        table: the same as read.
        shape: what the set looks like.
        roles: what is known of tags and columns.

    Raises:
        DataError: the file is none of the set.
    """
    beside = {name: name for name in roles.beside if name in table.names}
    named = matched(shape.file, named_path(path, shape.file), roles.tags)
    if named is None and shape.by_file and stem(path) in roles.beside:
        named = {TAG: stem(path)}  # labels of the only machine there is
    if shape.time not in table.names:
        _refuse(table, f"The file has no column {shape.time!r}, which is the time of the others")
    value = _value_column(table, shape, roles)
    if value is None and not beside:
        _refuse(table, _without_readings(shape))
    if value is None:
        # Labels in a file of their own, whose name need not be that of a tag.
        return TagReadings(table, _without_tag(named or {}), beside)
    if named is None:
        _refuse(table, f"The name of the file does not fit the pattern {shape.file!r}")
    names = named if shape.by_file else named | _names_in(table, shape, roles, value)
    lacks_quality = shape.quality is not None and shape.quality not in table.names
    if lacks_quality and names.get(TAG) not in roles.beside:
        _refuse(table, f"The file has no column {shape.quality!r}, which is the quality elsewhere")
    quality = None if lacks_quality else shape.quality
    columns = {names[TAG]: value} if TAG in names else {}
    return TagReadings(table, _without_tag(names), columns | beside, quality)


def _without_tag(names: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in names.items() if name != TAG}


def _without_readings(shape: TagFiles) -> str:
    if shape.value:
        return f"The file has no column {shape.value!r}, which holds the readings elsewhere"
    return "The file has no column of readings beside the time"


def _value_column(table: RawTable, shape: TagFiles, roles: Roles) -> str | None:
    """The column of readings; None where there is none."""
    if shape.value:
        return shape.value if shape.value in table.names else None
    taken = {*shape.columns, *roles.keys, *roles.beside}
    left = [name for name in table.names if name not in taken]
    if len(left) > 1:
        left = [name for name in left if name not in roles.ignored]
    if len(left) > 1:
        _refuse(table, "The file has more than one column of readings: " + _listed(left))
    return left[0] if left else None


def _names_in(table: RawTable, shape: TagFiles, roles: Roles, value: str) -> dict[str, str]:
    """What the name of the tag says."""
    full = value if shape.tag is None else _only_tag(table, shape.tag)
    if full is None:
        return {}
    names = matched(shape.name, full, roles.tags)
    if names is None:
        _refuse(table, f"The tag {full!r} does not fit the pattern {shape.name!r}")
    return names


def _only_tag(table: RawTable, column: str) -> str | None:
    """The one tag of a file; None where the file has no rows."""
    if column not in table.names:
        _refuse(table, f"The file has no column {column!r}, which names the tag elsewhere")
    tags = [tag for tag in table.stripped(column).unique() if tag]
    if len(tags) > 1:
        _refuse(table, f"The file has several tags in column {column!r}: {_listed(tags)}")
    return str(tags[0]) if tags else None


def _refuse(table: RawTable, problem: str) -> NoReturn:
    raise DataError(
        f"{problem}. It is no file of one tag like the others, as `tag_files` in the contract says",
        received={"columns": table.names[:_SHOWN]},
        where=table.file,
        code=CODE,
        line=1,
        remedy="Leave the file out of the command, export it like the others, or correct "
        "`tag_files` in the contract",
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, list(names)[:_SHOWN]))
