"""The data contract: one YAML file per equipment family."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from faultxfer.contract import codes
from faultxfer.contract.fault_log import LEFT_OUT, NOBODY_KNOWS, FaultLog
from faultxfer.contract.spans import SomeSpan, seconds_of
from faultxfer.contract.units import conversion
from faultxfer.errors import ContractError
from faultxfer.findings import Consequence, Severity
from faultxfer.model_problems import questions
from faultxfer.plain_yaml import parse_yaml
from faultxfer.reading import columns
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.long_form import GOOD, Long
from faultxfer.reading.tag_files import TagFiles
from faultxfer.spelling import did_you_mean, told

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Fields that came after the first contracts were signed with their digest.
_LATER_CSV = ("skip", "units_row", "rows_below", "time_parts", "repeated_hour")


class _Strict(BaseModel):
    # A limit of NaN or infinity would be no limit.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _is_unknown(value: object) -> bool:
    """Whether a blank label means what it means by itself, and is no part of the digest."""
    return value == "unknown"


def _is_nothing(value: object) -> bool:
    """Whether a field is left out of the plain data of a contract, and so of its digest.

    Fields that were added later must not change the digest of contracts without them.
    """
    return not value


class Quality(_Strict):
    """Which column says what the readings of a sensor are worth."""

    column: str = Field(description="Column of the quality; it is no input.")
    good: tuple[str, ...] = Field(
        default=GOOD, min_length=1, description="Spellings of a quality that counts, in quotes."
    )


class Sensor(_Strict):
    """One sensor column, in engineering units."""

    unit: str = Field(
        default="", description="Engineering unit that the model works in, such as bar or degC."
    )
    dtype: Literal["number", "whole", "bool"] = Field(
        default="number",
        description="`whole` for counters and states: fractions break the rule. "
        "`bool` for yes and no, on and off.",
    )
    min: float | None = Field(default=None, description="Lowest physically possible value.")
    max: float | None = Field(default=None, description="Highest physically possible value.")
    max_missing: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Largest share of missing values before the file is refused.",
    )
    max_rate: float | None = Field(
        default=None,
        gt=0,
        description="Largest believable change per second (per row where there is no time).",
    )
    stuck_after: int | None = Field(
        default=None,
        ge=2,
        description="Rows of one run with the same value after which the sensor counts as stuck.",
    )
    on_breach: Consequence = Field(
        default="quarantine", description="What happens to a row outside min and max."
    )
    drafted: bool = Field(
        default=False,
        description="Whether the limits were drafted from data and nobody has accepted them: "
        "readings outside them are told and no more.",
        exclude_if=_is_nothing,
    )
    keep: str = Field(
        default="",
        description="Why the column is a sensor though it looks like a leak or a counter; "
        "the rules of columns leave it alone.",
    )
    quality: Quality | None = Field(
        default=None, description="Column that says which readings are good; others are missing."
    )
    hold: SomeSpan = Field(
        default=None,
        description="How long a value counts where the next one is missing, such as 10min; a "
        "number alone is in steps of the time column.",
    )
    impute: bool = Field(
        default=True,
        description="Whether a missing value may be filled from the other sensors; if not, the row "
        "is set aside.",
    )

    @property
    def drafted_severity(self) -> Severity | None:
        """Of whatever lies outside drafted limits; None where a person has accepted them."""
        return "info" if self.drafted else None

    @property
    def hold_seconds(self) -> float | None:
        """How long a value is held, in seconds or steps of the time column."""
        return seconds_of(self.hold) if self.hold else None

    @model_validator(mode="after")
    def _ordered(self) -> Sensor:
        if self.min is not None and self.max is not None and not self.min < self.max:
            raise ValueError(f"min must lie below max. Received: min={self.min}, max={self.max}")
        return self


class Scale(_Strict):
    """What a machine's logger stores, made linear: value times ``factor`` plus ``offset``."""

    factor: float = Field(default=1.0, description="Multiplies the value as read.")
    offset: float = Field(default=0.0, description="Added afterwards, in the machine's own unit.")

    @model_validator(mode="after")
    def _keeps_the_value(self) -> Scale:
        if self.factor == 0:
            raise ValueError("a factor of 0 would make every value the same. Received: factor=0")
        return self


