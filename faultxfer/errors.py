"""Errors that a person can act on.

Every message follows one formula: what is wrong, ``Received: name=value``, where, and what to do.
An error that derives from :class:`UserError` means bad input or usage; the command line ends
with exit code 2 and shows the message alone.
"""

from __future__ import annotations


class FaultxferError(Exception):
    """Base of all errors raised on purpose.

    Args:
        expected: what is wrong, in one whole sentence without full stop. The name is that of the
            key in ``--json``, from when messages said what was expected instead.
        received: what came instead, by name; shown as ``name=value``.
        where: file, equipment, column or address the error belongs to.
        remedy: what the reader can do about it, one sentence.
    """

    exit_code = 1

    def __init__(
        self,
        expected: str,
        *,
        received: dict[str, object] | None = None,
        where: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.expected = expected
        self.received = dict(received or {})
        self.where = where
        self.remedy = remedy
        super().__init__(_sentence(expected, self.received, where, remedy))

    @property
    def problem(self) -> str:
        """What is wrong and where, without what to do."""
        return _sentence(self.expected, self.received, self.where, None)

    def as_dict(self) -> dict[str, object]:
        """The error as plain data, for ``--json``."""
        return {
            "type": type(self).__name__,
            "message": str(self),
            "expected": self.expected,
            "received": {name: _shown(value) for name, value in self.received.items()},
            "where": self.where,
            "remedy": self.remedy,
        }


class UserError(FaultxferError):
    """Bad input or usage: the caller can correct it."""

    exit_code = 2


class DataError(UserError):
    """The rows cannot be used for what was asked.

    Args:
        code: the finding code, where one file is at fault.
        line, column: place in that file.
        absent: sensors whose want is all that is wrong: a machine that does not have them can go
            on without.
        way_on: the whole command that goes on without them, where it is not the one that was typed.
    """

    def __init__(
        self,
        expected: str,
        *,
        received: dict[str, object] | None = None,
        where: str | None = None,
        remedy: str | None = None,
        code: str | None = None,
        line: int | None = None,
        column: str | None = None,
        absent: tuple[str, ...] = (),
        way_on: str = "",
    ) -> None:
        super().__init__(expected, received=received, where=where, remedy=remedy)
        self.code, self.line, self.column = code, line, column
        self.absent, self.way_on = absent, way_on


class ContractError(UserError):
    """The data contract itself is wrong, or the file does not fit it at all."""


class ConfigError(UserError):
    """An option or a configuration file is wrong."""


class DiskFullError(UserError):
    """There is no room for a file."""


class OutOfMemoryError(UserError):
    """The process may not have the memory that its work needs."""


class RegistryError(UserError):
    """The model registry cannot be reached, or lacks what was asked for."""


class NoVersionError(RegistryError):
    """The machine has no version that may score its rows."""


class UnreadableError(RegistryError):
    """A store or its files could not be read, which says nothing about what is in them."""


class FilesAbsentError(RegistryError):
    """Files that the registry names are not where it says."""


class ChampionMovedError(RegistryError):
    """Another promotion came first: what was decided against the old champion is void."""


class BundleError(UserError):
    """A stored bundle is damaged, foreign or does not fit the rows given to it."""


class StrategyError(UserError):
    """A strategy cannot run on the rows at hand."""


# As many columns as a table that a person looks at has; the one that was meant is among them.
_MOST_ITEMS = 24


def _shown(value: object) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [repr(item) for item in value]
        shown = ", ".join(items[:_MOST_ITEMS])
        more = len(items) - _MOST_ITEMS
        return f"[{shown}{f', … {more} more' if more > 0 else ''}]"
    return repr(value)


def _sentence(
    expected: str, received: dict[str, object], where: str | None, remedy: str | None
) -> str:
    parts = [_ended(expected)]
    if received:
        parts.append(
            "Received: "
            + ", ".join(f"{name}={_shown(value)}" for name, value in received.items())
            + "."
        )
    if where:
        parts.append(f"Where: {where}.")
    if remedy:
        parts.append(_ended(remedy))
    return " ".join(parts)


def _ended(sentence: str) -> str:
    """A sentence with its mark at the end."""
    return sentence if sentence.endswith("?") else sentence.rstrip(".") + "."
