"""Units convert as tables of physics say, back to where they came from, and nonsense is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from check_rows import check_table
from hypothesis import given
from hypothesis import strategies as st

from faultxfer.contract.schema import parse_contract
from faultxfer.contract.units import conversion
from faultxfer.drafting.draft import UNITS
from faultxfer.reading.table import RawTable

KNOWN = [
    (100, "psi", "bar", 6.894757293168),
    (-40, "degF", "degC", -40),
    (212, "°F", "°C", 100),
    (0, "degC", "K", 273.15),
    (3000, "rpm", "Hz", 50),
    (50, "Hz", "rpm", 3000),
    (60, "1/min", "Hz", 1),
    (1500, "1/min", "rpm", 1500),
    (1500, "min-1", "rpm", 1500),
    (1, "Hz", "rad/s", 6.283185307179586),
    (60, "m3/h", "l/min", 1000),
    (60, "m³/h", "lpm", 1000),
    (1, "gpm", "l/min", 3.785411784),
    (1, "kgf/cm2", "bar", 0.980665),
    (1, "kg/cm2", "bar", 0.980665),
    (1, "MPa", "bar", 10),
    (1, "in/s", "mm/s", 25.4),
    (1, "ips", "mm/s", 25.4),
    (1, "g", "m/s2", 9.80665),
    (9806.65, "mm/s2", "g", 1),
    (1000, "g", "kg", 1),
    (1, "Nm", "J", 1),
    (50, "%", "", 0.5),
    (1, "PSI", "psi", 1),
    (0, "barg", "bara", 1.01325),
    (1.01325, "bara", "barg", 0),
    (0, "psig", "psia", 14.695948775513),
    (100, "psig", "barg", 6.894757293168),
    (100, "psia", "bara", 6.894757293168),
    (-1013.25, "mbarg", "kPaa", 0),
    (100, "kPag", "barg", 1),
    (1, "MPag", "barg", 10),
    (1, "kg/cm2g", "barg", 0.980665),
    (1, "kg/cm²(a)", "bara", 0.980665),
    (0, "BAR(G)", "kPaa", 101.325),
    (0, "PSIG", "bar a", 1.01325),
]

# Units of one quantity each.
QUANTITIES = [
    ("bar", "psi", "kPa", "MPa", "mbar", "mmHg", "kgf/cm2"),
    ("barg", "psig", "kPag", "MPag", "mbarg", "bara", "psia", "kPaa", "mbara", "kg/cm2g"),
    ("degC", "degF", "K"),
    ("rpm", "Hz", "rad/s", "1/min"),
    ("m3/h", "l/min", "l/s", "gpm", "cfm"),
    ("mm/s", "in/s", "m/s"),
    ("m/s2", "g", "mm/s2"),
    ("kW", "W", "hp"),
]
PAIRS = [(one, two) for units in QUANTITIES for one in units for two in units]


@pytest.mark.parametrize(("value", "unit", "wanted", "expected"), KNOWN)
def test_known_values(value: float, unit: str, wanted: str, expected: float) -> None:
    factor, offset = conversion(unit, wanted)
    assert value * factor + offset == pytest.approx(expected, rel=1e-12, abs=1e-10)


@given(st.sampled_from(PAIRS), st.floats(-1e6, 1e6))
def test_forth_and_back_gives_the_same_value(pair: tuple[str, str], value: float) -> None:
    factor, offset = conversion(*pair)
    back, back_offset = conversion(*reversed(pair))
    assert (value * factor + offset) * back + back_offset == pytest.approx(
        value, rel=1e-9, abs=1e-9
    )


@given(
    st.sampled_from(QUANTITIES).flatmap(lambda units: st.tuples(*[st.sampled_from(units)] * 3)),
    st.floats(0, 1e4),
)
def test_a_detour_over_a_third_unit_gives_the_same_value(
    units: tuple[str, str, str], value: float
) -> None:
    first, offset = conversion(units[0], units[1])
    second, second_offset = conversion(units[1], units[2])
    direct, direct_offset = conversion(units[0], units[2])
    detour = (value * first + offset) * second + second_offset
    assert detour == pytest.approx(value * direct + direct_offset, rel=1e-9, abs=1e-6)


@given(st.text(max_size=20))
def test_any_text_is_itself(unit: str) -> None:
    assert conversion(unit, unit) == (1, 0)


@given(st.text(max_size=20))
def test_any_other_text_is_a_unit_or_a_value_error(unit: str) -> None:
    try:
        factor, _ = conversion(unit, "bar")
    except ValueError:
        return
    assert factor != 0


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        *[
            ("nonsense", "bar"),
            ("bar", "nonsense"),
            ("", "bar"),
            ("psi", "degC"),
            ("g", "bar"),
            ("g", "nonsense"),
        ],
        *[("bar(x)", "bar"), ("dB", ""), ("1 +", "bar"), ("bar; import os", "bar"), ("(", "bar")],
        *[("2 bar", "degC"), ("rpm", "bar"), ("Hz", "degC")],
    ],
)
def test_nonsense_is_refused_with_both_units(unit: str, wanted: str) -> None:
    with pytest.raises(
        ValueError, match=r"(are needed|factor and offset).*\. Received: "
    ) as caught:
        conversion(unit, wanted)
    assert f"{unit!r} and {wanted!r}" in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        ("barg", "bar"),
        ("bar", "bara"),
        ("psi", "psig"),
        ("kPa", "barg"),
        ("psia", "mbar"),
        ("bar(g)", "bar"),
    ],
)
def test_a_pressure_that_does_not_say_gauge_or_absolute_is_not_guessed(
    unit: str, wanted: str
) -> None:
    with pytest.raises(
        ValueError, match=r"^one of two pressures does not say.*write barg or bara"
    ) as caught:
        conversion(unit, wanted)
    assert f"{unit!r} and {wanted!r}" in str(caught.value)


@pytest.mark.parametrize("other", ["degC", "rpm", "", "%", "nonsense"])
def test_a_gauge_pressure_beside_another_quantity_is_refused_as_such(other: str) -> None:
    with pytest.raises(ValueError, match="two units of the same quantity"):
        conversion("barg", other)


def test_a_machine_that_shows_absolute_pressure_is_checked_in_gauge() -> None:
    sensors = {"pressure": {"unit": "barg", "min": 0, "max": 10}}
    content = {"family": "pumps", "label": {"column": "fault"}, "sensors": sensors}
    contract = parse_contract(
        {**content, "equipment": {"pumps": {"units": {"pressure": "psia"}}}}, where="x"
    )
    frame = pd.DataFrame({"pressure": ["14.695948775513443", "100", "7"]}, dtype="str")
    checked = check_table(
        RawTable("a.csv", frame, np.arange(3) + 2, "0" * 64), contract, labelled=False
    )
    assert checked.accepted["pressure"].tolist() == pytest.approx([0, 5.88150729], abs=1e-8)
    assert [finding.line for finding in checked.findings] == [
        4
    ]  # below the air pressure is below zero


def test_gauge_to_gauge_keeps_zero_at_zero_exactly() -> None:
    for wanted in ("psig", "kPag", "mbarg", "MPag", "kg/cm2g"):
        assert conversion("barg", wanted)[1] == 0


@pytest.mark.parametrize("unit", sorted(set(UNITS.values())))
def test_every_unit_that_a_draft_may_guess_is_understood(unit: str) -> None:
    with pytest.raises(
        ValueError, match="Cannot convert"
    ):  # known, but no brightness; "is not defined" if unknown
        conversion(unit, "candela")
