"""Options of the pipeline, checked on entry. Prefect turns the same models into forms."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from faultxfer.digest import digest_of
from faultxfer.errors import ConfigError
from faultxfer.metric_table import METRICS, OPERATOR_ALARMS_PER_DAY, ROW_METRICS
from faultxfer.model_problems import questions
from faultxfer.plain_yaml import parse_yaml
from faultxfer.spelling import did_you_mean, told

Model = TypeVar("Model", bound=BaseModel)

# At least a tenth of the runs stays for training.
MOST_HELD_OUT = 0.9


# Ways to bring a new machine's readings to the source's scale; `faultxfer.bundle.input_map` fits
# them.
Scaling = Literal["source", "target", "normal", "offset", "blend"]
# Options that some strategies use and others do not; a test compares them with the strategies.
STRATEGY_OPTIONS = frozenset({"input_map", "trainable_layers", "learning_rate", "pull"})
# The names in faultxfer/strategies/__init__.py, for forms and help; a test compares them.
StrategyName = Literal[
    "stack",
    "recalibrate",
    "feature_reuse",
    "wide_head",
    "input_adapter",
    "fine_tune",
    "linear_probe_fine_tune",
    "instance_weighting",
    "instance_weighting_ulsif",
    "tradaboost",
    "pooled_linear",
    "pooled_boosting",
    "pooled_head",
    "single_network",
]


# Who makes a candidate champion that passes the gate.
Policy = Literal["managed", "manual"]
# Options of the gate that say who approves.
_OF_APPROVAL = ("policy", "self_approval", "approval_days")
_NEVER = object()


def _title(name: str, _: object) -> str:
    """A field's name as the form shows it.

    >>> _title("min_test_faults", None)
    'Min test faults'
    """
    return name.replace("_", " ").capitalize()


class FormerNames(BaseModel):
    """A model whose fields can be given by the names of an earlier release too."""

    # Names that release 0.1.0 had for fields, and what they are now; they work until 0.4.0.
    former_names: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _by_their_present_names(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        twice = sorted(name for name, now in cls.former_names.items() if {name, now} <= set(given))
        if twice:
            raise ValueError(f"`{twice[0]}` is the former name of `{cls.former_names[twice[0]]}`")
        return {cls.former_names.get(name, name): value for name, value in given.items()}


class _Options(FormerNames):
    # A bound of NaN or infinity would be passed by anything.
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        field_title_generator=_title,
        defer_build=True,
    )


class NetworkOptions(_Options):
    """Shape and training of the source network."""

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(128, 64, 32), min_length=1, description="Units of a member's layers."
    )
    members: int = Field(default=4, ge=1, description="Members, which are averaged.")
    bins: int = Field(
        default=32, ge=0, description="Quantile bins that each sensor is encoded by; 0 for none."
    )
    dropout: float = Field(
        default=0.1, ge=0, lt=1, description="Share of units dropped while training."
    )
    teacher_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the source's trees in the labels that the network learns from.",
    )
    synthetic_rows: int = Field(
        default=40_000, ge=0, description="Rows made near the source's, labelled by its trees."
    )
    learning_rate: float = Field(
        default=2e-3,
        gt=0,
        description="Length of each training step, decayed to zero over the epochs (AdamW).",
    )
    weight_decay: float = Field(
        default=0.05,
        ge=0,
        description="How strongly weights are pulled towards zero while training (AdamW).",
    )
    batch_size: int = Field(default=512, ge=1, description="Rows in a gradient step.")
    epochs: int = Field(
        default=24, ge=1, description="Most epochs; held-out source runs stop training earlier."
    )
    patience: int = Field(
        default=6, ge=1, description="Epochs without a better validation loss before stopping."
    )


class PretrainOptions(_Options):
    """Options of ``pretrain``."""

    former_names: ClassVar[dict[str, str]] = {"alarm_rate": "false_alarm_rate"}

    network: NetworkOptions = Field(
        default=NetworkOptions(), description="Shape and training of the network."
    )
    validation_share: float = Field(
        default=0.2, gt=0, lt=0.5, description="Share of source runs that stops training."
    )
    test_share: float = Field(
        default=0.2, gt=0, lt=0.5, description="Share of source runs that judges the model."
    )
    false_alarm_rate: float = Field(
        default=0.05, gt=0, lt=1, description="False-alarm rate that the alarm threshold aims at."
    )
    kept_source_rows: int = Field(
        default=20_000, ge=0, description="Source rows stored for the pooled rivals."
    )
    sensor_dropout: float = Field(
        default=0.4,
        ge=0,
        lt=1,
        description="Largest share of sensors that a second network learns to do without, for "
        "machines that lack some; 0 trains none.",
    )
    seed: int = Field(default=0, ge=0, description="Same data and seed, same weights.")


class SplitOptions(_Options):
    """When a hold-out is honest, and how cross-fitting is done otherwise."""

    calibration_share: float = Field(
        default=0.2, gt=0, lt=0.5, description="Share of runs that calibrates."
    )
    test_share: float = Field(default=0.4, gt=0, lt=0.8, description="Share of runs that judges.")
    min_test_faults: int = Field(
        default=20, ge=1, description="Fault rows a hold-out's test side needs."
    )
    min_calibration_faults: int = Field(
        default=10, ge=1, description="Fault rows the calibration side needs."
    )
    min_normals: int = Field(
        default=50, ge=1, description="Normal rows that each of these sides needs."
    )
    min_test_runs: int = Field(
        default=3, ge=1, description="Runs that a hold-out's test side needs."
    )
    folds: int = Field(default=5, ge=2, description="Folds of cross-fitting.")
    gap: int = Field(default=2, ge=0, description="Rows left out on both sides of a time block.")

    @model_validator(mode="after")
    def _rows_left_to_train_on(self) -> SplitOptions:
        taken = self.calibration_share + self.test_share
        if taken > MOST_HELD_OUT:
            raise ValueError(
                f"calibration_share and test_share may take {MOST_HELD_OUT:g} together. "
                f"Received: {taken:g}"
            )
        return self


class Limit(_Options):
    """A bound on one metric."""

    min: float | None = Field(default=None, description="Lowest value allowed.")
    max: float | None = Field(default=None, description="Highest value allowed.")
    proof: Literal["estimate", "interval", "breach", "warning"] | None = Field(
        default=None,
        description="What must keep the bound; `interval` under `change` and `slices` if left "
        "out, else `estimate`, as "
        "always for a metric that has no interval. `breach`, under `value` alone, refuses where "
        "the whole interval breaks the bound, and asks for nothing where the rows do not show it; "
        "`warning` warns there and never refuses.",
    )

    @model_validator(mode="after")
    def _can_be_kept(self) -> Limit:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                f"`min` is above `max`, so nothing can pass. Received: min={self.min:g}, "
                f"max={self.max:g}"
            )
        return self

    @property
    def bounds(self) -> bool:
        """Whether it asks for anything."""
        return self.min is not None or self.max is not None

    @property
    def by_breach(self) -> bool:
        """Whether it takes rows that show the bound broken, to refuse or to warn."""
        return self.proof in ("breach", "warning")

    @property
    def only_warns(self) -> bool:
        """Whether it never refuses."""
        return self.proof == "warning"


class GateOptions(_Options):
    """Rules of the evaluation gate; a gate without value thresholds refuses.

    ``value`` bounds a metric of the candidate; ``change`` bounds candidate minus champion on the
    same rows, and ``slices`` the same in every supported part of them; ``rival`` bounds candidate
    minus best rival and only warns unless ``rival_refuses``; ``forgetting`` bounds candidate minus
    source model on the source's rows.
    """

    family: str | None = Field(
        default=None, description="Equipment family the rules are for; others are refused."
    )
    version: str = Field(
        default="", description="Your own name for this state of the rules, for the report."
    )
    value: dict[str, Limit] = Field(
        default={
            "pr_auc": Limit(min=0.5),
            "recall": Limit(min=0.5),
            "false_alarm_rate": Limit(max=0.1),
            "false_alarms_per_day": Limit(max=OPERATOR_ALARMS_PER_DAY, proof="breach"),
        },
        description="Bounds on the candidate's own metrics; without any the gate refuses.",
    )
    change: dict[str, Limit] = Field(
        default={
            "roc_auc": Limit(min=0.0, proof="interval"),
            "pr_auc": Limit(min=0.0, proof="estimate"),
            "recall": Limit(min=-0.05, proof="estimate"),
            "false_alarm_rate": Limit(max=0.02, proof="estimate"),
        },
        description="Bounds on candidate minus champion on the same rows.",
    )
    slices: dict[str, Limit] = Field(
        default={"roc_auc": Limit(min=-0.05)},
        description="Bounds on candidate minus champion in every supported slice of the rows.",
    )
    slice_min_faults: int = Field(
        default=20, ge=1, description="Fault rows that a slice needs to be judged."
    )
    slice_min_runs: int = Field(
        default=5, ge=2, description="Runs with faults that a slice needs to be judged."
    )
    rival: dict[str, Limit] = Field(
        default={"pr_auc": Limit(min=-0.01)}, description="Bounds on candidate minus best rival."
    )
    rival_refuses: bool = Field(
        default=False, description="Whether a better rival refuses instead of warning."
    )
    forgetting: dict[str, Limit] = Field(
        default={}, description="Bounds on candidate minus source model on kept source rows."
    )
    max_megabytes: float | None = Field(default=200.0, gt=0, description="Largest bundle on disk.")
    max_milliseconds: float | None = Field(
        default=None, gt=0, description="Longest time to score 1000 rows."
    )
    first: Literal["promote", "approve"] = Field(
        default="promote",
        description="A machine's first model: promote it if it passes, or ask a person.",
    )
    policy: Policy = Field(
        default="managed",
        description="Who promotes: `managed`, the gate; `manual`, a person, for whom everything "
        "that passes waits.",
    )
    self_approval: bool = Field(
        default=False,
        description="Whether who started a transfer may approve what came of it.",
    )
    approval_days: float = Field(
        default=14.0, gt=0, le=3650, description="Days after which a version waits no more."
    )
    tie: float = Field(
        default=0.02, gt=0, description="A difference that is surely smaller than this is a tie."
    )
    confidence: float = Field(
        default=0.95, ge=0.8, lt=1, description="With which each bound of an interval holds."
    )
    min_faults: int = Field(
        default=5, ge=1, description="Fault rows without which nothing can be judged."
    )
    min_normals: int = Field(
        default=10, ge=1, description="Normal rows without which nothing can be judged."
    )

    def are_enough(self, faults: int, normals: int) -> bool:
        """Whether so many rows of each class can be judged by."""
        return faults >= self.min_faults and normals >= self.min_normals

    @field_validator("value", "change", "slices", "rival", "forgetting")
    @classmethod
    def _known_metrics(cls, limits: dict[str, Limit], info: ValidationInfo) -> dict[str, Limit]:
        known = tuple(METRICS) if info.field_name == "value" else ROW_METRICS
        unknown = sorted(set(limits) - set(known))
        if unknown:
            problem = f"metrics are {', '.join(known)}. Received: {', '.join(unknown)}"
            raise ValueError(told(problem, did_you_mean(unknown[0], known)))
        return limits

    @field_validator("value", "change", "slices", "rival", "forgetting")
    @classmethod
    def _proof_there_is(cls, limits: dict[str, Limit], info: ValidationInfo) -> dict[str, Limit]:
        """Without an interval nothing can be shown by one.

        Slices are judged by intervals alone.
        """
        bounded = {
            name: limit
            for name, limit in limits.items()
            if not METRICS[name].interval and limit.bounds
        }
        if info.field_name == "slices" and bounded:
            raise ValueError(
                "slices are judged by intervals, and these metrics have none. "
                f"Received: {', '.join(sorted(bounded))}"
            )
        by_its_interval = ("interval", "breach", "warning")
        odd = sorted(name for name, limit in bounded.items() if limit.proof in by_its_interval)
        if odd:
            raise ValueError(
                f"metrics without an interval need `proof: estimate`. Received: {', '.join(odd)}"
            )
        by_estimate = {
            name: limit.model_copy(update={"proof": "estimate"}) for name, limit in bounded.items()
        }
        return {**limits, **by_estimate} if info.field_name == "change" else limits

    @field_validator("change", "slices", "rival", "forgetting")
    @classmethod
    def _only_a_value_warns(cls, limits: dict[str, Limit]) -> dict[str, Limit]:
        odd = sorted(name for name, limit in limits.items() if limit.by_breach)
        if odd:
            raise ValueError(
                "`proof: breach` and `proof: warning` are possible under `value` alone. "
                f"Received: {', '.join(odd)}"
            )
        return limits

    @field_validator("value")
    @classmethod
    def _inside_the_metrics_range(cls, limits: dict[str, Limit]) -> dict[str, Limit]:
        """A bound that every metric keeps is no threshold, and one that none can keep is a slip."""
        for name, limit in limits.items():
            most = METRICS[name].most
            odd = [
                f"{side}={bound:g}"
                for side, bound in (("min", limit.min), ("max", limit.max))
                if bound is not None and not 0 <= bound <= most
            ]
            if odd:
                span = "0 or more" if math.isinf(most) else "from 0 to 1"
                raise ValueError(
                    f"{name} is {span}, and a bound lies outside. Received: {', '.join(odd)}"
                )
        return limits

    @field_validator("rival")
    @classmethod
    def _distance_to_the_best(cls, limits: dict[str, Limit]) -> dict[str, Limit]:
        odd = sorted(
            name
            for name, limit in limits.items()
            if METRICS[name].lower_is_better or limit.max is not None
        )
        if odd:
            raise ValueError(
                f"rivals are bounded by `min` on a metric where higher is better. Received: {odd}"
            )
        return limits

    def said(self) -> dict[str, Any]:
        """Plain data; without who approves, where the file leaves that out, as in older releases.

        So the same rules keep their digest.
        """
        defaults = {name: GateOptions.model_fields[name].default for name in _OF_APPROVAL}
        plain = self.model_dump(mode="json")
        return {key: value for key, value in plain.items() if value != defaults.get(key, _NEVER)}

    def digest(self) -> str:
        """SHA-256 (hex) of what the rules say; layout and comments of the file do not count."""
        return digest_of(self.said())


class TransferOptions(_Options):
    """Options of ``transfer``."""

    former_names: ClassVar[dict[str, str]] = {
        "alarm_rate": "false_alarm_rate",
        "scaler": "input_map",
    }

    strategy: StrategyName = Field(
        default="stack",
        description="Transfer method: `stack` averages transfer and simpler methods; "
        "`docs/strategies.md` says what the others do.",
    )
    trainable_layers: int | None = Field(
        default=None,
        ge=1,
        description="Last layers that are fine-tuned; the strategy's own number if unset.",
    )
    input_map: Scaling | None = Field(
        default=None,
        description="Whose statistics scale the machine's readings; the strategy's own choice if "
        "unset.",
    )
    pull: float | None = Field(
        default=None,
        ge=0,
        description="How strongly fine-tuned weights are held near the source's; 0 is not at all, "
        "the strategy's own if unset.",
    )
    learning_rate: float = Field(
        default=5e-4,
        gt=0,
        description="Length of each step of fine-tuning; smaller than the source network's own.",
    )
    steps: int = Field(default=200, ge=1, description="Fewest gradient steps of fine-tuning.")
    epochs: int = Field(
        default=20, ge=1, description="Fewest passes over the training rows of fine-tuning."
    )
    batch_size: int = Field(default=64, ge=1, description="Rows in a gradient step.")
    false_alarm_rate: float = Field(
        default=0.05, gt=0, lt=1, description="False-alarm rate that the alarm threshold aims at."
    )
    alarm_confidence: float | None = Field(
        default=None,
        gt=0.5,
        lt=1,
        description="Promise `false_alarm_rate`, or `false_alarms_per_day` where that is given, at "
        "this confidence, or refuse.",
    )
    fault_share: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Fault share in use, where it differs from that of the labelled rows.",
    )
    false_alarms_per_day: float | None = Field(
        default=None,
        gt=0,
        description="Most false alarms a day that threshold and delays aim at; the gate's limit "
        "for the delays alone if unset.",
    )
    split: SplitOptions = Field(
        default=SplitOptions(), description="When to hold out and how to cross-fit."
    )
    gate: GateOptions = Field(
        default=GateOptions(), description="Thresholds that decide on a promotion."
    )
    seed: int = Field(default=0, ge=0, description="Same data and seed, same weights.")

    @property
    def rate_confidence(self) -> float | None:
        """Of the promised rate; None where none is promised, or false alarms a day in its place."""
        return self.alarm_confidence if self.false_alarms_per_day is None else None

    @property
    def most_false_alarms_per_day(self) -> float | None:
        """What alarms aim at: what was asked for, or the gate's own limit."""
        if self.false_alarms_per_day is not None:
            return self.false_alarms_per_day
        limit = self.gate.value.get("false_alarms_per_day")
        return None if limit is None else limit.max