class Equipment(_Strict):
    """How one machine's files differ from the contract."""

    aliases: dict[str, str] = Field(
        default={}, description="The machine's tag for a column: {PT-101: pressure}."
    )
    units: dict[str, str] = Field(
        default={}, description="The machine's unit of a sensor: {pressure: psi}."
    )
    scale: dict[str, Scale] = Field(
        default={}, description="Factor and offset of a sensor, applied before the unit."
    )
    lacks: tuple[str, ...] = Field(
        default=(),
        description="Sensors of the contract that the machine does not have: [vibration].",
        exclude_if=_is_nothing,
    )

    @model_validator(mode="after")
    def _one_tag_for_each_column(self) -> Equipment:
        meant = list(self.aliases.values())
        twice = sorted({name for name in meant if meant.count(name) > 1})
        if twice:
            raise ValueError(f"each column has one tag. Received: two or more tags for {twice}")
        return self

    def without(self, sensors: set[str], left: set[str]) -> Equipment:
        """The same, of a contract that does not have these sensors any more.

        Args:
            sensors: which it had.
            left: what it still has. A machine that has none of them is no machine of it, and
                nothing is said of what it lacks.
        """
        lacks = tuple(name for name in self.lacks if name not in sensors)
        return Equipment(
            lacks=() if left <= set(lacks) else lacks,
            aliases={tag: name for tag, name in self.aliases.items() if name not in sensors},
            units={name: unit for name, unit in self.units.items() if name not in sensors},
            scale={name: scale for name, scale in self.scale.items() if name not in sensors},
        )

    @model_validator(mode="after")
    def _describes_only_what_it_has(self) -> Equipment:
        described = {*self.aliases.values(), *self.units, *self.scale}
        both = sorted(described.intersection(self.lacks))
        if both:
            raise ValueError(
                "a machine that lacks a sensor has no tag, unit or scale of it. "
                f"Received: lacks and more for {both}"
            )
        return self


_Spellings = Annotated[tuple[str, ...], Field(min_length=1)]


LabelClass = Literal["normal", "fault", "unknown", "exclude"]


