"""A full disk is one sentence with what to do; any other error stays what it is."""

from __future__ import annotations

import errno
import tempfile
from typing import NoReturn

import pytest
import typer

from faultxfer.cli.session import run_command
from faultxfer.errors import DiskFullError
from faultxfer.outputs import workspace

FULL = {
    "as the system says it": OSError(errno.ENOSPC, "No space left on device"),
    "a quota": OSError(errno.EDQUOT, "Disk quota exceeded"),
    "as HDF5 says it": RuntimeError(
        "Unable to flush (errno = 28, error message = 'No space left on device')"
    ),
    "not even a folder": FileNotFoundError(
        errno.ENOENT, "No usable temporary directory found in ['/tmp']"
    ),
}


@pytest.mark.parametrize("said", FULL)
def test_a_step_that_finds_no_room_says_what_to_do(said: str) -> None:
    with pytest.raises(DiskFullError, match=r"Received: problem=.*TMPDIR"), workspace():
        raise FULL[said]


def test_no_room_for_the_folder_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> NoReturn:
        raise FULL["not even a folder"]

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    with pytest.raises(DiskFullError), workspace():
        pass


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "No such file"), ValueError("wrong")]
)
def test_other_errors_are_not_taken_for_a_full_disk(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, workspace():
        raise error
    assert raised.value is error


def test_an_internal_error_is_said_where_its_details_find_no_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise FULL["as the system says it"]

    def work() -> NoReturn:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    with pytest.raises(typer.Exit) as left:
        run_command(work, json_output=False, render=None)
    assert left.value.exit_code == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in said
    assert "could not be kept (No space left on device)" in said
