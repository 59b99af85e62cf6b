"""What the form of a family offers to choose from: files that landed, machines, what waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from faultxfer.contract.schema import Contract, load_contract
from faultxfer.deployments import Family
from faultxfer.errors import ConfigError, ContractError
from flows.forms import machines_in

# What files are called that a command reads; a half-written copy has another ending.
_ENDINGS = (".csv", ".csv.gz", ".csv.zst", ".csv.bz2", ".csv.xz", ".csv.zip", ".parquet", ".pq")
# More than anybody looks through; the newest are among them.
_MOST_FILES = 200
_SETTINGS = ("*.yaml", "*.yml")


@dataclass(frozen=True)
class Waiting:
    """A version that waits for approval.

    Attributes:
        choice: as the form names it.
        shown: what a person decides on, in Markdown.
    """

    choice: str
    shown: str


@dataclass(frozen=True)
class Registered:
    """What the registry knows of a family: machines with a model, and versions that wait."""

    machines: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True)
class Choices:
    """What a family's forms offer.

    Attributes:
        files: that lie in the landing folder, newest first.
        source_files: that the source model can be trained on.
        machines: by name.
        settings: YAML files beside the contract, and those that the family names.
        registered: what the registry knows.
    """

    files: tuple[str, ...] = ()
    source_files: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    registered: Registered = field(default_factory=Registered)


def choices_of(family: Family, registered: Registered | None = None) -> Choices:
    """What there is to choose from now.

    Args:
        family: its settings.
        registered: what the registry knows; nothing if left out.
    """
    registered = registered or Registered()
    files = landed(family.landing)
    machines = {*family.machines, *_machines(family, files), *registered.machines}
    return Choices(
        files=files[:_MOST_FILES],
        source_files=_source_files(family)[:_MOST_FILES],
        machines=tuple(sorted(machines)),
        settings=_settings(family),
        registered=registered,
    )


def landed(folder: Path | None) -> tuple[str, ...]:
    """Files in a landing folder that can be read, newest first."""
    if folder is None or not folder.is_dir():
        return ()
    found = [path for path in folder.iterdir() if _is_rows(path)]
    return tuple(str(path) for path in sorted(found, key=_age))


def _is_rows(path: Path) -> bool:
    visible = not path.name.startswith((".", "~"))
    return visible and path.name.lower().endswith(_ENDINGS) and path.is_file()


def _age(path: Path) -> tuple[float, str]:
    try:
        return -path.stat().st_mtime, path.name
    except OSError:  # gone meanwhile
        return 0.0, path.name


def _machines(family: Family, files: tuple[str, ...]) -> set[str]:
    """Machines of the contract, and those whose rows landed."""
    contract = _contract(family)
    if contract is None:
        return set()
    found = set(contract.equipment)
    if contract.equipment_column:
        newest = [Path(file) for file in files[:_MOST_FILES]]
        found |= set(machines_in(newest, contract.equipment_column))
    return found


def _contract(family: Family) -> Contract | None:
    """None where it cannot be read: a run says why, in its own sentence."""
    try:
        return load_contract(family.contract)
    except (ContractError, ConfigError):
        return None


def _source_files(family: Family) -> tuple[str, ...]:
    found: list[str] = []
    for pattern in family.pretrain_files:
        path = Path(pattern)
        found += landed(path) if path.is_dir() else _matching(path)
    return tuple(dict.fromkeys(found))


def _matching(pattern: Path) -> list[str]:
    """Files that a pattern such as ``data/*.csv`` means, or the one file."""
    base = Path(pattern.anchor)
    return sorted(str(path) for path in base.glob(str(pattern.relative_to(base))))


def _settings(family: Family) -> tuple[str, ...]:
    """YAML files that may hold rules or options; contracts and deployments are none."""
    named = [str(path) for path in (family.gate, family.options) if path is not None]
    found = [str(path) for kind in _SETTINGS for path in Path().glob(kind)]
    others = {"deployments.yaml", "prefect.yaml", "compose.yaml", str(family.contract)}
    return tuple(dict.fromkeys([*named, *sorted(set(found) - others)]))
