"""Give a stored bundle its graph, or say why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.bundle import Bundle, load_bundle, read_golden, seal
from faultxfer.bundle.golden import ROWS
from faultxfer.bundle.graph.check import Agreement, Session, compared, probing_rows, probing_windows
from faultxfer.bundle.graph.detector import graph_of
from faultxfer.bundle.manifest import GRAPH, GRAPH_FILE, read_content

_MOST_CHARACTERS, _SEED = 300, 0


@dataclass(frozen=True)
class Graph:
    """A graph that scores as its bundle does.

    Attributes:
        content: bytes of the ONNX file.
        agreement: what comparing it with the bundle found.
    """

    content: bytes
    agreement: Agreement


@dataclass(frozen=True)
class NoGraph:
    """Why there is none; the bundle scores all the same."""

    reason: str


def made_graph(bundle: Bundle, known: np.ndarray, about: dict[str, str]) -> Graph | NoGraph:
    """The graph of a bundle, compared with it.

    Args:
        bundle: the detector.
        known: (k, d) usual readings, as its golden rows.
        about: what else the file is to say of itself.
    """
    try:
        content = graph_of(bundle, about)
        session = Session(content)
        agreement = compared(session, bundle, probing_rows(bundle, known))
        if looking_back := probing_windows(bundle, known):
            agreement = agreement.and_also(compared(session, bundle, *looking_back))
    # A graph is a second way to score: for want of it no bundle is lost, whatever went wrong.
    except Exception as error:
        return NoGraph(f"{error}"[:_MOST_CHARACTERS] or type(error).__name__)
    return Graph(content, agreement)


def add_graph(folder: Path, about: dict[str, str]) -> Graph | NoGraph:
    """Write the graph of a stored bundle beside its other files, and its hash into the manifest.

    The manifest says why where there is none. Only before a bundle is registered: it changes files.

    Args:
        folder: of the bundle.
        about: what else the file is to say of itself, by name.

    Raises:
        BundleError: this is not a whole bundle.
    """
    made = graph_for(folder, about)
    content = read_content(folder)
    (folder / GRAPH_FILE).unlink(missing_ok=True)  # of a registration that was not finished
    if isinstance(made, Graph):
        (folder / GRAPH_FILE).write_bytes(made.content)
    content[GRAPH] = noted(made)
    seal(content, folder)
    return made


def graph_for(folder: Path, about: dict[str, str]) -> Graph | NoGraph:
    """The graph of a stored bundle, without writing anything.

    Raises:
        BundleError: this is not a whole bundle.
    """
    bundle, golden = load_bundle(folder), read_golden(folder)
    if golden is None:  # of a release that kept no rows: as the scaling stage has seen them
        noise = np.random.default_rng(_SEED).standard_normal((ROWS, len(bundle.features)))
        return made_graph(bundle, bundle.scaler.mean + noise * bundle.scaler.scale, about)
    return made_graph(bundle, golden.X, about)


def noted(made: Graph | NoGraph) -> dict[str, Any]:
    """What a manifest says of a graph."""
    if isinstance(made, NoGraph):
        return {"none": made.reason}
    found = made.agreement
    return {
        "bytes": len(made.content),
        "rows": found.rows,
        "largest_difference": found.largest_difference,
        "ties": found.ties,
    }
