"""Programs beside Python that some tests need, and what happens where one is absent."""

from __future__ import annotations

import os

import pytest


def skip_without(program: str, reason: str) -> None:
    """Skip the test for a program that is absent; fail it where `FAULTXFER_REQUIRE` names it.

    `.ci/run` names what it installs, so that a skipped test never passes for one that ran.
    """
    if program in os.environ.get("FAULTXFER_REQUIRE", "").split(","):
        pytest.fail(f"{reason} `FAULTXFER_REQUIRE` names {program}: this test must not be skipped.")
    pytest.skip(reason)