class Label(_Strict):
    """The label column and the spellings of its classes."""

    column: str = Field(description="Column that says normal or fault for each row.")
    normal: tuple[str, ...] = Field(
        default=("0", "0.0", "False", "false"),
        min_length=1,
        description="Spellings of a normal row, in quotes.",
    )
    fault: _Spellings | dict[str, _Spellings] = Field(
        default=("1", "1.0", "True", "true"),
        description="Spellings of a faulty row, in quotes; or by type of fault: "
        '{bearing: ["3"], seal: ["4"]}.',
    )
    unknown: tuple[str, ...] = Field(
        default=(),
        description="Spellings of a row that nobody labelled: left out of training, and counted.",
        exclude_if=_is_nothing,
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        description="Spellings of a row that is never trained on nor judged by; "
        "it is scored and marked.",
        exclude_if=_is_nothing,
    )
    blank: LabelClass | None = Field(
        default="unknown",
        description="What a blank cell means; the row is set aside where it is null.",
        exclude_if=_is_unknown,
    )
    log: FaultLog | None = Field(
        default=None,
        description="How a log of intervals says which rows are faults, as given with `--events`.",
        exclude_if=_is_nothing,
    )

    @model_validator(mode="after")
    def _types_have_names(self) -> Label:
        if not self.faults or not all(map(str.strip, self.types.values())):
            raise ValueError("a type of fault needs a name, and a fault needs a spelling")
        return self

    @model_validator(mode="after")
    def _disjoint(self) -> Label:
        seen: dict[str, str] = {}
        for name, spellings in self.classes.items():
            for text in dict.fromkeys(spellings):
                if text in seen:
                    both = f"{seen[text]} and {name}"
                    raise ValueError(f"a value cannot mean both {both}. Received: {[text]}")
                seen[text] = name
        twice = [text for text in self.faults if self.faults.count(text) > 1]
        if self.types and twice:
            raise ValueError(f"a value cannot mean two types of fault. Received: {twice[:1]}")
        return self

    @model_validator(mode="after")
    def _log_has_words_of_its_own(self) -> Label:
        spelt = {*self.normal, *self.faults, *self.unknown, *self.exclude}
        if self.log and (taken := spelt & {NOBODY_KNOWS, LEFT_OUT}):
            raise ValueError(f"a log of faults needs this word itself. Received: {sorted(taken)}")
        return self

    @property
    def faults(self) -> tuple[str, ...]:
        """Spellings of a fault of any type."""
        if not isinstance(self.fault, dict):
            return self.fault
        return tuple(text for spellings in self.fault.values() for text in spellings)

    @property
    def marks(self) -> bool:
        """Whether rows that are scored may have to be marked."""
        return bool(self.exclude) or self.blank == "exclude"

    @property
    def types(self) -> dict[str, str]:
        """By spelling, the type of fault; empty where the contract tells no types apart."""
        if not isinstance(self.fault, dict):
            return {}
        return {text: name for name, texts in self.fault.items() for text in texts}

    @property
    def spellings(self) -> dict[LabelClass, tuple[str, ...]]:
        """By class, its spellings in files."""
        return {
            "normal": self.normal,
            "fault": self.faults,
            "unknown": self.unknown,
            "exclude": self.exclude,
        }

    @property
    def classes(self) -> dict[LabelClass, tuple[str, ...]]:
        """By class, its spellings in files, and the words of a log of faults or of verdicts."""
        return {
            **self.spellings,
            "unknown": (*self.unknown, NOBODY_KNOWS),
            "exclude": (*self.exclude, LEFT_OUT),
        }


