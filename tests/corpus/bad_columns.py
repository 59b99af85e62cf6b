"""Tables with doubled, missing, renamed and unknown columns."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from cases import Bad, bad
from grid import GERMAN, TAB, Spelling, written
from packed import LOGIN_PAGE, parquet_of
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS


def cases() -> Iterator[Bad]:
    """All of them."""
    yield from _doubled()
    yield from _missing_columns()
    yield from _renamed_columns()
    yield from _unknown_columns()


def _doubled() -> Iterator[Bad]:
    code = "COLUMN-TWICE"
    flows = PUMPS.grid.add("flow_m3h", PUMPS.grid.column("flow_m3h"))
    yield bad(
        "sensor-twice", "the tag was picked twice", PUMPS, written(flows), code, "flow_m3h", line=1
    )
    times = COMPRESSORS.grid.add("Zeit", COMPRESSORS.grid.column("Zeit"), 3)
    yield bad(
        "time-twice",
        "a join of two exports",
        COMPRESSORS,
        written(times, GERMAN),
        code,
        "Zeit",
        line=1,
    )
    spaced = FANS.grid.add(" current ", FANS.grid.column("current"), 1)
    yield bad(
        "twice-but-for-spaces",
        "names with spaces around",
        FANS,
        written(spaced),
        code,
        "current",
        line=1,
    )
    spare = PUMPS.grid.add("spare", ["0"] * 60).add("spare", ["1"] * 60)
    yield bad(
        "unknown-twice",
        "two spare channels",
        PUMPS,
        written(spare, TAB),
        code,
        "spare",
        line=1,
        ending=".tsv",
    )
    labels = CHILLERS.grid.add("alarm", ["false"] * 45, 0)
    yield bad(
        "label-twice",
        "two alarm columns",
        CHILLERS,
        written(labels, Spelling(encoding="utf-16")),
        code,
        "alarm",
        line=1,
    )
    column = pa.array(["1.25", "1.31"])
    twice = pa.Table.from_arrays([column] * 4, names=["belt_speed", "torque", "load", "load"])
    yield bad(
        "parquet-twice",
        "a join in a notebook",
        CONVEYORS,
        parquet_of(twice),
        code,
        "load",
        line=1,
        ending=".parquet",
    )
    both = PUMPS.grid.add("PT-101", PUMPS.grid.column("discharge_pressure"))
    alias = {"equipment": {"pump-1": {"aliases": {"PT-101": "discharge_pressure"}}}}
    one = both.take(range(2, 32))
    yield bad(
        "alias-and-name",
        "old and new tag side by side",
        PUMPS,
        written(one),
        code,
        "discharge_pressure",
        line=1,
        contract=alias,
    )


def _missing_columns() -> Iterator[Bad]:
    code = "COLUMN-MISSING"
    yield bad(
        "sensor-missing", "a tag was not exported", PUMPS, PUMPS.grid.without("motor_current"), code
    )
    yield bad(
        "two-sensors-missing",
        "a card of the logger is out",
        COMPRESSORS,
        COMPRESSORS.grid.without("Öldruck", "Drehzahl"),
        code,
        spelling=GERMAN,
    )
    yield bad(
        "equipment-missing",
        "an export of one machine",
        CHILLERS,
        CHILLERS.grid.without("chiller"),
        code,
    )
    yield bad(
        "run-missing",
        "recordings were merged",
        PUMPS,
        PUMPS.grid.without("run"),
        code,
        labelled=True,
    )
    yield bad(
        "time-missing",
        "the index was dropped",
        FANS,
        FANS.grid.without("elapsed"),
        code,
        labelled=True,
    )
    yield bad(
        "label-missing",
        "rows that nobody labelled",
        PUMPS,
        PUMPS.grid.without("fault"),
        code,
        labelled=True,
    )
    yield bad(
        "label-missing-german",
        "the same in German",
        COMPRESSORS,
        COMPRESSORS.grid.without("Störung"),
        code,
        spelling=GERMAN,
        labelled=True,
    )
    yield bad(
        "only-times",
        "the selection was empty",
        PUMPS,
        PUMPS.grid.select(["timestamp", "machine", "run"]),
        code,
    )
    yield bad(
        "login-page",
        "the session had expired",
        CONVEYORS,
        LOGIN_PAGE,
        code,
        also=("COLUMN-UNKNOWN",),
    )
    yield bad(
        "one-column", "a wrong pin of the separator", FANS, FANS.grid.select(["elapsed"]), code
    )


def _renamed_columns() -> Iterator[Bad]:
    code, also = "COLUMN-MISSING", ("COLUMN-UNKNOWN",)
    yield bad(
        "tag-instead-of-name",
        "the control system's tags",
        PUMPS,
        PUMPS.grid.rename({"discharge_pressure": "PT-101"}),
        code,
        also=also,
    )
    yield bad(
        "capitals",
        "names in capitals",
        FANS,
        FANS.grid.rename({"current": "CURRENT"}),
        code,
        also=also,
        spelling=TAB,
    )
    yield bad(
        "umlaut-spelt-out",
        "Oeldruck for Öldruck",
        COMPRESSORS,
        COMPRESSORS.grid.rename({"Öldruck": "Oeldruck"}),
        code,
        also=also,
        spelling=GERMAN,
    )
    yield bad(
        "umlaut-decomposed",
        "an umlaut as letter and mark",
        COMPRESSORS,
        COMPRESSORS.grid.rename({"Füllstand": "Fu\u0308llstand"}),
        code,
        also=also,
    )
    yield bad(
        "unit-in-the-name",
        "names with units",
        CONVEYORS,
        CONVEYORS.grid.rename({"load": "load [t]", "torque": "torque [Nm]"}),
        code,
        also=also,
    )
    yield bad(
        "alias-of-another-machine",
        "pump-2 has tags of pump-1",
        PUMPS,
        PUMPS.grid.take(range(32, 62)).rename({"flow_m3h": "FT-7"}),
        code,
        also=also,
        contract={"equipment": {"pump-1": {"aliases": {"FT-7": "flow_m3h"}}}},
    )


def _unknown_columns() -> Iterator[Bad]:
    code = "COLUMN-UNKNOWN"
    yield bad(
        "new-sensor",
        "a new transmitter",
        PUMPS,
        PUMPS.grid.add("seal_leakage", ["0.1"] * 60),
        code,
        severity="warn",
    )
    yield bad(
        "row-number",
        "a nameless index in front",
        FANS,
        FANS.grid.add("", [str(n) for n in range(72)], 0),
        code,
        severity="warn",
    )
    yield bad(
        "note-german",
        "a remark with semicolons",
        COMPRESSORS,
        COMPRESSORS.grid.add("Bemerkung", ["geprüft; i.O."] * 48),
        code,
        severity="warn",
        spelling=GERMAN,
    )
