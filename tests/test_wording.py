"""Numbers are written as people write them, whatever their size."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultxfer.metric_table import METRICS
from faultxfer.wording import about, amount, counted, duration, listed, percent, period_of
from faultxfer.wording import probability as written_probability

# The machine that runs the tests may be busy.
calmly = settings(deadline=None)
NUMBER = re.compile(r"-?\d{1,3}(,\d{3})*(\.\d+)?|-?0\.\d+")
SIZES = st.floats(min_value=1e-9, max_value=1e12)


def read(text: str) -> float:
    assert NUMBER.fullmatch(text), text
    return float(text.replace(",", ""))


@calmly
@given(SIZES)
def test_an_amount_has_no_power_of_ten_and_is_right_to_two_digits(value: float) -> None:
    assert read(amount(value)) == pytest.approx(value, rel=0.0501)
    assert amount(-value) == f"-{amount(value)}"


@calmly
@given(st.floats(min_value=0, max_value=1))
def test_a_percentage_is_right_and_says_none_or_all_only_of_none_or_all(share: float) -> None:
    text = percent(share)
    assert text.endswith("%")
    assert (text == "0%") == (share == 0)
    assert (text == "100%") == (share == 1)
    number = text.removesuffix("%").removeprefix("over ").removeprefix("under ")
    assert read(number) == pytest.approx(100 * share, rel=0.0501, abs=1e-6)


@calmly
@given(st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1))
def test_a_larger_share_is_never_written_as_a_smaller_one(one: float, other: float) -> None:
    low, high = (
        read(re.sub("[a-z %]", "", percent(share)))
        for share in sorted((max(one, 1e-8), max(other, 1e-8)))
    )
    assert low <= high


@calmly
@given(st.floats(min_value=1e-6, max_value=1 - 1e-6, exclude_max=True))
def test_a_probability_is_certain_only_where_it_is(value: float) -> None:
    assert written_probability(value) not in ("0", "1")
    assert read(written_probability(value)) == pytest.approx(value, abs=0.0005)


@calmly
@given(st.floats(min_value=0, max_value=1e8))
def test_one_of_a_unit_is_singular_and_all_else_plural(seconds: float) -> None:
    number, unit = duration(seconds).split()
    assert read(number) >= 0
    assert unit.endswith("s") == (number != "1")


@calmly
@given(st.integers(min_value=0, max_value=10**9))
def test_counts_have_thousands_apart_and_the_right_plural(count: int) -> None:
    number, word = counted(count, "row").split()
    assert read(number) == count
    assert word == ("row" if count == 1 else "rows")


@calmly
@given(SIZES)
def test_about_one_is_singular(value: float) -> None:
    words = about(value, "false alarm").split()
    assert words[-1] == ("alarm" if words[1] == "1" else "alarms")


@calmly
@given(st.floats(min_value=1e-5, max_value=1e6))
def test_a_rate_is_told_in_the_shortest_period_in_which_it_happens_once(per_day: float) -> None:
    period, days = period_of(per_day)
    assert period in ("a day", "a week", "a month", "a year")
    assert per_day * days >= 1 or period == "a year"


@calmly
@given(SIZES)
@pytest.mark.parametrize("name", METRICS)
def test_no_metric_is_printed_with_a_power_of_ten(name: str, value: float) -> None:
    metric = METRICS[name]
    assert "e" not in metric.text(min(value, metric.most)).replace("over", "").replace(
        "under", ""
    ).replace("second", "").replace("minute", "")


def test_names_are_listed_up_to_a_few() -> None:
    assert listed(["flow", "speed"]) == "flow, speed"
    assert listed(list("abcdef"), most=2) == "a, b and 4 more"
