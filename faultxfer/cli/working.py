"""A program of its own: works on watched files for a watcher, and ends with it or before."""

from __future__ import annotations

import sys
import warnings

from faultxfer import environment
from faultxfer.cli.pipelines import watching_workers
from faultxfer.landing.apart import work

_ASKED: dict[str, bool | None] = {"prefect": True, "plain": False, "named": None}


def command(prefect: bool | None) -> list[str]:
    """How the program is called.

    Args:
        prefect: as for :func:`faultxfer.cli.pipelines.run_pipeline`.
    """
    asked = next(word for word, value in _ASKED.items() if value is prefect)
    return [sys.executable, "-m", "faultxfer.cli.working", asked]


def main(asked: str) -> None:
    """Work until nobody asks any more."""
    environment.prepare_command()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # other libraries' advice to programmers
    work(watching_workers(_ASKED[asked]))


if __name__ == "__main__":
    main(sys.argv[1])
