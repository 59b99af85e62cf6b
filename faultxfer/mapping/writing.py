"""The draft of a machine's entry under ``equipment``, with the evidence beside each line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from faultxfer.drafting.draft import quoted
from faultxfer.mapping.alike import AlikeSensors
from faultxfer.mapping.checking import Question
from faultxfer.mapping.proposing import Proposal, Proposals, written_as

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+")
_LEVEL = "  "


def write_entry(
    machine: str, proposals: Proposals, questions: Sequence[Question], head: Iterable[str]
) -> str:
    """YAML that can be taken into a contract.

    Sensors that nobody can tell apart stand in it as comments: a person has to settle them.

    Args:
        machine: its name.
        proposals: for each sensor.
        questions: in which an entry that the contract has does not seem right.
        head: what is to be said first, a line each.
    """
    lines = [f"# {line}" for line in head]
    lines += ["#", "# What the contract says now, and what does not fit:"] if questions else []
    lines += [f"#   {question.text}." for question in questions]
    fields = [*_aliases(proposals), *_units(proposals), *_scales(proposals), *_lacks(proposals)]
    nothing = all(line.lstrip().startswith("#") for line in fields)
    lines += ["equipment:", f"{_LEVEL}{_scalar(machine)}:{' {}' if nothing else ''}"]
    lines += [_LEVEL * 2 + line for line in fields]
    if proposals.new:
        lines += [
            "",
            "# Columns that no sensor of the contract was found for (new on this machine):",
        ]
        lines += [f"#   {_scalar(tag)}" for tag in proposals.new]
    return "\n".join(lines) + "\n"


def _aliases(proposals: Proposals) -> list[str]:
    """Tags of sensors that are sure, then as comments those that a person has to look at."""
    lines = []
    for one in proposals.sensors:
        if one.sure and one.tag != one.sensor:
            lines += [f"{_LEVEL}{_scalar(str(one.tag))}: {_scalar(one.sensor)}", *_evidence(one)]
    for group in proposals.alike:
        lines += _to_settle(group, proposals)
    for one in proposals.sensors:
        if one.doubt and one.alike is None:
            lines += _doubtful(one)
    return _field("aliases", lines)


def _evidence(proposal: Proposal) -> list[str]:
    return [f"{_LEVEL * 2}# {told}" for told in proposal.evidence]


def _to_settle(group: AlikeSensors, proposals: Proposals) -> list[str]:
    """A group as comments: the person takes the mark away from the right lines."""
    names = ", ".join(map(_scalar, group.sensors))
    tags = ", ".join(map(_scalar, group.tags))
    of = "which of " if len(group.sensors) > 1 else ""
    lines = [
        f"{_LEVEL}# Indistinguishable: nothing shows which of {tags}",
        f"{_LEVEL}# is {of}{names}. Settle it, and take the # away:",
    ]
    for sensor in group.sensors:
        proposal = proposals.of(sensor)
        if proposal.tag:
            lines.append(f"{_LEVEL}# {_scalar(proposal.tag)}: {_scalar(sensor)}")
            lines += [f"{_LEVEL}#   {told}" for told in proposal.evidence]
    return lines


def _doubtful(proposal: Proposal) -> list[str]:
    """A proposal that should not be taken over unread, as a comment."""
    return [
        f"{_LEVEL}# {proposal.doubt}:",
        f"{_LEVEL}# {_scalar(str(proposal.tag))}: {_scalar(proposal.sensor)}",
        *[f"{_LEVEL}#   {told}" for told in proposal.evidence],
    ]


def _units(proposals: Proposals) -> list[str]:
    lines = []
    for one in _mapped(proposals):
        if one.writing.unit:
            line = f"{_LEVEL}{_scalar(one.sensor)}: {_scalar(one.writing.unit)}"
            lines.append(_if_open(line, one))
    return _field("units", lines)


def _scales(proposals: Proposals) -> list[str]:
    lines = []
    for one in _mapped(proposals):
        if one.writing.scale != 1.0:
            line = f"{_LEVEL}{_scalar(one.sensor)}: {{factor: {one.writing.scale:g}}}"
            lines.append(_if_open(f"{line}  # readings fit {written_as(one.writing)}", one))
    return _field("scale", lines)


def _mapped(proposals: Proposals) -> list[Proposal]:
    return [one for one in proposals.sensors if one.tag is not None]


def _if_open(line: str, proposal: Proposal) -> str:
    """As a comment where the sensor's column is to be settled."""
    return line if proposal.sure else f"{_LEVEL}# {line.strip()}"


def _lacks(proposals: Proposals) -> list[str]:
    if not proposals.missing:
        return []
    names = ", ".join(map(_scalar, proposals.missing))
    line = f"lacks: [{names}]  # no column looks like these"
    compared = proposals.matching.ranges is not None
    return [line if compared and _mapped(proposals) else f"# {line}"]


def _field(name: str, lines: list[str]) -> list[str]:
    """A field with its lines; all of them comments where none is sure."""
    if not lines:
        return []
    if all(line.lstrip().startswith("#") for line in lines):
        return [f"# {name}:", *lines]
    return [f"{name}:", *lines]


def _scalar(text: str) -> str:
    """A name as YAML: in quotes unless it is plainly a word of several parts."""
    return text if _PLAIN.fullmatch(text) else quoted(text)
