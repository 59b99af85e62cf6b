"""Accept drafted limits: take the marks out of a contract's text, and leave the rest as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from faultxfer.contract.schema import Contract, Sensor, load_contract, parse_contract
from faultxfer.errors import ConfigError, ContractError
from faultxfer.outputs import written_whole
from faultxfer.plain_yaml import parse_yaml
from faultxfer.spelling import asking

_MARK = "drafted"


class _Span(NamedTuple):
    """From the first character to the one after the last."""

    start: int
    end: int


def accept_limits(path: Path, sensors: list[str]) -> dict[str, Any]:
    """Take ``drafted: true`` from sensors of a contract file, all of them if none is named.

    Comments, order and spelling of the file stay.

    Args:
        path: the contract.
        sensors: names of sensors.

    Returns:
        By ``accepted``, ``before`` (accepted earlier) and ``left`` (still drafted) names of
        sensors, and by ``limits`` those of the accepted ones.

    Raises:
        ContractError: the file cannot be read, is no contract, or its marks cannot be taken out.
        ConfigError: a sensor is unknown, or the file cannot be written.
    """
    contract = load_contract(path)
    _require_known(sensors, contract, path)
    drafted = [name for name, sensor in contract.sensors.items() if sensor.drafted]
    accepted = [name for name in drafted if not sensors or name in sensors]
    if accepted:
        # Bytes, so that line ends stay as they are.
        text = path.read_bytes().decode("utf-8")
        _write(_without_marks(text, accepted, contract, path), path)
    return {
        "out": str(path),
        "accepted": accepted,
        "limits": {name: _limits(contract.sensors[name]) for name in accepted},
        "before": [name for name in dict.fromkeys(sensors) if name not in drafted],
        "left": [name for name in drafted if name not in accepted],
    }


def _require_known(sensors: list[str], contract: Contract, path: Path) -> None:
    for name in sensors:
        if name not in contract.sensors:
            raise ConfigError(
                "The contract has no sensor of this name",
                received={"sensor": name, "sensors": list(contract.sensors)},
                where=str(path),
                remedy=asking(
                    name,
                    contract.sensors,
                    f"`faultxfer contract accept {path}` without names accepts all",
                ),
            )


def _limits(sensor: Sensor) -> dict[str, Any]:
    named = ("min", "max", "max_rate", "stuck_after")
    limits = {name: getattr(sensor, name) for name in named}
    given = {name: value for name, value in limits.items() if value is not None}
    return {**given, "on_breach": sensor.on_breach}


def _without_marks(text: str, sensors: list[str], contract: Contract, path: Path) -> str:
    """The contract's text without the marks of these sensors.

    Raises:
        ContractError: YAML's references and the like leave no single place to take a mark from.
    """
    for span in sorted(_marks(text, sensors), reverse=True):
        text = text[: span.start] + text[span.end :]
    try:
        changed = parse_contract(parse_yaml(text), where=str(path))
    except (yaml.YAMLError, ContractError):
        changed = None
    if changed is None or changed.digest() != _accepted(contract, sensors).digest():
        raise ContractError(
            "The marks cannot be taken out of this file without changing something else",
            received={"sensors": sensors},
            where=str(path),
            remedy="Delete `drafted: true` at these sensors by hand",
        )
    return text


def _accepted(contract: Contract, sensors: list[str]) -> Contract:
    """The contract with these limits accepted."""
    changed = {name: contract.sensors[name].model_copy(update={_MARK: False}) for name in sensors}
    return contract.model_copy(update={"sensors": contract.sensors | changed})


def _marks(text: str, sensors: list[str]) -> Iterator[_Span]:
    """Where the marks of these sensors stand in the text, with what parts them from others."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for name, sensor in _entries(_value(root, "sensors")):
        if name.value not in sensors:
            continue
        around = _in_braces if text[sensor.start_mark.index] == "{" else _on_lines
        for key, value in _entries(sensor):
            if key.value == _MARK:
                yield around(text, _Span(key.start_mark.index, value.end_mark.index))


def _entries(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _entries(node) if key.value == name), None)


def _in_braces(text: str, mark: _Span) -> _Span:
    """With the comma in front of it; the first one with the comma and the spaces behind it."""
    before = text[: mark.start].rstrip()
    if before.endswith(","):
        return _Span(len(before) - 1, mark.end)
    behind = text[mark.end :]
    if not behind.lstrip().startswith(","):
        return mark
    after = behind.lstrip()[1:].lstrip(" ")
    return _Span(mark.start, len(text) - len(after))


def _on_lines(text: str, mark: _Span) -> _Span:
    """The whole line, with its comment."""
    start = text.rfind("\n", 0, mark.start) + 1
    end = text.find("\n", mark.end) + 1
    return _Span(start, end or len(text))


def _write(text: str, path: Path) -> None:
    """Whole or not at all; a link keeps leading to the file."""
    real = path.resolve()
    with written_whole("contract", real) as part:
        part.write_bytes(text.encode("utf-8"))
        part.chmod(real.stat().st_mode)
