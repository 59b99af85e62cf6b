"""Names of registered models and what may be in them."""

from __future__ import annotations

import re
import shlex

from faultxfer.errors import ConfigError

CHAMPION = "champion"
EXPERIMENT = "faultxfer"
# Without it MLflow's pages show the experiment as one of language models.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}

# Tags on registered models, versions and runs.
MODEL = "faultxfer.model"  # of a run: the registered model that it was for
KIND, SOURCE_MODEL, EQUIPMENT = "faultxfer.kind", "faultxfer.source_model", "faultxfer.equipment"
GATE, REASON, PROMOTED = "faultxfer.gate", "faultxfer.reason", "faultxfer.promoted_at"
GATE_RULES = "faultxfer.gate_rules"
OVERRIDE, PREVIOUS = "faultxfer.override_reason", "faultxfer.previous_champion"
SOURCE_VERSION, DATA, CONTRACT = "faultxfer.source_version", "faultxfer.data_sha256", "faultxfer.contract_sha256"

# Of a version: how far its registration got, SHA-256 over its files, and the journal entry that made it champion.
STATE, FILES, ENTRY = "faultxfer.state", "faultxfer.files_sha256", "faultxfer.journal_entry"
# Of a version: SHA-256 of each of its files (JSON), to tell a missing file from a changed one; and the last journal
# entry that concerned it without changing the champion.
LISTING, NOTE = "faultxfer.files", "faultxfer.journal_note"
# Of a run and a version: the process at work on it, see `owner`. Of a run: what was asked for, see `steps.repeats`.
OWNER, REQUEST = "faultxfer.owner", "faultxfer.request_sha256"

SOURCE_KIND, TARGET_KIND, JOURNAL_KIND = "source", "target", "journal"
# A candidate's registration is under way or was broken off; a retired version is never promoted again.
CANDIDATE, REGISTERED, RETIRED = "candidate", "registered", "retired"

_SEPARATOR = "--"
# Not allowed in names, so that no model or machine can be called like a journal.
_JOURNAL = "~journal"
_SAFE = re.compile(r"\w[\w .()+-]{0,99}", flags=re.UNICODE)


def check_name(kind: str, name: str) -> str:
    """Refuse names that MLflow, a file system or a URL could read as something else.

    Raises:
        ConfigError: the name is not letters, digits, ``_ . ( ) + -`` and spaces, or is too long, or contains ``--``.
    """
    if not _SAFE.fullmatch(name) or _SEPARATOR in name or ".." in name or name != name.strip():
        raise ConfigError(
            f"{'An' if kind[0] in 'aeiou' else 'A'} {kind} name of 1 to 100 letters, digits, spaces and _ . ( ) + - "
            "was expected, starting with a letter or digit and without '--' or '..'",
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


def journal_name(registered: str) -> str:
    """Name of the registered model whose versions are the journal of another one."""
    return f"{registered}{_JOURNAL}"


def of_journal(name: str) -> str:
    """Name of the registered model that a journal is of; any other name as it is."""
    return name.removesuffix(_JOURNAL)


def as_arguments(registered: str, version: str | None = None) -> str:
    """How a registered model, and one of its versions, is named on the command line.

    >>> as_arguments("pumps--pump 9", "2")
    "pumps 2 --equipment 'pump 9'"
    """
    model, _, equipment = registered.partition(_SEPARATOR)
    if not equipment or _SEPARATOR in equipment:
        model, equipment = registered, ""
    parts = [shlex.quote(model)]
    if version:
        parts.append(version)
    if equipment:
        parts += ["--equipment", shlex.quote(equipment)]
    return " ".join(parts)
