"""How files are written, as far as a contract pins it; by default everything is detected."""

from __future__ import annotations

import codecs
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from faultxfer.reading.dialect import TimeOptions


class Csv(BaseModel):
    """How the files of a family are written, where detection cannot tell or must not try."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    separator: str | None = Field(
        default=None, min_length=1, max_length=1, description="Character between columns."
    )
    decimal: Literal[".", ","] | None = Field(default=None, description="Decimal mark.")
    thousands: Literal[".", ",", " ", "'", "’", "\u00a0", "\u202f"] | None = Field(
        default=None, description="Mark between groups of three digits."
    )
    encoding: str | None = Field(
        default=None, description="Codec, such as utf-8, utf-16-le or cp1250."
    )
    header: bool | None = Field(
        default=None, description="Whether the first row holds the column names."
    )
    columns: tuple[str, ...] = Field(
        default=(), description="Column names, where there is no header row."
    )
    skip: int | None = Field(
        default=None, ge=0, description="Lines above the header row (comments, titles)."
    )
    units_row: int | None = Field(
        default=None,
        ge=1,
        description="Which row below the header row holds units; the first one is 1.",
    )
    rows_below: int | None = Field(
        default=None,
        ge=0,
        description="Rows between the header row and the first readings (units, descriptions).",
    )
    missing: tuple[str, ...] = Field(
        default=(), description="Further spellings of a missing value."
    )
    time_format: str | None = Field(
        default=None,
        description="strptime format, or iso, number, epoch_s, epoch_ms, epoch_us or epoch_ns, "
        "of the time column.",
    )
    time_parts: tuple[str, ...] = Field(
        default=(),
        description="Columns of date and time of day; joined they are the time column, called "
        "like both with a space between.",
    )
    repeated_hour: Literal["in_order"] | None = Field(
        default=None,
        description="How times in the hour that autumn repeats are told apart: by the order of "
        "the rows.",
    )
    day_first: bool | None = Field(
        default=None, description="Whether 03/04/2026 is the third of April."
    )
    timezone: str | None = Field(
        default=None, description="IANA zone of times that name none, such as Europe/Berlin."
    )

    @field_validator("separator")
    @classmethod
    def _separates(cls, value: str | None) -> str | None:
        if value and (value.isalnum() or value in '"\r\n' or not value.isascii()):
            raise ValueError(
                "a separator is one ASCII character, no letter, digit or quote. "
                f"Received: {value!r}"
            )
        return value

    @field_validator("encoding")
    @classmethod
    def _known_codec(cls, value: str | None) -> str | None:
        try:
            known = value is None or codecs.lookup(value)._is_text_encoding
        except LookupError:
            known = False
        if not known:
            raise ValueError(f"Python knows no such text encoding. Received: {value!r}")
        return value

    @field_validator("time_format")
    @classmethod
    def _one_spelling_of_counts(cls, value: str | None) -> str | None:
        # epoch:ns is how people write epoch_ns.
        return value.replace(":", "_") if value and value.startswith("epoch:") else value

    @field_validator("time_parts")
    @classmethod
    def _two_parts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value and (len(value) != 2 or value[0] == value[1]):
            raise ValueError(
                "two columns are needed, that of the date and that of the time of day. "
                f"Received: {list(value)}"
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            ZoneInfo(value or "UTC")
        except (ValueError, OSError, LookupError) as error:
            raise ValueError(
                f"there is no such IANA time zone; Europe/Berlin is one. Received: {value!r}"
            ) from error
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Csv:
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(
                "decimal and thousands cannot be the same mark. "
                f"Received: {self.decimal!r} for both"
            )
        if (self.header is False) != bool(self.columns):
            raise ValueError(
                "`columns` belongs to `header: false`, and is needed there. "
                f"Received: header={self.header}, columns={list(self.columns)}"
            )
        if self.repeated_hour and not self.timezone:
            raise ValueError(
                "`repeated_hour` needs `timezone`: without a zone no hour is repeated. "
                f"Received: {self.repeated_hour!r} alone"
            )
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"a column name stands twice. Received: {list(self.columns)}")
        return self

    @property
    def spellings(self) -> frozenset[str]:
        """The further spellings of a missing value, in lower case."""
        return frozenset(text.strip().lower() for text in self.missing)

    @property
    def times(self) -> TimeOptions:
        """What is pinned of times."""
        in_order = self.repeated_hour == "in_order"
        return TimeOptions(self.time_format, self.day_first, self.timezone, in_order=in_order)

    @property
    def joined_time(self) -> str | None:
        """The name of the time column that is joined of two; None where there is none."""
        return " ".join(self.time_parts) or None
