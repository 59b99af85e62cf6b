"""How a log of faults is read: a table with a line for each interval of a fault."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from faultxfer.contract.spans import Span, seconds_of
from faultxfer.reading.csv_options import Csv

# In the label column, of rows that a log says nothing of, and of those that it leaves out.
NOBODY_KNOWS, LEFT_OUT = "not in the log", "left out by the log"

Unit = Literal["s", "min", "h", "d"]


class FaultLog(BaseModel):
    """Columns of a log of faults, and what its lines mean for the rows of sensor files."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    start: str = Field(description="Column that says when it began.")
    end: str | None = Field(default=None, description="Column that says when it ended.")
    duration: str | None = Field(
        default=None, description="Column that says how long it lasted, instead of `end`."
    )
    duration_unit: Unit = Field(default="min", description="Unit of `duration`.")
    equipment: str | None = Field(
        default=None, description="Column that names the machine; left out in a log of one machine."
    )
    code: str | None = Field(default=None, description="Column that says what it was.")
    fault: tuple[str, ...] = Field(
        default=(), description="Codes that are faults, in quotes; all others if left out."
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        description="Codes that are neither fault nor normal: maintenance, standstill, tests.",
    )
    normal: tuple[str, ...] = Field(
        default=(),
        description="Codes of what somebody looked at and found in order: these rows are normal, "
        "also where the log is not complete.",
    )
    before: Span = Field(
        default=None,
        description="How much earlier it may have begun, such as 30min: these rows are neither.",
    )
    after: Span = Field(
        default=None, description="How much longer it may have lasted: these rows are neither."
    )
    complete: bool = Field(
        default=False,
        description="Whether every fault stands in the log, so that all other rows are normal; if "
        "not, nobody knows what they are.",
    )
    csv: Csv = Field(
        default_factory=Csv, description="How the log is written, where detection needs a pin."
    )

    @model_validator(mode="after")
    def _has_one_kind_of_end(self) -> FaultLog:
        if (self.end is None) == (self.duration is None):
            raise ValueError(
                "either `end` or `duration` is needed. "
                f"Received: end={self.end!r}, duration={self.duration!r}"
            )
        return self

    @model_validator(mode="after")
    def _codes_mean_one_thing(self) -> FaultLog:
        every = [*self.fault, *self.exclude, *self.normal]
        if both := sorted(code for code in {*every} if every.count(code) > 1):
            raise ValueError(f"a code is a fault, normal or left out. Received: {both} as two")
        if every and self.code is None:
            raise ValueError("codes need the column that they stand in: `code`. Received: none")
        return self

    @property
    def before_seconds(self) -> float:
        """Seconds, or steps of a time column that counts something else."""
        return seconds_of(self.before) if self.before else 0.0

    @property
    def after_seconds(self) -> float:
        """The same, after the end."""
        return seconds_of(self.after) if self.after else 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the log must have."""
        named = (self.start, self.end, self.duration, self.equipment, self.code)
        return tuple(name for name in named if name)
