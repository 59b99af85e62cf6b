"""Run one command: progress on a terminal, JSON for programs, one sentence for errors."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from faultxfer import environment
from faultxfer.errors import FaultxferError, UnreadableError
from faultxfer.following import Next
from faultxfer.progress import NOTE
from faultxfer.stopping import Stopping

DONE, INTERNAL, BAD_INPUT, NOT_CHECKED, REFUSED = 0, 1, 2, 3, 10
# Added to the signal's number, as shells do: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
_SIGNALLED = 128

# Of the shapes in docs/json.md; it rises when a key changes its meaning or goes.
SCHEMA_VERSION = 1
# Whose answer is printed; empty where what was typed named no command.
answering: ContextVar[str] = ContextVar("answering", default="")

Result = TypeVar("Result")
AfterError = Callable[[BaseException], Next | None]

# In a pipe there is no terminal to take the width from; 80 columns would cut the tables.
_PIPE_WIDTH = 140


def _nothing(_: BaseException) -> Next | None:
    return None


def stdout() -> Console:
    """Console for results."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


def stderr() -> Console:
    """Console for progress and errors."""
    return Console(stderr=True, width=None if sys.stderr.isatty() else _PIPE_WIDTH, highlight=False)


def run_command(
    work: Callable[[], Result],
    *,
    json_output: bool,
    render: Callable[[Result], None] | None,
    as_data: Callable[[Result], Any] = lambda _: None,
    banner: Callable[[Result], str] = lambda _: "",
    exit_code: Callable[[Result], int] = lambda _: DONE,
    unreadable: int = BAD_INPUT,
    spinner: bool = True,
    after_error: AfterError = _nothing,
) -> NoReturn:
    """Do ``work``, show its result, and leave with the right exit code.

    Args:
        work: does everything; what it prints goes to stderr.
        json_output: print ``as_data(result)`` as one JSON object instead of rendering.
        render: shows the result to a person; None where ``work`` has shown it already, to programs
            as well.
        as_data: the result as plain data.
        banner: what nobody may overlook about the result: on stderr, for programs as well.
        exit_code: of the result.
        unreadable: exit code where the registry or its files could not be read.
        spinner: whether a terminal shows the steps; not where ``work`` asks something.
        after_error: what to type after an error; None where there is nothing.
    """
    environment.prepare_command()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # other libraries' advice to programmers
    with Stopping() as stopping:
        try:
            with contextlib.redirect_stdout(sys.stderr), _progress(spinner):
                result = work()
            _show_banner(banner(result))
            data = as_data(result) if json_output else {}
            if render is not None and not json_output:
                render(result)
        except (typer.Exit, typer.Abort):
            raise
        except BaseException as error:
            _end(error, stopping.number, unreadable, after_error, json_output=json_output)
    if render is not None and json_output:
        print_json(data or {})  # no signal adds a second object to this one
    raise typer.Exit(exit_code(result))


def _show_banner(text: str) -> None:
    if text:
        stderr().print(f"[bold black on yellow] ATTENTION [/] {escape(text)}", soft_wrap=True)


def _end(
    error: BaseException,
    signalled: int | None,
    unreadable: int,
    after_error: AfterError,
    *,
    json_output: bool,
) -> NoReturn:
    """Say in one sentence why the work ended before its end.

    After a signal that is why, whatever cleaning up raised: a terminal that was closed cannot even
    be written to.
    """
    if signalled is not None or isinstance(error, KeyboardInterrupt):
        _stopped(signalled or signal.SIGINT, json_output=json_output)
    if isinstance(error, FaultxferError):
        code = unreadable if isinstance(error, UnreadableError) else error.exit_code
        then = after_error(error)
        fail(error.as_dict(), str(error), code, json_output=json_output, then=then)
    if not isinstance(error, Exception):
        raise error
    log = _keep_traceback()
    kind = type(error).__name__
    message = f"Something went wrong inside faultxfer ({kind}: {error}). Details: {log}"
    said = {"type": kind, "message": message}
    fail(said, message, INTERNAL, json_output=json_output, then=after_error(error))


def _stopped(number: int, *, json_output: bool) -> NoReturn:
    code = _SIGNALLED + number
    message = "Stopped."
    said = {"type": "Interrupted", "message": message, "signal": signal.Signals(number).name}
    try:
        fail(said, message, code, json_output=json_output)
    except OSError as error:  # nobody is there to read it
        raise typer.Exit(code) from error


def print_json(data: dict[str, Any]) -> None:
    """One JSON object on stdout, which says of what shape it is."""
    sys.stdout.write(as_json(data) + "\n")


def as_json(data: dict[str, Any]) -> str:
    """An answer in one line, which says of what shape it is."""
    shape = {"schema_version": SCHEMA_VERSION, "command": answering.get()}
    return json.dumps({**shape, **data}, ensure_ascii=False)


def fail(
    error: dict[str, Any],
    message: str,
    code: int,
    *,
    json_output: bool,
    then: Next | None = None,
) -> NoReturn:
    """Say what went wrong, once, and what to type then, and leave."""
    if json_output:
        next_one = {"next": then.as_dict()} if then else {}
        print_json({"outcome": "error", "error": error, "exit_code": code, **next_one})
    else:
        console = stderr()
        console.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True)
        if then is not None:
            console.print(f"Next: {then.why}:", markup=False, soft_wrap=True)
            console.print(f"  {then.command}", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _keep_traceback() -> str:
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="faultxfer-error-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            traceback.print_exc(file=file)
            return file.name
    except OSError as error:  # a full disk may be what went wrong
        return f"could not be kept ({error.strerror or error})"


@contextlib.contextmanager
def _progress(spinner: bool) -> Iterator[None]:
    """Show the pipeline's progress log on a terminal; in a pipe, warnings alone."""
    logger = logging.getLogger("faultxfer.progress")
    console = stderr()
    if not console.is_terminal or not spinner:
        warned = _Warnings(console)
        logger.addHandler(warned)
        try:
            yield
        finally:
            logger.removeHandler(warned)
        return
    logger.setLevel(logging.INFO)
    with console.status("Starting …") as status:
        handler = _Steps(console, status)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            handler.finish()


class _Warnings(logging.Handler):
    """What somebody should know before the result is there."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        self.console.print(f"[yellow]Note:[/] {escape(record.getMessage())}", soft_wrap=True)


class _Steps(logging.Handler):
    """The current step beside a spinner, finished steps above it with their seconds."""

    def __init__(self, console: Console, status: Status) -> None:
        super().__init__(logging.INFO)
        self.console, self.status = console, status
        self.current: str | None = None
        self.since = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        self.finish()
        if hasattr(record, next(iter(NOTE))):
            self.console.print(f"  {escape(record.getMessage())}")
            return
        self.current, self.since = record.getMessage(), time.monotonic()
        self.status.update(f"{escape(self.current)} …")

    def finish(self) -> None:
        if self.current is not None:
            self.console.print(
                f"[green]✓[/] {escape(self.current)} [dim]{time.monotonic() - self.since:.1f} s[/]"
            )
            self.current = None
