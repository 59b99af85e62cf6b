"""Lines of a text: where they are, what number they have, whether a cell spans two of them."""

from __future__ import annotations

import numpy as np

_BLOCK = 1 << 24


def plain_lines(text: bytes, separator: int) -> bool:
    """Whether every quote opens or closes a cell and no cell spans lines: then Arrow reads what the csv module does."""
    if b'"' not in text:
        return True
    text = text.replace(b'""', b"")
    parity, before = 0, ord("\n")
    for start in range(0, len(text), _BLOCK):
        codes = np.frombuffer(
            text, dtype=np.uint8, count=min(_BLOCK + 1, len(text) - start), offset=start
        )
        block = codes[:_BLOCK]
        quotes = np.flatnonzero(block == ord('"'))
        if not _at_edges(codes, quotes, parity, before, (separator, ord("\n"))):
            return False
        ends = np.flatnonzero(block == ord("\n"))
        if ((np.searchsorted(quotes, ends) + parity) % 2).any():
            return False
        parity, before = (parity + len(quotes)) % 2, int(block[-1])
    return parity == 0


def _at_edges(
    codes: np.ndarray, quotes: np.ndarray, parity: int, before: int, edges: tuple[int, int]
) -> bool:
    """Whether opening quotes stand behind an edge of a cell and closing ones before it."""
    padded = np.concatenate(([before], codes, [ord("\n")]))
    opening, closing = quotes[parity::2], quotes[1 - parity :: 2]
    return bool(np.isin(padded[opening], edges).all() and np.isin(padded[closing + 2], edges).all())


def some_lines(text: bytes, blocks: int = 20, size: int = 1 << 13) -> bytes:
    """The first lines, and whole lines from all over a long text."""
    if len(text) <= blocks * size:
        return text
    picked = []
    for start in np.linspace(0, len(text) - size, blocks).astype(int):
        begin = text.find(b"\n", start) + 1 if start else 0
        picked.append(text[begin : text.rfind(b"\n", begin, start + size) + 1])
    return b"".join(picked)


def line_numbers(text: bytes, filled: int = -1) -> np.ndarray:
    """Numbers of the lines that are not empty; ``filled`` is how many there are, where that is known.

    For texts without line breaks in cells.
    """
    if text.count(b"\n") + (not text.endswith(b"\n")) == filled:
        return np.arange(1, filled + 1)
    return np.flatnonzero(np.diff(line_bounds(text)) > 1) + 1


def line_bounds(text: bytes) -> np.ndarray:
    """Where each line ends, the one before the first included; in blocks, as the look at each byte takes another."""
    starts = range(0, len(text), _BLOCK)
    blocks = [
        np.frombuffer(text, np.uint8, min(_BLOCK, len(text) - start), start) for start in starts
    ]
    ends = [
        np.flatnonzero(block == ord("\n")) + start
        for start, block in zip(starts, blocks, strict=True)
    ]
    last = [] if text.endswith(b"\n") else [len(text)]
    return np.concatenate([np.array([-1]), *ends, np.array(last, dtype=int)])
