"""Transfer methods. To add one: a file here, a line in ``STRATEGIES``; the common suite then tests it."""

from __future__ import annotations

from faultxfer.errors import ConfigError
from faultxfer.strategies.feature_reuse import FeatureReuse
from faultxfer.strategies.fine_tune import FineTune
from faultxfer.strategies.protocol import Strategy
from faultxfer.strategies.single_network import SingleNetwork
from faultxfer.strategies.stack import StackedCandidates

STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        StackedCandidates(),
        FineTune(),
        FeatureReuse(),
        SingleNetwork(),
    )
}


def get_strategy(name: str) -> Strategy:
    """The strategy of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in STRATEGIES:
        raise ConfigError(
            f"One of the strategies {', '.join(STRATEGIES)} was expected",
            received={"strategy": name},
            remedy="Choose one of these with --strategy",
        )
    return STRATEGIES[name]
