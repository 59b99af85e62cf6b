"""The parts of the mapper by themselves: words, units, ranges, correlations, assignment, rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from faultxfer.contract.schema import Contract
from faultxfer.errors import ConfigError, DataError
from faultxfer.mapping.assigning import Costs, assign, exchange_costs
from faultxfer.mapping.matching import Known
from faultxfer.mapping.names import likeness, without_prefix, words_of
from faultxfer.mapping.proposing import propose
from faultxfer.mapping.quantities import fits, measures, named_quantity, writings
from faultxfer.mapping.ranges import distance
from faultxfer.mapping.rows import read_columns, read_source
from faultxfer.mapping.statistics import quantiles_of, statistics_of
from faultxfer.steps.mapping import map_sensors

# Words


@pytest.mark.parametrize(
    ("name", "meanings"),
    [
        ("Lageröltemperatur", {"bearing", "oil", "temperature"}),
        ("p_suction", {"pressure", "inlet"}),
        ("PDT-204", {"pressure", "difference"}),
        ("TIC 12 B", {"temperature"}),
        ("vitesse_pompe", {"speed", "pump"}),
        ("MotorStrom", {"motor", "current"}),
        ("Corriente bomba [A]", {"current", "pump"}),
        ("bearing temp non drive end", {"bearing", "temperature", "other_end"}),
        ("bearing temp DE", {"bearing", "temperature", "drive_end"}),
        ("pression de refoulement", {"pressure", "outlet"}),
        ("AI_0041", set()),
    ],
)
def test_words_of_several_languages_mean_the_same(name: str, meanings: set[str]) -> None:
    assert words_of(name).meanings == meanings


def test_a_unit_is_surer_than_a_word() -> None:
    assert words_of("motor_speed", "current").quantity == {"current"}
    assert words_of("motor_speed").quantity == {"speed"}


def test_prefixes_are_what_nearly_all_tags_begin_with() -> None:
    assert without_prefix(["A.B.x", "A.B.y", "A.B.z"]) == ["x", "y", "z"]
    assert without_prefix(["only"]) == ["only"]
    assert without_prefix(["bearing_1", "bearing_2", "oil"]) == ["bearing_1", "bearing_2", "oil"]


def test_names_speak_for_the_same_and_against_the_opposite() -> None:
    old = [words_of(name) for name in ("pump_inlet_pressure", "oil_temperature", "valve_3")]
    new = [words_of(name) for name in ("Druck Pumpeneintritt", "Öltemperatur", "AI_12")]
    found = likeness(old, new)
    assert found[0].argmax() == 0
    assert found[1].argmax() == 1
    assert (found[:, 2] == 0).all()
    outlet = [words_of("pump_outlet_pressure")]
    assert likeness(old[:1], outlet) < likeness(old[:1], new[:1])
    assert likeness(old[:1], old[:1]) == 1


# Units


def test_units_say_what_is_measured_and_how_it_may_be_written() -> None:
    assert measures("kPa") == measures("barg") == "pressure"
    assert named_quantity("mm/s") == "vibration"
    assert named_quantity("%") == ""
    assert fits("psi", "bar")
    assert fits("psig", "bar")  # nobody says which side the contract's pressure is on
    assert not fits("psi", "degC")
    assert {way.unit for way in writings("degC", "")} == {"", "degF", "K"}
    assert {way.unit for way in writings("degC", "degF")} == {"degF"}
    assert {way.scale for way in writings("", "")} == {1.0, 0.1, 10, 0.01, 100, 0.001, 1000}
    assert {way.unit for way in writings("barg", "")} >= {"psig", "kPag"}


# Ranges


def test_the_right_unit_lies_nearest() -> None:
    rng = np.random.default_rng(0)
    bar = quantiles_of(rng.normal(6, 0.5, (400, 1)))[0]
    psi = quantiles_of(rng.normal(6.4, 0.6, (400, 1)) * 14.5)[0]
    cost = distance(bar, np.array([psi / 14.5, psi, psi / 100]))
    assert cost.argmin() == 0
    assert cost[1] > 5


def test_readings_that_never_move_have_a_distance() -> None:
    still = np.full((1, 13), 5.0)
    cost = distance(still[0], np.array([still[0], still[0] + 1, np.full(13, np.nan)]))
    assert cost[0] == 0
    assert cost[1] > 2
    assert cost[2] == 0  # nothing is known


def test_temperatures_are_counted_from_the_freezing_point() -> None:
    kelvin = np.linspace(300, 310, 13)
    apart = distance(kelvin, np.array([kelvin + 15]), 273.15)
    assert apart > distance(kelvin, np.array([kelvin + 15]))


# Statistics


def test_statistics_are_those_inside_each_machine() -> None:
    rng = np.random.default_rng(1)
    load = rng.normal(size=200)
    one = np.column_stack([load, -load, np.zeros(200)])
    both = np.concatenate(
        [one, one + np.array([100, 100, 0])]
    )  # between machines the two rise together
    found = statistics_of(("a", "b", "c"), both, np.repeat(["m1", "m2"], 200))
    assert found.correlations[0, 1] == pytest.approx(-1)
    assert found.correlations[0, 2] == 0
    assert found.parts == 2
    assert found.of(("b", "x")).level[0] == pytest.approx(50, abs=1)
    assert np.isnan(found.of(("b", "x")).level[1])


def test_a_machine_that_lacks_a_sensor_says_nothing_of_it() -> None:
    rng = np.random.default_rng(5)
    load = rng.normal(size=400)
    X = np.column_stack([load, load + 7])
    X[200:, 1] = np.nan
    found = statistics_of(("a", "b"), X, np.repeat(["m1", "m2"], 200))
    assert found.correlations[0, 1] == pytest.approx(1)
    assert found.noise.max() == pytest.approx(0)
    assert found.level[1] == pytest.approx(7, abs=0.2)
    other = found.converted(np.array([1.0, 1.8]), np.array([0.0, 32.0]))
    assert other.level[1] == pytest.approx(found.level[1] * 1.8 + 32)


def test_missing_readings_are_left_out() -> None:
    X = np.column_stack([np.arange(100.0), np.arange(100.0)])
    X[::2, 1] = np.nan
    X[:, 0] = np.where(np.arange(100) == 50, np.nan, X[:, 0])
    found = statistics_of(("a", "b"), X)
    assert np.isfinite(found.quantiles).all()
    assert found.correlations[0, 1] > 0.6


# Assignment


def costs_of(alone: np.ndarray, source: np.ndarray, target: np.ndarray) -> Costs:
    return Costs(alone, source, target, np.zeros_like(source), np.zeros_like(target))


def test_correlations_decide_where_nothing_else_does() -> None:
    rng = np.random.default_rng(2)
    factor = rng.normal(size=(5, 2))
    together = factor @ factor.T
    norm = np.sqrt(np.diag(together))
    together = together / norm[:, None] / norm[None, :]
    order = np.array([3, 0, 4, 1, 2])
    place = np.argsort(order)
    found = assign(costs_of(np.zeros((5, 5)), together, together[np.ix_(order, order)]))
    assert (found == place).all()


def test_a_sensor_that_nothing_is_like_stays_alone() -> None:
    alone = np.array([[0.0, 20.0], [20.0, 20.0], [20.0, 20.0]])
    found = assign(costs_of(alone, np.eye(3), np.eye(2)))
    assert found.tolist() == [0, -1, -1]


def test_an_exchange_costs_what_the_whole_costs_more() -> None:
    rng = np.random.default_rng(3)
    source = np.corrcoef(rng.normal(size=(6, 30)))
    target = np.corrcoef(rng.normal(size=(6, 30)))
    costs = costs_of(rng.random((6, 6)), source, target)

    def whole(columns: np.ndarray) -> float:
        places = np.arange(6)
        return float((costs.alone + costs.together(columns))[places, columns].sum())

    columns = np.array([2, 0, 1, 5, 3, 4])
    change = exchange_costs(costs, columns)
    other = columns.copy()
    other[[1, 4]] = other[[4, 1]]
    assert change[1, 4] == pytest.approx(whole(other) - whole(columns))


def test_two_columns_that_one_sensor_may_have_are_named() -> None:
    rng = np.random.default_rng(4)
    load = rng.normal(size=300)
    old = np.column_stack([load, 60 + 5 * load + rng.normal(size=300)])
    twins = [60 + 5 * load + rng.normal(size=300) for _ in range(2)]
    new = np.column_stack([load, *twins])
    found = propose(
        Known(("load", "bearing_temp"), {"bearing_temp": "degC"}, {}),
        Known(("X1", "X2", "X3"), {}, {}),
        statistics_of(("load", "bearing_temp"), old),
        statistics_of(("X1", "X2", "X3"), new),
    )
    assert [(set(group.sensors), set(group.tags)) for group in found.alike] == [
        ({"bearing_temp"}, {"X2", "X3"})
    ]
    assert found.new == ()
    assert not found.of("bearing_temp").sure


# Rows


def contract_of(**more: object) -> Contract:
    plain = {"family": "f", "label": {"column": "fault"}, "sensors": {"flow": {"unit": "m3/h"}}}
    return Contract.model_validate(plain | more)


def written(folder: Path, **columns: object) -> Path:
    path = folder / "new.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_normal_rows_of_the_machine_are_looked_at(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        unit=["a"] * 60 + ["b"] * 40,
        fault=[0] * 50 + [1] * 10 + [0] * 40,
        q=np.arange(100) % 7 + 0.5,
        note=["text"] * 100,
        count=range(100),
        state=["on", "off"] * 50,
    )
    found = read_columns([path], contract_of(equipment_column="unit"), "a")
    assert found.labelled
    assert found.rows.rows == 50
    assert found.known.names == ("q", "state")
    assert found.left_out["unit"] == "a key or the label"
    assert found.left_out["note"] == "text, or nothing"
    assert "rises" in found.left_out["count"]
    with pytest.raises(DataError, match="Machine 'c' is not in the file"):
        read_columns([path], contract_of(equipment_column="unit"), "c")


def test_units_stand_in_brackets_or_at_the_end_of_names(tmp_path: Path) -> None:
    values = np.arange(40) % 9 + 0.25
    path = written(tmp_path, **{"F [gpm]": values, "p_bar": values, "winding_v": values})
    found = read_columns([path], contract_of(), "a")
    assert found.known.units == {"F [gpm]": "gpm", "p_bar": "bar"}


def test_a_file_without_readings_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, fault=[0, 1, 0], note=["a", "b", "c"])
    with pytest.raises(DataError, match="No column of the file holds readings"):
        read_columns([path], contract_of(), "a")
    with pytest.raises(DataError, match="no readings of the contract's sensors"):
        read_source([path], contract_of())


def test_tags_of_files_with_one_reading_in_each_row_are_columns(tmp_path: Path) -> None:
    times = [f"2026-01-01 00:{minute:02d}:00" for minute in range(40) for _ in range(2)]
    path = written(
        tmp_path, t=times, tag=["FT-1", "TT-2"] * 40, value=[i * 7 % 11 + 0.5 for i in range(80)]
    )
    shape = {"time": "t", "tag": "tag", "value": "value"}
    found = read_columns([path], contract_of(time_column="t", long=shape), "a")
    assert set(found.known.names) == {"FT-1", "TT-2"}
    assert found.rows.rows == 40


def test_files_of_one_tag_each_are_refused_with_a_way_out(tmp_path: Path) -> None:
    shape = {"time": "t", "value": "v", "file": "{tag}"}
    path = written(tmp_path, t=["2026-01-01"], v=[1])
    with pytest.raises(DataError, match="one tag each"):
        read_columns([path], contract_of(time_column="t", tag_files=shape), "a")


def test_readings_of_the_source_are_in_the_contracts_units(tmp_path: Path) -> None:
    path = written(tmp_path, FT=np.arange(50) % 5 + 1.0, machine=["m"] * 50)
    own = {"m": {"aliases": {"FT": "flow"}, "units": {"flow": "l/min"}}}
    agreed = contract_of(equipment=own, equipment_column="machine")
    found = read_source([path], agreed)
    assert found.level[0] == pytest.approx(3 * 0.06)


def test_two_sources_or_a_draft_over_an_input_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, q=[1.5, 2.5])
    contract = tmp_path / "c.yaml"
    contract.write_text("family: f\nlabel: {column: fault}\nsensors: {flow: {}}\n")
    with pytest.raises(ConfigError, match="Two sources are named"):
        map_sensors([str(path)], contract, "a", model="m", like=[str(path)])
    with pytest.raises(ConfigError, match="must not overwrite an input"):
        map_sensors([str(path)], contract, "a", out=contract, force=True)
