"""What a strategy or a rival needs, and the one check that names what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from faultxfer.bundle.frozen import FrozenSource
from faultxfer.errors import StrategyError
from faultxfer.strategies.protocol import MIN_ROWS_PER_CLASS, Requirement, Task

_OR_FINE_TUNE = "or choose `--strategy fine_tune`"


class HasNeeds(Protocol):
    """A strategy or a rival, as far as its needs go."""

    @property
    def name(self) -> str:
        """Under which it is asked for."""
        ...

    @property
    def needs(self) -> Iterable[Requirement]:
        """Without which it cannot run."""
        ...


def require(task: Task, who: HasNeeds) -> None:
    """Check everything that ``who`` needs.

    Raises:
        StrategyError: names ``who`` and the first thing that is missing.
    """
    require_all(task, who.needs, who.name)


def require_all(task: Task, needs: Iterable[Requirement], who: str) -> None:
    """Check needs on behalf of ``who``.

    Raises:
        StrategyError: names ``who`` and the first thing that is missing.
    """
    for need in needs:
        _CHECKS[need](task, who)


def require_frozen(task: Task, who: str) -> FrozenSource:
    """The source's models ready to score; its network must be an ensemble.

    Raises:
        StrategyError: it is of format 1.
    """
    frozen = task.source.frozen
    if frozen is None:
        raise StrategyError(
            f"The source model has no trees and statistics, which {who!r} needs",
            received={"models": None},
            remedy=f"Pretrain again with this release, {_OR_FINE_TUNE} without another scaler",
        )
    return frozen


def _require_rows(task: Task, who: str) -> None:
    faults = task.target.faults
    normals = len(task.target) - faults
    if min(faults, normals) < MIN_ROWS_PER_CLASS:
        raise StrategyError(
            f"There are too few training rows: {who!r} needs {MIN_ROWS_PER_CLASS} of each class",
            received={"fault rows": faults, "normal rows": normals},
            remedy="Label more rows of the rarer class, or take the strategy 'stack', which makes "
            "do with one fault",
        )


def _require_sensors(task: Task, who: str) -> None:
    source, target = task.source.features, task.target.features
    if source == target:
        return
    moved = []
    for old, new in zip(source, target, strict=False):
        if old != new and old in target:
            moved.append(old)
    missing = [name for name in source if name not in target]
    added = [name for name in target if name not in source]
    raise StrategyError(
        f"The rows do not have the source model's sensors in their order, which {who!r} needs",
        received={"missing": missing, "added": added, "moved": moved},
        remedy="Use the contract that the source model was trained with",
    )


def _require_source_rows(task: Task, who: str) -> None:
    if task.source_rows is None:
        raise StrategyError(
            f"The source model was registered without its rows, which {who!r} needs",
            received={"source_rows": None},
            remedy=f"Pretrain again with `kept_source_rows` above 0, {_OR_FINE_TUNE}",
        )


def _require_ensemble(task: Task, who: str) -> None:
    network = task.source.network
    if not network.is_ensemble:
        raise StrategyError(
            f"The source network is of an older release than {who!r} needs",
            received={"network": network.name},
            remedy=f"Pretrain again with this release, {_OR_FINE_TUNE}",
        )


_CHECKS: dict[Requirement, Callable[[Task, str], object]] = {
    Requirement.SENSORS: _require_sensors,
    Requirement.BOTH_CLASSES: _require_rows,
    Requirement.SOURCE_ROWS: _require_source_rows,
    Requirement.SOURCE_ENSEMBLE: _require_ensemble,
    Requirement.SOURCE_MODELS: require_frozen,
}
