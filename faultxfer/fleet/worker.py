"""The program of a local worker: do what comes through a pipe, until it is closed."""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from faultxfer import environment
from faultxfer.fleet.local import REGISTERS
from faultxfer.fleet.tasks import do, get_ready
from faultxfer.stopping import Stopping


def main(number: int, role: str) -> None:
    """Work until nobody asks any more, or this is stopped.

    Args:
        number: of the pipe's end, which this process inherited.
        role: :data:`~faultxfer.fleet.local.REGISTERS` of the one that registers.
    """
    environment.prepare_command()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # other libraries' advice to programmers
    connection: Connection[Any, Any] = Connection(number)
    with suppress(KeyboardInterrupt, EOFError, BrokenPipeError), Stopping():
        if role == REGISTERS:
            get_ready()
        while True:
            connection.send(do(connection.recv()))
