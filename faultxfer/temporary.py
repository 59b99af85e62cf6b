"""Temporary folders that name their process, so that those of killed ones can be removed."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from faultxfer.errors import ConfigError, DiskFullError
from faultxfer.process import is_gone, this_process

_PREFIX = "faultxfer-"
# What lies in such a folder: who works in it, and beside that what the user of the folder sees. A
# model is known by the hashes of all files in its folder, so the owner does not lie among them.
_OWNER, _FILES = "owner", "files"
_OWNER_BYTES = 4096
# A folder without an owner was made by an older release, or its process was killed in between.
_WITHOUT_OWNER = timedelta(days=1)
# Of a process in another container, or before the last restart, nobody here can be asked.
_OF_ELSEWHERE = timedelta(days=7)
_NAME = re.compile(r"faultxfer-([a-z]+-)?[a-z0-9_]{8}")
# What release 0.1.0 put into its temporary folders, which had no owner: the files of a run, or
# those of a model.
_OF_OLDER_RELEASES = re.compile(
    r"accepted\.arrow|bundle|champion|data_docs|detector|judgement-\d+|predictions\.npz|report|rows"
    r"|source|model|MLmodel|data|conda\.yaml|python_env\.yaml|requirements\.txt"
    r"|(serving_)?input_example\.json|registered_model_meta"
)


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """An empty folder for this process; gone afterwards, or removed by the doctor.

    Args:
        purpose: one word of small letters, for the folder's name.

    Raises:
        DiskFullError: there is no room for it.
    """
    try:
        # What cannot be removed now, the doctor removes later: no reason to fail work that is done.
        outer = tempfile.TemporaryDirectory(
            prefix=f"{_PREFIX}{purpose}-", ignore_cleanup_errors=True
        )
    except OSError as error:
        raise _as_full(error) from error
    with outer:
        try:
            Path(outer.name, _OWNER).write_text(this_process(), encoding="utf-8")
            folder = Path(outer.name, _FILES)
            folder.mkdir()
        except OSError as error:
            raise _as_full(error) from error
        yield folder


def _as_full(error: OSError) -> Exception:
    return full(error) if no_room(error) else error


def full(error: Exception) -> DiskFullError:
    """The error for files that found no room."""
    return DiskFullError(
        "There is no room for temporary files",
        received={"problem": " ".join(str(error).split())[:300]},
        remedy="Free some space, or name another folder in the environment variable TMPDIR, and "
        "run it again",
    )


def no_room(error: Exception) -> bool:
    """Whether an error says that a disk is full."""
    numbers = (errno.ENOSPC, errno.EDQUOT)
    # HDF5 says so in words alone, and `tempfile` that it found no folder to write to.
    words = ("No space left on device", "No usable temporary directory")
    return getattr(error, "errno", None) in numbers or any(word in str(error) for word in words)


def dead_folders() -> Iterator[tuple[Path, Callable[[], None]]]:
    """Temporary folders of this user whose process is gone, each with what removes it.

    Only folders in the place for temporary files (``TMPDIR``) that were made by
    :func:`temporary_folder`, or by release 0.1.0. Those of living processes and of other users are
    not among them.
    """
    for path in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
        if _is_dead(path):
            yield path, partial(_remove, path)


def _remove(path: Path) -> None:
    if not _is_dead(path):
        return
    try:
        shutil.rmtree(path)
    except FileNotFoundError:  # somebody else removed it meanwhile
        return
    except OSError as error:
        raise ConfigError(
            "A temporary folder of a process that is gone cannot be removed",
            received={"problem": error.strerror or str(error)},
            where=str(path),
            remedy="Remove it by hand",
        ) from error


def _is_dead(path: Path) -> bool:
    try:
        if not _is_own(path):
            return False
        process = _process_of(path)
        changed = _last_change(path)
    except OSError:  # gone meanwhile, or not ours to look at
        return False
    if process is not None:
        return is_gone(process, changed, _OF_ELSEWHERE)
    return datetime.now(UTC) - changed > _WITHOUT_OWNER and _is_of_older_releases(path)


def _is_own(path: Path) -> bool:
    """A folder that only this user may enter, as ``tempfile`` makes them; no link to one."""
    found = path.lstat()
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    return private and found.st_uid == os.getuid() and _NAME.fullmatch(path.name) is not None


def _process_of(path: Path) -> str | None:
    """What the owner file holds; None where there is none."""
    file = path / _OWNER
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > _OWNER_BYTES:
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    # Empty where the disk was full, or the process killed, while it was written.
    return text or None


def _last_change(path: Path) -> datetime:
    """When anything in a folder changed last: work that takes days goes on changing it."""
    times = [path.lstat().st_mtime]
    for folder, _, files in os.walk(path):
        times += [Path(folder, name).lstat().st_mtime for name in files]
    return datetime.fromtimestamp(max(times), UTC)


def _is_of_older_releases(path: Path) -> bool:
    """Whether a folder without owner holds only what faultxfer makes, and nothing of a person's."""
    return all(_OF_OLDER_RELEASES.fullmatch(item.name) for item in path.iterdir())
