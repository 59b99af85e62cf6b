"""The source as a machine sees it that lacks some of the source's sensors, or has new ones.

Models are refitted on the sensors that both have, from the source rows that were kept; beside them
stays the source as it was, with what is lacking guessed from the rest; the network gets the guess
as a part of its first layer. Measured: refitting on the common sensors keeps most of what a random
fifth of the sensors is worth, and neither it nor guessing is always the better one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.frozen import SourceModels, WindowModels
from faultxfer.bundle.imputer import Imputer, fit_imputer
from faultxfer.bundle.input_map import Spread
from faultxfer.bundle.scaler import Scaler
from faultxfer.bundle.whole_source import WholeSource
from faultxfer.data.dataset import Dataset
from faultxfer.data.windows import widened
from faultxfer.errors import StrategyError
from faultxfer.network.arrays import ArrayNetwork
from faultxfer.network.narrow import Guess, narrowed_network
from faultxfer.strategies.ranking_score import ranking_score
from faultxfer.strategies.source_benefit import fit_source_models

# Where the lineage of a bundle says how the machine's sensors differ from its source's.
SENSOR_CHANGE = "sensor_change"
# How the source network does without a sensor.
GUESSED = "the same one, with guesses"
LEARNT_AND_GUESSED = "one trained with sensor dropout, with guesses"
LEARNT = "one trained with sensor dropout"


@dataclass(frozen=True)
class SensorChange:
    """How a machine's sensors differ from the source's.

    Attributes:
        source: the source's sensors.
        common: sensors that both have, in the source's order.
        missing: the source's that the machine lacks, in the source's order.
        new: the machine's that the source lacks, in the contract's order.
    """

    source: tuple[str, ...]
    common: tuple[str, ...]
    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    @property
    def places(self) -> np.ndarray:
        """(c,) positions of the common sensors among the source's."""
        return np.array([self.source.index(name) for name in self.common], dtype=int)

    @property
    def features(self) -> tuple[str, ...]:
        """The machine's sensors in the order of everything that is fitted on them."""
        return self.common + self.new

    @property
    def differs(self) -> bool:
        """Whether there is any difference."""
        return bool(self.missing or self.new)


def sensors_between(source: tuple[str, ...], machine: tuple[str, ...]) -> SensorChange:
    """What two lists of sensors have in common.

    >>> change = sensors_between(("flow", "head"), ("head", "hum"))
    >>> change.common, change.missing, change.new
    (('head',), ('flow',), ('hum',))
    """
    return SensorChange(
        source=source,
        common=tuple(name for name in source if name in machine),
        missing=tuple(name for name in source if name not in machine),
        new=tuple(name for name in machine if name not in source),
    )


@dataclass(frozen=True)
class Kept:
    """What a source model left behind beside its bundle; None where an older release kept none.

    Attributes:
        rows: rows that it was fitted on.
        judging: rows that judged it.
        spare: its network, trained on to do without some sensors.
    """

    rows: Dataset | None
    judging: Dataset | None = None
    spare: ArrayNetwork | None = None


def narrowed(
    source: Bundle,
    kept: Kept,
    change: SensorChange,
    units: dict[str, str],
    seed: int,
    *,
    guess: bool = True,
) -> Bundle:
    """The source bundle for a machine's sensors; itself where they are the source's.

    Args:
        source: the source bundle.
        kept: rows of the source, with its sensors, and its second network.
        change: how the machine's sensors differ.
        units: of the machine's sensors, by name.
        seed: of what is refitted.
        guess: whether the stack may look at the source with guesses of what is lacking; nothing is
            worth guessing where that carried the source.

    Raises:
        StrategyError: the source model is of an older release that keeps too little for that.
    """
    if not change.differs:
        return source
    own = {name: source.units.get(name, units.get(name, "")) for name in change.features}
    if not change.missing:
        return dataclasses.replace(source, features=change.features, units=own, references=None)
    common = change.places
    whole = _whole(source, kept.rows, common)
    network, how = _network(source, kept, whole)
    scaler = Scaler(source.scaler.mean[common], source.scaler.scale[common])
    return dataclasses.replace(
        source,
        features=change.features,
        units=own,
        scaler=scaler,
        network=network,
        models=_refitted(whole, _models(source), kept.rows, seed, guess=guess),
        lineage={**source.lineage, SENSOR_CHANGE: {"network": how}},
        imputer=None,
        references=None,
    )


