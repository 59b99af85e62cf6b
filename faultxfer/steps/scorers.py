"""Which registered version scores a machine's rows; asked without loading what scores."""

from __future__ import annotations

from faultxfer.errors import NoVersionError, RegistryError
from faultxfer.registry import connect, machines, names
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.spelling import asking

# What scores: the champion, a version that somebody asked for, or what there is for want of a
# champion.
CHAMPION, ASKED, PROVISIONAL, SOURCE = "champion", "version", "provisional", "source"

# What a machine without a version of its own can be scored with.
_BY_SOURCE = "without --equipment the source model scores as it is"


@reported("the tracking store")
def require_scorer(model: str, equipment: str) -> None:
    """Ask whether a machine has a champion, or for want of one a provisional version.

    Raises:
        NoVersionError: it has neither, or nothing is registered for it.
        RegistryError: the registry cannot be read.
    """
    connect.require_registry(connect.tracking_uri())
    find_scorer(open_registry(), model, equipment, None)


def find_scorer(
    registry: Registry, model: str, equipment: str, version: int | None
) -> tuple[Version, str]:
    """A machine's version, and what it is.

    Raises:
        NoVersionError: the machine is unknown (lists those known), or has nothing to score with.
        RegistryError: it has not that version, or nobody has approved it.
    """
    name = machines.look_up(registry, model, equipment)
    if name is None:
        known = machines.equipments(registry, model)
        raise NoVersionError(
            f"No model of this machine is registered that comes from {model!r}",
            received={"equipment": equipment, "known": known},
            where=registry.address,
            remedy=asking(
                equipment,
                known,
                "Check --equipment and --model, or run `faultxfer transfer` for it first; "
                f"{_BY_SOURCE}",
            ),
        )
    if version is not None:
        asked = registry.version(name, version)
        _require_approved(asked)
        return asked, PROVISIONAL if _was_never_promoted(asked) else ASKED
    champion = registry.champion(name)
    if champion is not None:
        return champion, CHAMPION
    provisional = registry.provisional(name)
    if provisional is not None:
        return provisional, PROVISIONAL
    raise NoVersionError(
        f"The machine {equipment!r} has no champion, and no provisional version",
        received={"champion": None, "provisional": None},
        remedy="Name a version with --version, or run `faultxfer transfer` until one passes "
        f"the gate; {_BY_SOURCE}; `faultxfer registry list` shows whether one waits for approval",
    )


def _require_approved(version: Version) -> None:
    """What a person has to approve scores nothing before."""
    as_waiting = version.tags.get(names.REGISTERED_AS) == names.WAITING
    if as_waiting and names.PROMOTED not in version.tags:
        approve = names.with_reason("approve", version.name, version.version)
        raise RegistryError(
            "Nobody has approved this version, so nothing is scored with it",
            received={"version": version.version, "outcome": version.tags.get(names.OUTCOME)},
            where=version.uri,
            remedy="Leave --version out to score with the champion; "
            f"`{approve}` approves a version that waits",
        )


def _was_never_promoted(version: Version) -> bool:
    """Whether it was registered as provisional, and nobody made it champion since."""
    as_provisional = version.tags.get(names.REGISTERED_AS) == names.PROVISIONAL
    return as_provisional and names.PROMOTED not in version.tags
