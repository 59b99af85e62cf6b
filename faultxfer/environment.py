"""Environment settings that libraries read when they are loaded; what the user has set stays.

Set by the modules that load those libraries, so that the command line, a worker and a notebook
behave alike.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Prefect, MLflow and Great Expectations report nothing to their makers.
_NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
}

# No start-up banner, and one order of summation, so that the same data and seed give the same
# weights everywhere.
_TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}

# Linear algebra of some hundred sensors: a second thread of it saves nothing, and where another
# program has the second processor, the two wait for each other some thirty times as long as the
# work takes. One thread also adds up in one order, whatever the machine.
_LINEAR_ALGEBRA = {"OPENBLAS_NUM_THREADS": "1"}

# Prefect's temporary server needs 10 to 30 s on a busy machine; its own limit of 20 s is too short.
# Its console handler would show a traceback for every bad file; the flow run keeps it, and the
# command line says one sentence.
_PREFECT_IN_A_COMMAND = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_CLI_PROMPT": "false",
}


def switch_telemetry_off() -> None:
    """Before Prefect, MLflow or Great Expectations is imported."""
    _set(_NO_TELEMETRY)


def prepare_linear_algebra() -> None:
    """Before NumPy is imported."""
    _set(_LINEAR_ALGEBRA)


@contextmanager
def one_thread_of_linear_algebra() -> Iterator[None]:
    """While threads of ours have all processors; for notebooks and workers that loaded NumPy."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield


def prepare_tensorflow() -> None:
    """Before TensorFlow is imported."""
    _set(_TENSORFLOW)


def prepare_command() -> None:
    """Before a command imports anything heavy."""
    _set(_NO_TELEMETRY | _TENSORFLOW | _LINEAR_ALGEBRA | _PREFECT_IN_A_COMMAND)


def _set(settings: dict[str, str]) -> None:
    for name, value in settings.items():
        os.environ.setdefault(name, value)