def _models(source: Bundle) -> SourceModels:
    if source.models is None or not source.network.is_ensemble:
        raise StrategyError(
            "The source model is of an older release, from which no sensor may be missing",
            received={"network": source.network.name, "models": source.models is not None},
            remedy="Pretrain again with this release",
        )
    return source.models


def _whole(source: Bundle, rows: Dataset | None, common: np.ndarray) -> WholeSource:
    models = _models(source)
    return WholeSource(
        features=source.features,
        common=common,
        imputer=_imputer(source, rows),
        spread=models.spread,
        trees=models.trees,
        linear=models.linear,
    )


def _imputer(source: Bundle, rows: Dataset | None) -> Imputer:
    if source.imputer is not None:
        return source.imputer
    if rows is None:
        raise StrategyError(
            "The source model keeps nothing by which a missing sensor could be guessed",
            received={"source_rows": None, "imputer": None},
            remedy="Pretrain again with this release",
        )
    return fit_imputer(rows.X)


def _network(source: Bundle, kept: Kept, whole: WholeSource) -> tuple[ArrayNetwork, str]:
    """The network that loses least on source runs left out, and how it does without the sensors.

    Where no such runs are kept, the source's own with guesses.
    """
    guess = Guess(whole.common, whole.lacking, *whole.guessing())
    usual = dataclasses.replace(
        guess, weights=0 * guess.weights, offset=whole.spread.center[whole.lacking]
    )
    ways = [(GUESSED, source.network, guess)]
    judging = kept.judging
    if kept.spare is not None and judging is not None and 0 < judging.faults < len(judging):
        ways += [(LEARNT_AND_GUESSED, kept.spare, guess), (LEARNT, kept.spare, usual)]
    made = []
    for how, network, instead in ways:
        narrow = narrowed_network(network, source.scaler.mean, source.scaler.scale, instead)
        made.append((_rank(source, narrow, whole, judging), narrow, how))
    _, network, how = max(made, key=lambda one: one[0])
    return network, how


def _rank(
    source: Bundle, network: ArrayNetwork, whole: WholeSource, judging: Dataset | None
) -> float:
    """Mean of PR-AUC and ROC-AUC on rows that judged the source; 0 where there are none."""
    if judging is None or judging.faults in (0, len(judging)):
        return 0.0
    common = whole.common
    scaler = Scaler(source.scaler.mean[common], source.scaler.scale[common])
    said = network.logits(scaler(judging.X[:, common]))
    return ranking_score(judging.y, said)


def _refitted(
    whole: WholeSource, models: SourceModels, rows: Dataset | None, seed: int, *, guess: bool
) -> SourceModels:
    """Models of the common sensors; those of all, guessed, where no source rows are kept."""
    common = whole.common
    spread, normal = (
        Spread(one.center[common], one.scale[common]) for one in (models.spread, models.normal)
    )
    if rows is None:
        return dataclasses.replace(
            models, spread=spread, normal=normal, trees="", whole=whole, over_windows=None
        )
    fitted = fit_source_models(rows.X[:, common], rows.y, seed, spread)
    over = models.over_windows and _over_windows(models.over_windows, rows, common, seed)
    return dataclasses.replace(
        fitted, normal=normal, whole=whole if guess else None, over_windows=over
    )


def _over_windows(
    over: WindowModels, rows: Dataset, common: np.ndarray, seed: int
) -> WindowModels | None:
    """Models that read windows of the sensors that both have; None where no windows are kept."""
    if rows.windows is None:
        return None
    own = rows.windows.of(common.tolist())
    models = fit_source_models(widened(rows.X[:, common], own.values), rows.y, seed)
    return dataclasses.replace(over, windows=own.windows, models=models)
