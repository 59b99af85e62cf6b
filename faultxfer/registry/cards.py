"""The card of a version: its page, with pictures and links to what its run keeps.

MLflow shows the same markdown on the page of a run, of its version and of its logged model. Its
pages stand behind the ``#`` of one address, so what a link or a picture names is beside that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from faultxfer.registry.store import Version

# What MLflow keeps of a page: of a run's and a logged model's tag 8000 characters, of a version's
# description 5000, and a line by the journal may come on top of that.
OF_RUN, OF_VERSION = 7_500, 4_100
# Files of a run that a card links to, beside the pictures, and what they are.
_FILES = {
    "report.html": "whole report",
    "comparison.json": "all contestants and slices",
    "data_docs/index.html": "check of the files",
    "contract.yaml": "contract",
    "gate.yaml": "rules of the gate",
}
_REST = "\n\n… The rest is in `report.md`, among the run's artifacts."
# What stands before the links: what came of it, why, and against what or what it finds.
_HEAD = 3


@dataclass(frozen=True)
class Card:
    """What a card is made of.

    Attributes:
        text: markdown that begins with what came of it.
        experiment, run_id: where the files are.
        files: the folder that is logged; None where there is none.
        source: the version that it was made from; None for a source model.
    """

    text: str
    experiment: str
    run_id: str
    files: Path | None
    source: Version | None = None


def card_of(card: Card, most: int) -> str:
    """The text with links below its head and the pictures at its end.

    Args:
        card: what it is made of.
        most: how many characters there may be; the text is cut at the end of a line.
    """
    paragraphs = card.text.split("\n\n")
    links, pictures = "\n\n".join(_links(card)), "\n\n".join(_shown(card))
    head = "\n\n".join(paragraphs[:_HEAD])[: most // 3]  # a person's reason may be long
    parts = [head, links, "\n\n".join(paragraphs[_HEAD:]), pictures]
    whole = _joined(parts)
    if len(whole) <= most:
        return whole
    room = most - len(_joined([head, links, pictures])) - len(_REST) - len("\n\n")
    rest = parts[2][: max(room, 0)].rpartition("\n")[0]
    return _joined([head, links, f"{rest.rstrip()}{_REST}", pictures])[:most]


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


def _links(card: Card) -> Iterator[str]:
    """Pictures, files and the source, each one click away."""
    pictures = [_link(card, name, _title(name)) for name in _pictures(card)]
    if pictures:
        yield f"**Pictures:** {' · '.join(pictures)}"
    files = [_link(card, name, what) for name, what in _FILES.items() if _has(card, name)]
    if files:
        yield f"**Files:** {' · '.join(files)}"
    if card.source is not None:
        name, version = card.source.name, card.source.version
        yield f"**Made from** [{name} version {version}](#/models/{quote(name)}/versions/{version})"


def _shown(card: Card) -> Iterator[str]:
    names = _pictures(card)
    if names:
        yield "## Pictures"
    for name in names:
        yield f"![{_title(name)}](get-artifact?path={quote(name)}&run_uuid={card.run_id})"


def _pictures(card: Card) -> list[str]:
    return sorted(path.name for path in card.files.glob("*.png")) if card.files else []


def _has(card: Card, name: str) -> bool:
    return card.files is not None and (card.files / name).is_file()


def _link(card: Card, name: str, what: str) -> str:
    """To MLflow's page of the run, where it shows the file."""
    return f"[{what}](#/experiments/{card.experiment}/runs/{card.run_id}/artifacts/{quote(name)})"


def _title(name: str) -> str:
    """What a picture shows, by its name.

    >>> _title("score_over_time.png")
    'score over time'
    """
    return name.removesuffix(".png").replace("_", " ")