class Contract(_Strict):
    """What a CSV of one equipment family must look like."""

    version: Literal[1] = Field(default=1, description="Version of this format.")
    family: str = Field(min_length=1, description="Name of the equipment family.")
    label: Label = Field(description="Which column says normal or fault, and in which spellings.")
    equipment_column: str | None = Field(default=None, description="Column that names the machine.")
    run_column: str | None = Field(
        default=None, description="Column that names one continuous recording."
    )
    time_column: str | None = Field(
        default=None, description="Timestamp, or a number that grows inside a run."
    )
    sensors: dict[str, Sensor] = Field(
        min_length=1, description="Sensor columns, in the model's feature order."
    )
    ignore: tuple[str, ...] = Field(
        default=(), description="Columns that are neither sensors nor keys."
    )
    slices: tuple[str, ...] = Field(
        default=(),
        description="Columns that say under which condition a row was recorded, "
        "or which fault it is.",
    )
    where: dict[str, _Spellings] = Field(
        default={},
        description="By column, the values of the rows that are used at all: {mode: [RUN]}.",
        exclude_if=_is_nothing,
    )
    mode_column: str | None = Field(
        default=None,
        description="Column that says in which operating mode the machine is.",
        exclude_if=_is_nothing,
    )
    running: dict[str, _Spellings] = Field(
        default={},
        description="By column, the values of the rows in which the machine runs: {mode: [RUN]}.",
        exclude_if=_is_nothing,
    )
    sampling_period: float | None = Field(
        default=None,
        gt=0,
        description="Usual seconds (or steps of the time column) between two rows of a run.",
    )
    equipment: dict[str, Equipment] = Field(
        default={}, description="By machine: its own tags, units and scales, where they differ."
    )
    max_imputed: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Largest share of a row's sensors that may be filled from the others; a row "
        "with more is set aside.",
    )
    rules: dict[str, Consequence] = Field(
        default={},
        description="By finding code: refuse, quarantine or warn instead of the default.",
        json_schema_extra={"propertyNames": {"enum": [*codes.CONFIGURABLE]}},
    )
    long: Long | None = Field(
        default=None, description="Columns of files that have one reading in each row."
    )
    tag_files: TagFiles | None = Field(
        default=None, description="Files that hold one tag each and are joined on time."
    )
    csv: Csv = Field(
        default_factory=Csv, description="How the files are written, where detection needs a pin."
    )

    @model_validator(mode="after")
    def _columns_have_one_role(self) -> Contract:
        keys = [self.label.column, *self.key_columns]
        slices = [name for name in self.slices if name not in keys]
        roles = [*keys, *self.sensors, *self.ignore, *slices]
        twice = sorted({name for name in roles if roles.count(name) > 1})
        if twice:
            raise ValueError(f"each column has exactly one role. Received: {twice} more than once")
        return self

    @model_validator(mode="after")
    def _qualities_are_no_inputs(self) -> Contract:
        wrong = self.quality_columns & {*self.sensors, self.label.column, *self.key_columns}
        if wrong:
            raise ValueError(
                "a column of quality cannot be a sensor, the label or a key. "
                f"Received: {sorted(wrong)}"
            )
        holding = [name for name, sensor in self.sensors.items() if sensor.hold]
        if holding and self.time_column is None:
            raise ValueError(f"`hold` needs a `time_column`. Received: hold for {holding}")
        return self

    @model_validator(mode="after")
    def _long_form_has_the_time(self) -> Contract:
        long = self.long
        if long and self.time_column != long.time:
            raise ValueError(
                "`long.time` and `time_column` are the same column. "
                f"Received: {long.time!r} and {self.time_column!r}"
            )
        if long and set(long.columns[1:]) & {*self.sensors, self.label.column}:
            raise ValueError(
                "in long form sensors and label are tags: the columns of tag, value and quality "
                f"cannot be one. Received: {list(long.columns[1:])}"
            )
        return self

    @model_validator(mode="after")
    def _tag_files_have_the_time(self) -> Contract:
        shape = self.tag_files
        if shape and self.long:
            raise ValueError(
                "files of one tag each (`tag_files`) are no files of several (`long`). "
                "Received: both"
            )
        if shape and self.time_column != shape.time:
            raise ValueError(
                "`tag_files.time` and `time_column` are the same column. "
                f"Received: {shape.time!r} and {self.time_column!r}"
            )
        return self

    @model_validator(mode="after")
    def _joined_time_is_the_time(self) -> Contract:
        joined = self.csv.joined_time
        if joined and self.time_column != joined:
            raise ValueError(
                f"`csv.time_parts` makes a column called {joined!r}, so `time_column` must name "
                f"it. Received: time_column={self.time_column!r}"
            )
        return self

    @model_validator(mode="after")
    def _sensors_leave_bookkeeping_alone(self) -> Contract:
        kept = {name for name in self.sensors if name.startswith(columns.SLICE)}
        kept |= columns.BOOKKEEPING.intersection(self.sensors)
        if kept:
            raise ValueError(
                "a sensor cannot have a name that is kept for bookkeeping. "
                f"Received: {sorted(kept)}"
            )
        return self

    @field_validator("rules")
    @classmethod
    def _rules_are_known(cls, rules: dict[str, Consequence]) -> dict[str, Consequence]:
        unknown = sorted(set(rules) - set(codes.CONFIGURABLE))
        if unknown:
            problem = f"codes are {', '.join(codes.CONFIGURABLE)}. Received: {', '.join(unknown)}"
            raise ValueError(told(problem, did_you_mean(unknown[0], codes.CONFIGURABLE)))
        return rules

    @model_validator(mode="after")
    def _machines_speak_of_known_columns(self) -> Contract:
        known = {*self.sensors, self.label.column, self.run_column, self.time_column}
        known |= {*self.slices, *self.condition_columns, *self.quality_columns}
        for machine, own in self.equipment.items():
            unknown = set(own.aliases.values()) - known
            unmeasured = {*own.units, *own.scale} - set(self.sensors)
            strange = sorted(unknown | unmeasured)
            if strange:
                problem = (
                    f"equipment {machine!r} names columns the contract does not have. "
                    f"Received: {strange}"
                )
                raise ValueError(told(problem, did_you_mean(strange[0], filter(None, known))))
            self._units_fit(machine, own.units)
            self._can_lack(machine, own.lacks)
        return self

    def _can_lack(self, machine: str, lacks: tuple[str, ...]) -> None:
        strange = [name for name in lacks if name not in self.sensors]
        if strange:
            problem = (
                f"equipment {machine!r} lacks what is no sensor of the contract. "
                f"Received: {strange}"
            )
            raise ValueError(told(problem, did_you_mean(strange[0], self.sensors)))
        if problem := self.why_needed(lacks):
            raise ValueError(f"equipment {machine!r}: {problem}. Received: lacks {[*lacks]}")

    def why_needed(self, sensors: Iterable[str]) -> str:
        """Why rows cannot be read without some of the sensors; empty where they can."""
        gone = set(sensors)
        if gone >= set(self.sensors):
            return "a machine has at least one sensor of the contract"
        choosing = sorted(gone.intersection(self.where))
        return f"`where` chooses rows by {choosing}" if choosing else ""

    def _units_fit(self, machine: str, units: dict[str, str]) -> None:
        for sensor, unit in units.items():
            try:
                conversion(unit, self.sensors[sensor].unit)
            except ValueError as error:
                raise ValueError(f"equipment {machine!r}, sensor {sensor!r}: {error}") from error

    def severity(self, code: str) -> Severity:
        """What happens where a rule is broken."""
        return self.rules.get(code) or codes.DEFAULTS[code]

    @property
    def features(self) -> tuple[str, ...]:
        """Sensor names in feature order."""
        return tuple(self.sensors)

    @property
    def quality_columns(self) -> set[str]:
        """Columns that say what readings are worth."""
        qualities = [sensor.quality for sensor in self.sensors.values()]
        return {quality.column for quality in qualities if quality}

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Columns that name machine, run and time of a row, as far as the contract has them."""
        keys = (self.equipment_column, self.run_column, self.time_column)
        return tuple(key for key in keys if key)

    @property
    def condition_columns(self) -> tuple[str, ...]:
        """Columns by which rows are chosen, and that say how the machine is operated; each once."""
        mode = [self.mode_column] if self.mode_column else []
        return tuple(dict.fromkeys([*self.where, *self.running, *mode]))

    @property
    def machine_of_unnamed_rows(self) -> str | None:
        """The family, where no column names the machine of a row; None where one does."""
        return None if self.equipment_column else self.family

    def lacking(self, machine: str) -> tuple[str, ...]:
        """Sensors that a machine does not have, in feature order."""
        own = self.equipment.get(machine)
        return tuple(name for name in self.sensors if own and name in own.lacks)

    def for_machine(self, name: str) -> Contract:
        """The contract as it is for one machine: without the sensors that the machine lacks.

        Args:
            name: of the machine, as under ``equipment``.

        Returns:
            The contract itself where the machine lacks nothing.

        >>> sensors = {"flow": {}, "speed": {}}
        >>> own = {"pump-9": {"lacks": ["speed"]}}
        >>> pumps = {"family": "pumps", "label": {"column": "y"}}
        >>> contract = Contract.model_validate(pumps | {"sensors": sensors, "equipment": own})
        >>> contract.for_machine("pump-9").features, contract.for_machine("pump-1") is contract
        (('flow',), True)
        """
        return self.without_sensors(self.lacking(name))

    def without_sensors(self, names: Iterable[str]) -> Contract:
        """The contract of a machine that does not have these sensors.

        Their columns, tags and columns of quality are ignored, as a file may have them all the
        same. :meth:`why_needed` says beforehand whether rows can be read without them.

        Args:
            names: of sensors.

        Returns:
            The contract itself where none is named.
        """
        gone = set(names)
        if not gone:
            return self
        left = {name: sensor for name, sensor in self.sensors.items() if name not in gone}
        return self.model_copy(
            update={
                "sensors": left,
                "ignore": (*self.ignore, *self._columns_of_only(gone)),
                "equipment": {
                    name: own.without(gone, set(left)) for name, own in self.equipment.items()
                },
                "mode_column": None if self.mode_column in gone else self.mode_column,
                "running": {name: of for name, of in self.running.items() if name not in gone},
            }
        )

    def _columns_of_only(self, gone: set[str]) -> list[str]:
        """Columns that a file may have of these sensors and that mean nothing else."""
        lost = [name for name in self.sensors if name in gone]
        for own in self.equipment.values():
            lost += [tag for tag, name in own.aliases.items() if name in gone]
        qualities = [(name in gone, one.quality) for name, one in self.sensors.items()]
        lost += [quality.column for is_gone, quality in qualities if quality and is_gone]
        used = {*self.sensors, *self.key_columns, *self.slices, *self.where, *self.ignore}
        used |= {self.label.column, *self.csv.time_parts}
        used |= {quality.column for is_gone, quality in qualities if quality and not is_gone}
        return [name for name in dict.fromkeys(lost) if name in gone or name not in used]

    def digest(self) -> str:
        """SHA-256 (hex) of the contract's meaning; spelling and comments do not count."""
        plain = self.model_dump(mode="json")
        _drop_unused(plain["csv"], Csv, _LATER_CSV)
        _drop_unused(plain, Contract, ("long", "tag_files", "max_imputed"))
        for sensor in plain["sensors"].values():
            _drop_unused(sensor, Sensor, ("keep", "quality", "hold", "impute"))
        content = json.dumps(plain, sort_keys=False)
        return hashlib.sha256(content.encode()).hexdigest()


