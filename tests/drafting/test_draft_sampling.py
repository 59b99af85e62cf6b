"""A draft tells what was seen over time, and its commented examples are valid as they stand."""

from __future__ import annotations

import re

import pytest
import yaml
from draft_rows import FAULT, FLOW, infer, table

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.contract.units import conversion
from faultxfer.errors import DataError

MINUTES = [f"2026-03-31 14:0{minute}:00" for minute in range(8)]
CALM = [1.0, 1.0, 1.0, 4.0, 4.0, 5.0, 5.0, 7.0]
LABELS = [0, 1] * 4


def hint_of(text: str, name: str) -> str:
    """The comment below a sensor."""
    lines = text.splitlines()
    return lines[
        next(number for number, line in enumerate(lines) if line.startswith(f"  {name}:")) + 1
    ]


def uncommented(text: str) -> str:
    """The draft with its examples switched on."""
    start = text.index("# A machine with other tags")
    examples = [line for line in text[start:].splitlines() if not line.endswith("For example:")]
    return text[:start] + "\n".join(line.removeprefix("# ") for line in examples) + "\n"


# The sampling period


def test_the_period_is_the_median_step_of_a_regular_time() -> None:
    contract, text = infer(table(time=MINUTES, flow=CALM, fault=LABELS))
    assert contract.sampling_period == 60
    assert "sampling_period: 60  #" in text


def test_the_period_of_a_growing_number_is_in_its_steps() -> None:
    assert infer(table(cycle=[5, 10, 15, 20], flow=FLOW, fault=FAULT))[0].sampling_period == 5


def test_a_few_gaps_leave_the_period_as_it_is() -> None:
    times = [*range(20), *range(100, 120)]
    assert infer(table(time=times, flow=range(40), fault=[0, 1] * 20))[0].sampling_period == 1


@pytest.mark.parametrize("times", [[0, 1, 5, 20], [9, 3, 2, 1], [1, 1, 1, 1]])
def test_no_period_is_drafted_where_steps_differ_or_do_not_grow(times: list[int]) -> None:
    contract, text = infer(table(time=times, flow=FLOW, fault=FAULT))
    assert contract.sampling_period is None
    assert "gaps are not reported" in text


def test_no_period_is_drafted_without_a_time() -> None:
    contract, text = infer(table(flow=FLOW, fault=FAULT))
    assert contract.sampling_period is None
    assert "per row" in hint_of(text, "flow")


@pytest.mark.parametrize("form", ["{}/02/2026", "{}/02/2026 00:00", "02-{}-2026"])
def test_nothing_is_drafted_from_times_that_need_a_pin(form: str) -> None:
    days = [form.format(f"{day:02d}") for day in range(1, 5)]
    with pytest.raises(DataError, match="day_first"):
        infer(table(date=days, flow=FLOW, fault=FAULT))


def test_a_file_with_the_newest_rows_first_shows_the_same_steps() -> None:
    rows = {"time": MINUTES, "flow": CALM, "fault": LABELS}
    turned = {name: list(cells)[::-1] for name, cells in rows.items()}
    assert infer(table(**turned))[1] == infer(table(**rows))[1]


def test_steps_are_taken_inside_the_runs_of_each_machine() -> None:
    keys = {
        "time": [0, 0, 10, 10, 20, 20, 1000, 1010],
        "machine": list("abababaa"),
        "run": [1] * 6 + [2] * 2,
    }
    contract, _ = infer(table(**keys, flow=CALM, fault=LABELS))
    assert contract.sampling_period == 10


# Rates and standstills


def test_the_fastest_change_is_told_per_second() -> None:
    _, text = infer(table(time=MINUTES, flow=CALM, fault=LABELS))
    assert (
        hint_of(text, "flow")
        == "    # max_rate: 0.1 (seen 0.05 per second), stuck_after: 10 (seen 3 rows with one "
        "value)"
    )


