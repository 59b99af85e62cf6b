"""Where versions' files lie, as far as no question for each version has to be asked.

Files on this machine's disks are read whenever a registry is looked at. Files that a server hands
out cost a request each, a dozen for each version, and are read where somebody asks for that: see
``docs/decisions/0045``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from faultxfer.registry import names
from faultxfer.registry.database import rows
from faultxfer.registry.locations import is_there, local_path, resolved_location

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from faultxfer.registry.store import Version

_RECORDED = "SELECT name, version, coalesce(storage_location, source) FROM model_versions"


@dataclass
class Places:
    """Places of files, for a look at many versions.

    Attributes:
        client: to ask for the experiment, once.
        database: the SQLite database of the registry; None for a server.
        far: whether files that a server hands out are to be read too.
    """

    client: MlflowClient
    database: Path | None
    far: bool

    def known(self, version: Version) -> str | None:
        """Address of a version's files; None where only a question for it alone can tell."""
        if self.database is None:
            return self._where_mlflow_puts_it(version)
        recorded = self._recorded.get((version.name, version.version), names.MODELS)
        return None if recorded.startswith(names.MODELS) else self._resolved(recorded)

    def may_read(self, version: Version) -> bool:
        """Whether a version's files are to be read: they are near, or all of them are wanted."""
        if self.far:
            return True
        known = self.known(version)
        return self._root is not None if known is None else local_path(known) is not None

    @cached_property
    def _recorded(self) -> dict[tuple[str, str], str]:
        """Addresses by name and number, as the database has them."""
        assert self.database is not None  # noqa: S101  # asked for a database alone
        found = rows(self.database, _RECORDED)
        return {(str(name), str(number)): str(place) for name, number, place in found}

    @cached_property
    def _root(self) -> Path | None:
        """The experiment's folder on this machine."""
        experiment = self.client.get_experiment_by_name(names.EXPERIMENT)
        return local_path(experiment.artifact_location or "") if experiment is not None else None

    @cached_property
    def _known(self) -> dict[str, str]:
        return {}

    def _resolved(self, recorded: str) -> str:
        if recorded not in self._known:
            self._known[recorded] = resolved_location(recorded, self.database)
        return self._known[recorded]

    def _where_mlflow_puts_it(self, version: Version) -> str | None:
        """The folder of a logged model, where a server's files are on this machine as well."""
        if self._root is None or version.model_id is None:
            return None
        place = self._root / "models" / version.model_id / "artifacts"
        return place.as_uri() if is_there(place) else None
