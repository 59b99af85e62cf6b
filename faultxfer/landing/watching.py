"""Watch a folder: look, take each new file once, and look again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from faultxfer.landing.events import Event, Watched
from faultxfer.landing.ledger import sole_watcher
from faultxfer.landing.looking import Look
from faultxfer.landing.workers import PLAINLY, Workers
from faultxfer.requests import WatchRequest

Tell = Callable[[Event], None]


def watch(
    request: WatchRequest, workers: Workers = PLAINLY, tell: Tell = lambda _: None
) -> Watched:
    """Score each file that arrives with its machine's version, once; transfer what is labelled.

    Args:
        request: which folder, for which family.
        workers: who scores and transfers.
        tell: is told of each file as soon as something came of it.

    Raises:
        ConfigError: there is no such folder, another process watches it, or the contract cannot be
            read.
    """
    said: list[Event] = []
    for event in _events(request, workers):
        said.append(event)
        tell(event)
    return Watched(str(request.landing), tuple(said))


def _events(request: WatchRequest, workers: Workers) -> Iterator[Event]:
    look = Look(request, workers)
    with sole_watcher(request.landing):
        look.begin()
        if request.minutes == 0:
            yield from _once(look, request.settle)
            return
        end = time.monotonic() + 60 * request.minutes
        while time.monotonic() < end:
            yield from look.at_folder()
            time.sleep(request.every)


def _once(look: Look, settle: float) -> Iterator[Event]:
    """Two looks, as one does not show whether somebody still writes."""
    yield from look.at_folder()
    if look.unfinished:
        time.sleep(settle)
        yield from look.at_folder()
    for arrival in look.unfinished:
        message = "Somebody is still writing to it; the next look takes it when it is whole."
        yield Event("unfinished", arrival.name, message)
