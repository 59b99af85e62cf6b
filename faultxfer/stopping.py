"""Signals that end a command: of Ctrl-C, a service manager, a closed terminal or a worker."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import ClassVar, Self

# SIGHUP is not known everywhere.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
# A second signal does not break off the cleaning up that the first one began, for as long as a
# container's engine waits before it kills.
_CLEANING_SECONDS = 10.0
# Unless a person insists.
_INSISTING = 3


class Stopped(KeyboardInterrupt):  # what Ctrl-C raises is called no error either
    """A signal asked the command to end. Whoever cleans up after Ctrl-C cleans up after this.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Stopping:
    """While it is entered, signals raise :class:`Stopped` in the main thread.

    A signal that was ignored before stays ignored: ``nohup`` ignores SIGHUP, a shell's background
    job SIGINT.

    Attributes:
        number: of the first signal; None before there was one.
    """

    active: ClassVar[Stopping | None] = None

    def __init__(self) -> None:
        self.number: int | None = None
        self._since = 0.0
        self._interrupts = 0
        self._before: dict[int, signal._HANDLER] = {}
        self._outer: Stopping | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self.heed(number)
        self._outer, Stopping.active = Stopping.active, self
        return self

    def __exit__(self, *_: object) -> None:
        Stopping.active = self._outer
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def heed(self, number: int) -> None:
        """Let a signal stop the command, also where it was ignored before."""
        before = signal.signal(number, self._on_signal)
        self._before.setdefault(number, before)

    def heed_again(self) -> dict[int, signal._HANDLER]:
        """Put the handlers back where a library has put its own since; returns those."""
        return {number: signal.signal(number, self._on_signal) for number in self._before}

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        self._interrupts += number == signal.SIGINT
        cleaning = self.number is not None and now - self._since < _CLEANING_SECONDS
        if cleaning and self._interrupts < _INSISTING:
            return
        self._since = now
        if self.number is None:
            self.number = number
        raise Stopped(number)


@contextmanager
def heeded() -> Iterator[None]:
    """In a flow run, handle signals as the command does and not as Prefect does.

    Prefect's handler raises at every signal, also in the middle of cleaning up. It ends a run that
    is interrupted by an exception as it ends one that is interrupted by its own. Where no command
    runs the flow, but a worker, nothing is changed: the worker tells a cancelled run from a crashed
    one by Prefect's handler.
    """
    stopping = Stopping.active
    if stopping is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    others = stopping.heed_again()
    yield
    # Only where the run was not stopped: until Prefect has written how the run ended, a second
    # signal waits.
    for number, handler in others.items():
        signal.signal(number, handler)