def test_without_a_time_the_change_is_told_per_row() -> None:
    assert "max_rate: 20 (seen 10 per row)" in hint_of(
        infer(table(flow=FLOW, fault=FAULT))[1], "flow"
    )


def test_a_jump_from_one_run_to_the_next_is_no_change() -> None:
    rows = table(run=["a"] * 4 + ["b"] * 4, flow=[1, 2, 3, 3, 3, 3, 103, 104], fault=LABELS)
    text = infer(rows)[1]
    assert "seen 100 per row" in hint_of(text, "flow")
    rows = table(run=["a"] * 4 + ["b"] * 4, flow=[1, 2, 3, 3, 103, 104, 103, 103], fault=LABELS)
    hint = hint_of(infer(rows)[1], "flow")
    assert "seen 1 per row" in hint
    assert "seen 2 rows" in hint


def test_a_gap_interrupts_a_standstill_and_no_change_is_measured_over_it() -> None:
    hint = hint_of(infer(table(flow=[1, 1, "", 1, 1, 1, "", 50], fault=LABELS))[1], "flow")
    assert hint == "    # stuck_after: 10 (seen 3 rows with one value)"


def test_the_standstill_allowed_is_three_times_the_longest_seen() -> None:
    assert "stuck_after: 18 (seen 6 rows" in hint_of(
        infer(table(flow=[1] * 6 + [2, 3], fault=LABELS))[1], "flow"
    )


def test_a_constant_column_gets_no_hint() -> None:
    _, text = infer(table(op3=[100] * 4, flow=FLOW, fault=FAULT))
    assert hint_of(text, "op3").startswith("  flow:")


def test_the_hints_are_figures_that_the_contract_takes() -> None:
    _, text = infer(table(time=MINUTES, flow=CALM, fault=LABELS))
    fields = dict(re.findall(r"(\w+): ([\d.e+-]+) \(", hint_of(text, "flow")))
    content = yaml.safe_load(text)
    content["sensors"]["flow"] |= {name: yaml.safe_load(figure) for name, figure in fields.items()}
    sensor = parse_contract(content, where="draft").sensors["flow"]
    assert (sensor.max_rate, sensor.stuck_after) == (0.1, 10)


def test_the_widest_numbers_have_no_rate() -> None:
    for cells in (
        {"flow": [1.7e308, -1.7e308, 1.7e308, 0.0]},
        {"time": [-8e307, 8e307, 8.1e307, 8e307], "flow": FLOW},
    ):
        contract, _ = infer(table(**cells, fault=FAULT))
        assert isinstance(contract, Contract)


# The examples


@pytest.mark.parametrize(
    "name", ["flow", "discharge_pressure_bar", "Temp C", "a: b", "{x}", "# p_bar", "a\nb", "1e3"]
)
def test_the_commented_examples_are_valid_as_they_stand(name: str) -> None:
    contract, text = infer(table(**{name: FLOW, "fault": FAULT}))
    assert contract.equipment == contract.rules == {}
    switched_on = parse_contract(yaml.safe_load(uncommented(text)), where="draft")
    (machine,) = switched_on.equipment.values()
    assert list(machine.aliases.values()) == list(machine.scale) == [name]
    assert switched_on.rules == {"SENSOR-STUCK": "quarantine", "TIME-GAP": "refuse"}


def test_the_example_shows_another_unit_of_the_same_quantity() -> None:
    _, text = infer(table(level=FLOW, inlet_bar=FLOW, fault=FAULT))
    (machine,) = parse_contract(yaml.safe_load(uncommented(text)), where="draft").equipment.values()
    assert machine.units == {"inlet_bar": "psi"}


def test_every_unit_of_an_example_converts() -> None:
    from faultxfer.drafting import draft

    for unit, elsewhere in draft._ELSEWHERE.items():
        assert conversion(elsewhere, unit) != (1, 0)
