"""Whether example files hold one tag each, by their content, and where the tag stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME
from faultxfer.drafting.infer import names_machine_or_run, names_time
from faultxfer.drafting.tag_names import Named, Pattern, pattern_of
from faultxfer.errors import DataError
from faultxfer.reading.find_long import (
    TAG_NAMES,
    VALUE_NAMES,
    are_numbers,
    are_times,
    is_named,
    lie_apart,
    quality_in,
)
from faultxfer.reading.long_form import GOOD
from faultxfer.reading.name_pattern import matched, named_path, stem
from faultxfer.reading.table import RawTable
from faultxfer.reading.tag_files import CODE, TagFiles

MACHINE = "machine"
_LOOK = 20_000
# Files that fit no pattern are the odd ones where at least this share of the others fits it.
_MOST = 0.6


@dataclass(frozen=True)
class FoundTags:
    """A set of files of one tag each.

    Attributes:
        shape: where time, reading, tag and machine stand.
        tags: the tags.
    """

    shape: TagFiles
    tags: frozenset[str]


@dataclass(frozen=True)
class _Layout:
    """What the columns of one file are.

    Attributes:
        path, table: the file.
        time: its column of times; None where there is none, or several.
        values: columns that may hold readings.
        tag: a column of text that is the same in all rows, and usually called like a tag.
        quality, good: the column of quality, and its spellings that are good.
        label: whether it has the column of the label.
    """

    path: Path
    table: RawTable
    time: str | None
    values: tuple[str, ...]
    tag: str | None
    quality: str | None
    good: tuple[str, ...]
    label: bool

    @property
    def of_one_tag(self) -> bool:
        """Whether it holds the readings of one tag, or labels alone."""
        one = len(self.values) == 1 or (self.label and not self.values)
        return self.time is not None and one


def find_tag_files(
    paths: Sequence[Path],
    tables: Sequence[RawTable],
    label: str,
    named: dict[str, str | None],
) -> FoundTags | None:
    """How a set of files of one tag each says which tag; None where the files are no such set.

    Args:
        paths: the files.
        tables: the same as read, all cells as text.
        label: the label column, or the tag of it.
        named: by role, the column that somebody named.

    Raises:
        DataError: most files are such a set, and one is not.
    """
    layouts = [
        _layout(path, table, label, named) for path, table in zip(paths, tables, strict=True)
    ]
    fitting = [layout for layout in layouts if layout.of_one_tag]
    of_sensors = [layout for layout in fitting if layout.values]
    if len(of_sensors) < 2 or len(fitting) < _MOST * len(layouts):
        return None
    if not _are_tags(of_sensors, label):
        return None
    _require_all(layouts, fitting, of_sensors[0])
    return _shape(of_sensors, label, named)


def _layout(path: Path, table: RawTable, label: str, named: dict[str, str | None]) -> _Layout:
    frame = table.frame.iloc[:_LOOK]
    few = RawTable(table.file, frame, table.lines[:_LOOK], table.sha256, table.dialect)
    keys = {name for name in (named[EQUIPMENT], named[RUN]) if name}
    names = [
        str(name)
        for name in frame
        if name not in keys and name != label and not names_machine_or_run(str(name))
    ]
    time = named[TIME] if named[TIME] in names else _time(few, names)
    left = [name for name in names if name != time]
    tag = next((name for name in left if _is_constant_tag(frame[name], name)), None)
    measured = [name for name in left if name != tag and frame[name].str.strip().ne("").any()]
    quality: str | None = None
    good: tuple[str, ...] = GOOD
    if len(measured) > 1:
        quality, good = quality_in(frame, {str(time), str(tag)}, measured)
    values = tuple(name for name in measured if name != quality and not _says_nothing(frame[name]))
    usual = tuple(name for name in values if is_named(name, VALUE_NAMES))
    return _Layout(
        path,
        table,
        time,
        values=usual if len(usual) == 1 else tuple(left),
        tag=tag,
        quality=quality,
        good=good,
        label=label in table.names,
    )


def _time(table: RawTable, names: list[str]) -> str | None:
    """The only column of dates, else a usual name of a column of numbers."""
    numbers = [name for name in names if are_numbers(table.frame[name])]
    dates = [name for name in names if name not in numbers and are_times(table, name)]
    usual = [name for name in (dates or numbers) if names_time(name)]
    if usual:
        return usual[0]
    return dates[0] if len(dates) == 1 else None


def _is_constant_tag(cells: pd.Series, name: str) -> bool:
    """Whether a column of text with one value has a usual name of tags."""
    return cells.nunique() == 1 and is_named(name, TAG_NAMES) and not are_numbers(cells)


def _says_nothing(cells: pd.Series) -> bool:
    """Whether a column holds the same text in all rows, as one of units does."""
    return cells.str.strip().nunique() == 1 and not are_numbers(cells)


def _are_tags(layouts: list[_Layout], label: str) -> bool:
    """Whether the columns of readings are those of different tags.

    They have different names, a usual name of values, or readings of different size. Files of one
    sensor with the label beside it are none of this.
    """
    headers = {layout.values[0] for layout in layouts}
    if len(headers) > 1:
        return not _have_one_in_common(layouts)
    header = headers.pop()
    if is_named(header, VALUE_NAMES):
        return True
    if all(layout.tag for layout in layouts):
        return len({layout.table.stripped(str(layout.tag)).iloc[0] for layout in layouts}) > 1
    if header == label:
        return False
    parts = [layout.table.frame[header].iloc[:_LOOK] for layout in layouts]
    files = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return lie_apart(pd.Series(files), pd.concat(parts, ignore_index=True))


def _have_one_in_common(layouts: list[_Layout]) -> bool:
    """Whether all files have a column that could be a sensor of ordinary files."""
    common = set.intersection(*(set(layout.table.names) for layout in layouts))
    return any(layout.values[0] in common for layout in layouts)


def _require_all(layouts: list[_Layout], fitting: list[_Layout], usual: _Layout) -> None:
    odd = next((layout for layout in layouts if layout not in fitting), None)
    if odd is None:
        odd = next((one for one in fitting if one.time != usual.time), None)
    if odd is not None:
        raise DataError(
            "The other files have one tag each, and this one does not look like them",
            received={"columns": odd.table.names[:8], "others": usual.table.names[:8]},
            where=odd.table.file,
            code=CODE,
            line=1,
            remedy="Leave the file out, or export it like the others: times, readings and what "
            "names the tag under the same column names",
        )


# Where tag and machine stand


def _shape(layouts: list[_Layout], label: str, named: dict[str, str | None]) -> FoundTags:
    machine = named[EQUIPMENT] or MACHINE
    headers = {layout.values[0] for layout in layouts}
    by_header = len(headers) > 1
    value = None if by_header else headers.pop()
    if not by_header and not all(layout.tag for layout in layouts):
        file = _path_pattern(layouts, label, machine)
        return FoundTags(_with_quality(layouts, value=value, file=file.text), file.tags)
    tags = [_full_tag(layout, by_header=by_header) for layout in layouts]
    name = pattern_of(_known(layouts, tags), label, machine)
    file_text = "*"
    in_name = f"{{{machine}}}" in name.text or machine in layouts[0].table.names
    if not in_name and len(set(tags)) < len(tags):
        file_text = _machine_in_path(layouts, tags, machine)
    tag = None if by_header else layouts[0].tag
    shape = _with_quality(layouts, value=value, tag=tag, file=file_text, name=name.text)
    return FoundTags(shape, name.tags)


def _with_quality(layouts: list[_Layout], **fields: str | None) -> TagFiles:
    """The shape; labels need no quality where all tags have one."""
    having = [layout for layout in layouts if layout.quality]
    told: dict[str, object] = {"time": layouts[0].time, **fields}
    if len({layout.quality for layout in having}) == 1 and len(having) > len(layouts) / 2:
        good = dict.fromkeys(text for layout in having for text in layout.good)
        told |= {"quality": having[0].quality, "good": tuple(good)}
    return TagFiles.model_validate(told)


def _full_tag(layout: _Layout, *, by_header: bool) -> str:
    if by_header or layout.tag is None:
        return layout.values[0]
    return str(layout.table.stripped(layout.tag).iloc[0])


def _path_pattern(layouts: list[_Layout], label: str, machine: str) -> Pattern:
    """Where the tag stands in the names of the files, and the machine in them or in folders."""
    stems = [stem(layout.path) for layout in layouts]
    if len(set(stems)) == len(stems):
        return pattern_of(_known(layouts, stems), label, machine)
    paths = [named_path(layout.path, "/") for layout in layouts]
    return pattern_of(_known(layouts, paths), label, machine)


def _machine_in_path(layouts: list[_Layout], tags: list[str], machine: str) -> str:
    """Where the machine stands in the path, as the tag stands elsewhere."""
    folders = {layout.path.absolute().parent for layout in layouts}
    if len(folders) > 1:
        return f"{{{machine}}}/*"
    paths = [stem(layout.path) for layout in layouts]
    for before in (f"{{{machine}}}_*", f"{{{machine}}}-*", f"*_{{{machine}}}", f"*-{{{machine}}}"):
        found = [matched(before, path) for path in paths]
        if all(found) and _tell_apart([str(one[machine]) for one in found if one], tags):
            return before
    return "*"


def _tell_apart(machines: list[str], tags: list[str]) -> bool:
    pairs = set(zip(machines, tags, strict=True))
    return len(pairs) == len(tags) and len(set(machines)) < len(tags)


def _known(layouts: list[_Layout], names: list[str]) -> list[Named]:
    """Names with what is known of the readings of each."""
    return [_named(layout, name) for layout, name in zip(layouts, names, strict=True)]


def _named(layout: _Layout, name: str) -> Named:
    table, value = layout.table, layout.values[0]
    try:
        numbers = table.numbers(value).to_numpy()
        seconds = table.times(str(layout.time)).seconds.to_numpy()
    except DataError:
        return Named(name, np.nan, np.nan, np.nan)
    size = np.abs(numbers[np.isfinite(numbers)])
    level = float(np.log10(np.median(size) + 1e-6)) if len(size) else np.nan
    known = seconds[np.isfinite(seconds)]
    ends = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
    return Named(name, level, *ends)
