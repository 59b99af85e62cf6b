"""Transfer methods.

To add one: a file here, a line in ``STRATEGIES``, and its name in ``config.StrategyName``, which
forms show; a common suite tests it.

A learner of the stack (``learners/``) becomes a strategy by one line with :class:`OneLearner`.
"""

from __future__ import annotations

from faultxfer.bundle.input_map import TARGET
from faultxfer.config import STRATEGY_OPTIONS, TransferOptions
from faultxfer.errors import ConfigError
from faultxfer.strategies.alone import OneLearner
from faultxfer.strategies.feature_reuse import FeatureReuse
from faultxfer.strategies.fine_tune import FineTune
from faultxfer.strategies.learners.heads import AdaptedInput, WideHead
from faultxfer.strategies.learners.instances import ReweightedBoosting, TrAdaBoost, by_least_squares
from faultxfer.strategies.learners.pooled_head import PooledHead
from faultxfer.strategies.learners.rivals import PooledBoosting, PooledLinear, SourceThroughMap
from faultxfer.strategies.linear_probe_fine_tune import LinearProbeFineTune
from faultxfer.strategies.protocol import Strategy
from faultxfer.strategies.single_network import SingleNetwork
from faultxfer.strategies.stack import StackedLearners

STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        StackedLearners(),
        OneLearner(
            "recalibrate",
            "source network, recalibrated",
            lambda name: SourceThroughMap("network", name),
        ),
        FeatureReuse(),
        OneLearner("wide_head", "head on features, sensors and source logit", WideHead),
        OneLearner(
            "input_adapter", "gain and offset of each sensor", lambda name: AdaptedInput(name, 1.0)
        ),
        FineTune(),
        LinearProbeFineTune(),
        OneLearner(
            "instance_weighting",
            "boosting on re-weighted source rows",
            ReweightedBoosting,
            source_rows=True,
        ),
        OneLearner(
            "instance_weighting_ulsif",
            "boosting on re-weighted source rows (uLSIF)",
            lambda name: ReweightedBoosting(name, by_least_squares),
            source_rows=True,
        ),
        OneLearner("tradaboost", "TrAdaBoost", TrAdaBoost, source_rows=True),
        OneLearner(
            "pooled_linear",
            "pooled logistic regression",
            PooledLinear,
            scaler=TARGET,
            source_rows=True,
        ),
        OneLearner(
            "pooled_boosting", "pooled boosting", PooledBoosting, scaler=TARGET, source_rows=True
        ),
        OneLearner(
            "pooled_head",
            "pooled head on frozen features",
            PooledHead,
            scaler=TARGET,
            source_rows=True,
        ),
        SingleNetwork(),
    )
}


def chosen_strategy(options: TransferOptions) -> Strategy:
    """The strategy that the options name, which uses every option given.

    Raises:
        ConfigError: an option that it does not use differs from its default.
    """
    strategy = STRATEGIES[options.strategy]
    defaults = TransferOptions()
    for option in sorted(STRATEGY_OPTIONS - strategy.options):
        given = getattr(options, option)
        if given != getattr(defaults, option):
            raise ConfigError(
                f"The option `{option}` has no effect on the strategy `{strategy.name}`",
                received={option: given},
                remedy=f"Leave it out, or choose a strategy that uses it: {_users_of(option)}",
            )
    return strategy


def _users_of(option: str) -> str:
    users = [name for name, strategy in STRATEGIES.items() if option in strategy.options]
    return ", ".join(users)
