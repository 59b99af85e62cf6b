"""Rows that a run read, as MLflow lists them: columns with units, and what was counted in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from faultxfer.digest import digest_of

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

    from faultxfer.registry.store import Registry, Version

# Roles in which a run reads rows, as MLflow shows them beside the name.
SOURCE, TARGET, JUDGED = "source", "target", "judged"
# What MLflow keeps: of names, and of the columns together; a plant has thousands of them.
_LONGEST_NAME, _MOST_COLUMNS = 500, 2000
# Of MLflow's digests, 36 characters: the file, and what was counted in it.
_OF_FILE, _OF_CONTENT = 24, 8


@dataclass(frozen=True)
class DataSet:
    """Rows that a run read.

    Attributes:
        name: of the file, or of rows of several files.
        sha256: of the file (hex), or of what else tells these rows from others.
        role: ``source``, ``target``, or ``judged`` for the rows that the metrics are of.
        columns: type and unit by column, as they are shown.
        profile: what was counted: rows, faults, runs, period.
    """

    name: str
    sha256: str
    role: str
    columns: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown_name(self) -> str:
        """The name, as far as MLflow keeps it."""
        return self.name[:_LONGEST_NAME]

    @property
    def digest(self) -> str:
        """MLflow's digest: the beginning of the file's, then of what was counted.

        MLflow keeps one profile for a name and a digest, and a file may hold several machines.
        """
        counted = digest_of({"columns": dict(self.columns), "profile": dict(self.profile)})
        return f"{self.sha256[:_OF_FILE]}{counted[:_OF_CONTENT]}"

    def as_input(self) -> DatasetInput:
        """What MLflow logs."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        entity = Dataset(
            self.shown_name,
            self.digest,
            "local",
            json.dumps({"uri": self.shown_name}),
            schema=self._schema(),
            profile=json.dumps({**self.profile, "sha256": self.sha256}, ensure_ascii=False),
        )
        return DatasetInput(entity, [InputTag("mlflow.data.context", self.role)])

    def _schema(self) -> str | None:
        """Columns as MLflow's page lists them, which shows a name and a type."""
        if not self.columns:
            return None
        shown = list(self.columns.items())[:_MOST_COLUMNS]
        return json.dumps(
            {"mlflow_colspec": [{"name": name, "type": kind} for name, kind in shown]}
        )


def data_of(registry: Registry, version: Version) -> list[DatasetInput]:
    """What a version was made from, by its run; empty where the run is gone."""
    from mlflow.entities import DatasetInput, InputTag
    from mlflow.exceptions import MlflowException

    try:
        inputs = registry.client.get_run(version.run_id).inputs
    except MlflowException:
        return []
    tags = [InputTag("mlflow.data.context", SOURCE)]
    read = inputs.dataset_inputs if inputs else []
    return [DatasetInput(one.dataset, tags) for one in read if _is_own(one)]


def _is_own(read: DatasetInput) -> bool:
    """Whether it is a file, and not rows of files under another name."""
    return JUDGED not in {tag.value for tag in read.tags}