def _drop_unused(fields: dict[str, Any], model: type[BaseModel], later: tuple[str, ...]) -> None:
    """Take fields out that came later and have their default, so that older digests hold."""
    for name in later:
        default = model.model_fields[name].get_default(call_default_factory=True)
        if fields[name] in (default, list(default) if isinstance(default, tuple) else default):
            del fields[name]


def load_contract(path: Path | str) -> Contract:
    """Read and check a contract file.

    Raises:
        ContractError: the file is missing, is not YAML, or does not follow the schema.
    """
    path = Path(path)
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContractError(
            "The contract file cannot be read",
            received={"contract": str(path), "problem": error.strerror or str(error)},
            remedy="Write one with `faultxfer contract infer CSV --out FILE --label COLUMN`",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(
            "The contract is not written in YAML",
            received={"problem": " ".join(str(error).split())[:300]},
            where=str(path),
            remedy="Mend the line named above; `docs/data-contracts.md` shows a whole contract",
        ) from error
    return parse_contract(content, where=str(path))


def parse_contract(content: object, where: str) -> Contract:
    """Check plain data against the contract schema.

    Raises:
        ContractError: with up to five of the problems found.
    """
    try:
        return Contract.model_validate(content)
    except ValidationError as error:
        problems = []
        for item, question in zip(error.errors(), questions(error, Contract), strict=True):
            field = ".".join(map(str, filter(_is_field, item["loc"]))) or "contract"
            problems.append(told(f"{field}: {item['msg']}", question))
        raise ContractError(
            "The contract does not follow the schema",
            received={"problems": problems[:5]},
            where=where,
            remedy="See the field table in `docs/data-contracts.md`; with what `faultxfer contract "
            "schema --out contract.schema.json` writes, an editor checks the file while you type",
        ) from error


def _is_field(part: int | str) -> bool:
    """Whether a part of a place is a field, not one of the types that a field may have."""
    return not str(part).startswith(("tuple[", "dict["))


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a contract file.

    It says less than :func:`parse_contract`: no schema can tell that ``min`` lies below
    ``max``, or that a column has one role.
    """
    return {
        "$schema": _DIALECT,
        **Contract.model_json_schema(),
        "title": "Data contract of faultxfer",
    }


def schema_text() -> str:
    """The schema as it stands in a file."""
    return json.dumps(json_schema(), indent=2) + "\n"
