"""Lines of a text: where they are, what number they have, whether a cell spans two of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BLOCK = 1 << 24
_QUOTE, _LINE_END = ord('"'), ord("\n")


def plain_lines(text: bytes, separator: int) -> bool:
    """Whether every quote opens or closes a cell and no cell spans lines.

    Then Arrow reads what the csv module does.
    """
    if b'"' not in text:
        return True
    text = text.replace(b'""', b"")
    edges = (separator, _LINE_END)
    parity, before = 0, _LINE_END
    for start, block in _blocks(text):
        quotes = np.flatnonzero(block == _QUOTE)
        behind = text[start + len(block)] if start + len(block) < len(text) else _LINE_END
        padded = np.concatenate(([before], block, [behind]))
        opening, closing = quotes[parity::2], quotes[1 - parity :: 2]
        # Opening quotes stand behind an edge of a cell, closing ones before it.
        if not (
            np.isin(padded[opening], edges).all() and np.isin(padded[closing + 2], edges).all()
        ):
            return False
        ends = np.flatnonzero(block == _LINE_END)
        open_quotes = np.searchsorted(quotes, ends) + parity
        if (open_quotes % 2).any():
            return False
        parity, before = (parity + len(quotes)) % 2, int(block[-1])
    return parity == 0


def _blocks(text: bytes) -> Iterator[tuple[int, np.ndarray]]:
    """Where each block begins, and its bytes; a look at each byte takes a byte more."""
    for start in range(0, len(text), _BLOCK):
        length = min(_BLOCK, len(text) - start)
        yield start, np.frombuffer(text, np.uint8, length, start)


def some_lines(text: bytes, blocks: int = 20, size: int = 1 << 13) -> bytes:
    """The first lines, and whole lines from all over a long text.

    A line that is longer than a block is taken whole:

    >>> long = b"0" * 90 + bytes([10])
    >>> some_lines(long * 50, blocks=4, size=20) == long * 3
    True
    """
    if len(text) <= blocks * size:
        return text
    picked = []
    for start in np.linspace(0, len(text) - size, blocks).astype(int):
        begin = text.find(b"\n", start) + 1 if start else 0
        if start and not begin:  # the last line began before, and has no end
            continue
        end = text.rfind(b"\n", begin, start + size) + 1
        if not end:
            end = text.find(b"\n", begin) + 1 or len(text)
        picked.append(text[begin:end])
    return b"".join(picked)


def line_numbers(text: bytes, filled: int = -1) -> np.ndarray:
    """(m,) numbers of the lines that are not empty, for texts without line breaks in cells.

    >>> line_numbers(b"flow,fault" + bytes([10, 10]) + b"1,0")
    array([1, 3])

    Args:
        text: the text.
        filled: how many lines are not empty, where that is known.
    """
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    if lines == filled:
        return np.arange(1, filled + 1)
    return np.flatnonzero(np.diff(line_bounds(text)) > 1) + 1


def line_bounds(text: bytes) -> np.ndarray:
    """(lines + 1,) where each line ends, with -1 in front of them, before the first line."""
    bounds = [np.array([-1])]
    for start, block in _blocks(text):
        bounds.append(np.flatnonzero(block == _LINE_END) + start)
    if not text.endswith(b"\n"):
        bounds.append(np.array([len(text)]))
    return np.concatenate(bounds)
