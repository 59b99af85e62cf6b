"""What a kind of member has to say of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from faultxfer.bundle.frozen import Views

if TYPE_CHECKING:
    from faultxfer.bundle.graph.views import GraphViews
    from faultxfer.bundle.members import Member


@dataclass(frozen=True)
class Kind:
    """How members of one kind score.

    Attributes:
        score: (n,) uncalibrated logits of a member, for rows.
        export: the same as an (n, 1) float64 value of an ONNX graph; None where nobody has written
            that, so that detectors with such a member have no graph. Raises ``NoConverterError``
            for a member of which something cannot be written.
    """

    score: Callable[[Member, Views], np.ndarray]
    export: Callable[[Member, GraphViews], str] | None = None