class CurveOptions(_Options):
    """Options of ``learning-curve``."""

    counts: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        default=None,
        description="Labelled rows to draw; six from 25 up to what the rows allow, 800 at most, "
        "if unset.",
    )
    repeats: int = Field(
        default=5, ge=2, description="Draws, each with other runs held out to judge."
    )
    test_share: float = Field(default=0.33, gt=0, lt=0.8, description="Share of runs that judges.")
    more: int = Field(default=100, ge=1, description="Further labelled rows to be asked about.")
    seed: int = Field(default=0, ge=0, description="Same data and seed, same curve.")


def load_options(model: type[Model], path: Path | str) -> Model:
    """Read options of type ``model`` from a YAML file.

    Raises:
        ConfigError: the file is missing, not YAML, or has an unknown or impossible field.
    """
    try:
        content = parse_yaml(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            "This YAML file cannot be read",
            received={"file": str(path), "problem": " ".join(str(error).split())[:200]},
            remedy="Check the path and the file's indentation",
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            "This YAML file holds no settings",
            received={"file": str(path), "content": content},
            remedy="Write a setting, or leave the file out to use the defaults",
        )
    return parse_options(model, content, where=str(path))


def read_options(model: type[Model], path: Path | str | None, **given: Any) -> Model:
    """Options from a file, if one is named, with the values given on top (None is not given).

    Raises:
        ConfigError: see :func:`load_options`.
    """
    base = load_options(model, path).model_dump() if path else {}
    former: dict[str, str] = getattr(model, "former_names", {})
    asked = {name: value for name, value in given.items() if value is not None}
    for name in asked.keys() & former.keys():
        if former[name] in asked:
            raise ConfigError(
                "One option is given under both of its names, the former and the present one",
                received={name: asked[name], former[name]: asked[former[name]]},
                remedy=f"Leave `{name}` out",
            )
    named = {former.get(name, name): value for name, value in asked.items()}
    return parse_options(model, base | named, where=str(path or "options given"))


def parse_options(model: type[Model], content: Any, where: str) -> Model:
    """Check plain data against ``model``.

    Raises:
        ConfigError: names the first five problems and the allowed fields.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        asked = questions(error, model)
        problems = [
            told(f"{'.'.join(str(p) for p in item['loc'])}: {item['msg']}", question)
            for item, question in zip(error.errors(), asked, strict=True)
        ]
        raise ConfigError(
            "These are no options that can be used; possible are "
            f"{', '.join(sorted(model.model_fields))}",
            received={"problems": problems[:5]},
            where=where,
            remedy='See `docs/configuration.md`, for a gate file `docs/gate.md` under "Setting '
            'your own thresholds"',
        ) from error
