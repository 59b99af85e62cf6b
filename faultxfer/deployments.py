"""What is deployed: the equipment families of a plant, each with its defaults.

The settings stand in one file, ``deployments.yaml`` of the working folder. From them come the
deployments that ``faultxfer up`` serves and ``prefect.yaml`` lists, their forms, and the folders
that are watched. Whether the files that are named exist is asked where they are used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from faultxfer.config import Policy, load_options, parse_options
from faultxfer.errors import ConfigError
from faultxfer.registry.names import check_name
from faultxfer.spelling import asking

SETTINGS = Path("deployments.yaml")
CONTRACTS = Path("data_contracts")

# What is deployed for each family, in the order of a family's life.
Deployed = Literal[
    "pretrain",
    "transfer",
    "approve",
    "score",
    "watch-folder",
    "fleet",
    "validate",
    "learning-curve",
    "doctor",
]
# Minute, hour, day of the month, month, day of the week.
_CRON_PARTS = 5


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Schedule(_Strict):
    """When a deployment runs by itself, and what is different from its defaults then."""

    cron: str = Field(description="Minute, hour, day of the month, month and day of the week.")
    timezone: str = Field(default="UTC", description="Time zone of the hours, such as UTC.")
    active: bool = Field(default=True, description="Whether it runs, or waits to be switched on.")
    parameters: dict[str, Any] = Field(
        default={}, description="Fields of the form that differ from the deployment's defaults."
    )

    @field_validator("cron")
    @classmethod
    def _has_five_parts(cls, cron: str) -> str:
        if len(cron.split()) != _CRON_PARTS:
            raise ValueError(
                "a schedule has five parts: minute, hour, day of the month, month, day of the "
                f"week, such as '0 3 * * 1' for Mondays at three. Received: {cron!r}"
            )
        return cron

    @field_validator("timezone")
    @classmethod
    def _is_a_time_zone(cls, timezone: str) -> str:
        known = available_timezones()
        if timezone not in known:
            problem = asking(timezone, known, "Use a name such as UTC or Europe/Berlin")
            raise ValueError(f"this time zone is not known. Received: {timezone!r}. {problem}")
        return timezone


def _as_schedules(given: Any) -> Any:
    """A cron text, a schedule, or a list of either."""
    listed = given if isinstance(given, list | tuple) else [given]
    return [{"cron": one} if isinstance(one, str) else one for one in listed]


Schedules = Annotated[tuple[Schedule, ...], BeforeValidator(_as_schedules)]


class Family(_Strict):
    """One equipment family: what its deployments are given where nobody says otherwise."""

    contract: Path = Field(description="Data contract of the family.")
    model: str = Field(
        default="", description="Name of the source model; the family's name if left out."
    )
    landing: Path | None = Field(
        default=None, description="Folder in which new files arrive; the form lists them."
    )
    machines: tuple[str, ...] = Field(
        default=(), description="Machines to choose from, beside those of the contract."
    )
    transfer_labelled: bool = Field(
        default=False, description="Whether a labelled file that arrives starts a transfer."
    )
    policy: Policy | None = Field(
        default=None,
        description="Who promotes: `managed`, the gate; `manual`, a person. As the rules of the "
        "gate say if left out.",
    )
    self_approval: bool = Field(
        default=False, description="Whether who started a transfer may approve what came of it."
    )
    approval_days: float | None = Field(
        default=None, gt=0, le=3650, description="Days after which a version waits no more."
    )
    gate: Path | None = Field(default=None, description="File with the rules of the gate.")
    options: Path | None = Field(default=None, description="File with the options of a transfer.")
    schedules: dict[Deployed, Schedules] = Field(
        default={}, description="By deployment: when it runs by itself."
    )
    pretrain_files: tuple[str, ...] = Field(
        default=(), description="Files, folders or patterns that the source model is trained on."
    )


class Deployments(_Strict):
    """All families, by name."""

    families: dict[str, Family] = Field(min_length=1, description="Equipment families, by name.")

    @field_validator("families")
    @classmethod
    def _named(cls, families: dict[str, Family]) -> dict[str, Family]:
        """Each with the name of its source model, which is the family's own if left out."""
        named = {}
        for name, family in families.items():
            check_name("family", name)
            model = check_name("model", family.model or name)
            named[name] = family.model_copy(update={"model": model})
        return named

    def family(self, name: str) -> Family:
        """The settings of one family.

        Raises:
            ConfigError: there is none of that name.
        """
        if name not in self.families:
            known = ", ".join(self.families)
            raise ConfigError(
                "No equipment family of this name is deployed",
                received={"family": name},
                remedy=asking(name, self.families, f"Families are {known}"),
            )
        return self.families[name]

    def with_landing(self, folder: Path) -> Deployments:
        """These settings with a landing folder: its own for one family, else one below by name."""
        alone = len(self.families) == 1
        families = {
            name: family.model_copy(update={"landing": folder if alone else folder / name})
            for name, family in self.families.items()
        }
        return self.model_copy(update={"families": families})


def load_deployments(path: Path | str | None = None) -> Deployments:
    """The settings of a file; of ``deployments.yaml`` if none is named.

    Where there is no such file either, each contract in ``data_contracts/`` is a family with the
    name of its file, and everything else is as if left out.

    Raises:
        ConfigError: the file cannot be read or used, or there is neither file nor contract.
    """
    if path is None and not SETTINGS.exists():
        return _of_contracts(CONTRACTS)
    return load_options(Deployments, path or SETTINGS)


def there_are_families() -> bool:
    """Whether the working folder names any: by ``deployments.yaml``, or by a contract."""
    return SETTINGS.exists() or bool(_contracts(CONTRACTS))


def _contracts(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def _of_contracts(folder: Path) -> Deployments:
    contracts = _contracts(folder)
    if not contracts:
        raise ConfigError(
            "There is no equipment family to deploy: neither settings nor a data contract",
            received={"settings": str(SETTINGS), "contracts": str(folder)},
            remedy="Write a contract with `faultxfer contract infer CSV --out "
            f"{folder}/pumps.yaml --label COLUMN`",
        )
    families = {contract.stem: {"contract": contract} for contract in contracts}
    return parse_options(Deployments, {"families": families}, where=str(folder))
