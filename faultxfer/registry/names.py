"""Names of registered models and what may be in them."""

from __future__ import annotations

import re

from faultxfer.errors import ConfigError

CHAMPION = "champion"
EXPERIMENT = "faultxfer"
# Without it MLflow's pages show the experiment as one of language models.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}

# Tags on registered models, versions and runs.
KIND, SOURCE_MODEL, EQUIPMENT = "faultxfer.kind", "faultxfer.source_model", "faultxfer.equipment"
GATE, REASON, PROMOTED = "faultxfer.gate", "faultxfer.reason", "faultxfer.promoted_at"
OVERRIDE, PREVIOUS = "faultxfer.override_reason", "faultxfer.previous_champion"
SOURCE_VERSION, DATA, CONTRACT = "faultxfer.source_version", "faultxfer.data_sha256", "faultxfer.contract_sha256"

SOURCE_KIND, TARGET_KIND = "source", "target"

_SEPARATOR = "--"
_SAFE = re.compile(r"\w[\w .()+-]{0,99}", flags=re.UNICODE)


def check_name(kind: str, name: str) -> str:
    """Refuse names that MLflow, a file system or a URL could read as something else.

    Raises:
        ConfigError: the name is not letters, digits, ``_ . ( ) + -`` and spaces, or is too long, or contains ``--``.
    """
    if not _SAFE.fullmatch(name) or _SEPARATOR in name or ".." in name or name != name.strip():
        raise ConfigError(
            f"A {kind} name of 1 to 100 letters, digits, spaces and _ . ( ) + - was expected, "
            "starting with a letter or digit and without '--' or '..'",
            received={kind: name},
            remedy="Choose another name",
        )
    return name


def registered_name(model: str, equipment: str | None = None) -> str:
    """Name of the registered model of a source model, or of one machine that descends from it."""
    check_name("model", model)
    if equipment is None:
        return model
    return f"{model}{_SEPARATOR}{check_name('equipment', equipment)}"
