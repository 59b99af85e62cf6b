"""The settings of deployments: what a file may say, and what is told where it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from faultxfer.deployments import Schedule, load_deployments
from faultxfer.errors import ConfigError


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings(text: str) -> None:
    Path("deployments.yaml").write_text(text)


@pytest.mark.parametrize("names", [("pumps",), ("fans", "Kälte 2"), ("a", "b", "c.1")])
def test_each_contract_is_a_family_where_there_are_no_settings(names: tuple[str, ...]) -> None:
    Path("data_contracts").mkdir()
    for name in names:
        Path(f"data_contracts/{name}.yaml").touch()
    families = load_deployments().families
    assert {name: family.model for name, family in families.items()} == {n: n for n in names}
    assert all(str(family.contract) == f"data_contracts/{n}.yaml" for n, family in families.items())


def test_everything_but_the_contract_may_be_left_out() -> None:
    settings("families: {fans: {contract: fans.yaml, model: fans-2026}, pumps: {contract: p.yml}}")
    deployed = load_deployments()
    assert [deployed.family(name).model for name in ("fans", "pumps")] == ["fans-2026", "pumps"]
    assert deployed.family("pumps").schedules == {}


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ('"0 3 * * 1"', [Schedule(cron="0 3 * * 1")]),
        ('["0 3 * * 1", "0 4 * * *"]', [Schedule(cron="0 3 * * 1"), Schedule(cron="0 4 * * *")]),
        (
            '{cron: "5 4 * * *", timezone: Europe/Berlin, parameters: {equipment: fan-3}}',
            [
                Schedule(
                    cron="5 4 * * *", timezone="Europe/Berlin", parameters={"equipment": "fan-3"}
                )
            ],
        ),
    ],
)
def test_a_schedule_is_a_cron_text_or_says_more(written: str, wanted: list[Schedule]) -> None:
    settings(f"families: {{fans: {{contract: f.yaml, schedules: {{transfer: {written}}}}}}}")
    assert load_deployments().family("fans").schedules["transfer"] == tuple(wanted)


@pytest.mark.parametrize(
    ("family", "said"),
    [
        ("{landing: here}", "families.fans.contract"),
        ("{contract: f.yaml, landnig: here}", "Did you mean 'landing'?"),
        ("{contract: f.yaml, policy: manuel}", "Did you mean 'manual'?"),
        ("{contract: f.yaml, approval_days: 0}", "approval_days"),
        ("{contract: f.yaml, model: a/b}", "This model name is not allowed"),
        ("{contract: f.yaml, schedules: {transfers: '0 3 * * 1'}}", "Did you mean 'transfer'?"),
        ("{contract: f.yaml, schedules: {transfer: '0 3 * *'}}", "five parts"),
        (
            "{contract: f.yaml, schedules: {score: {cron: '0 3 * * 1', timezone: Europe/Berln}}}",
            "Did you mean 'Europe/Berlin'?",
        ),
    ],
)
def test_a_slip_is_told_with_what_was_meant(family: str, said: str) -> None:
    settings(f"families: {{fans: {family}}}")
    with pytest.raises(ConfigError) as caught:
        load_deployments()
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["families: {}", "[", "families: {a: {contract: x}, a: {}}", ""])
def test_what_holds_no_families_is_refused(text: str) -> None:
    settings(text)
    with pytest.raises(ConfigError, match=r"deployments\.yaml"):
        load_deployments()


def test_neither_settings_nor_contracts_is_told_with_what_to_type() -> None:
    with pytest.raises(ConfigError, match="faultxfer contract infer"):
        load_deployments()


def test_a_family_that_is_not_deployed_is_told_with_those_that_are() -> None:
    settings("families: {fans: {contract: f.yaml}}")
    with pytest.raises(ConfigError, match="Did you mean 'fans'"):
        load_deployments().family("fasn")
