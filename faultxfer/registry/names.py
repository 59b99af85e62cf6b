"""Names of registered models and what may be in them."""

from __future__ import annotations

import hashlib
import re
import shlex

from faultxfer.errors import ConfigError

# Aliases: the version that production scores with; and the one that a machine without champion is
# scored with, although the rows did not suffice to promote it; and the one that waits for a
# person's approval, and scores nothing.
CHAMPION, PROVISIONAL, CHALLENGER = "champion", "provisional", "challenger"
EXPERIMENT = "faultxfer"
# Without it MLflow's pages show the experiment as one of language models.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
# Where MLflow keeps the name of a run, and the page of a run, a logged model or an experiment.
RUN_NAME, PAGE = "mlflow.runName", "mlflow.note.content"
# Of a run: which of its files MLflow shows as tables; of a logged model: the versions made of it,
# which an MLflow server writes and a database does not; of both: who made them.
TABLES, VERSIONS, USER = "mlflow.loggedArtifacts", "mlflow.modelVersions", "mlflow.user"

# Tags on registered models, versions and runs.
MODEL = "faultxfer.model"  # of a run: the registered model that it was for
KIND, SOURCE_MODEL, EQUIPMENT = "faultxfer.kind", "faultxfer.source_model", "faultxfer.equipment"
# What a model detects: rows of which equipment family, faults of which label column. The bundle's
# contract decides.
FAMILY, LABEL = "faultxfer.family", "faultxfer.label"
GATE, REASON, PROMOTED = "faultxfer.gate", "faultxfer.reason", "faultxfer.promoted_at"
GATE_RULES = "faultxfer.gate_rules"
# Of a run and a version: what came of it, in the words that `docs/registry.md` lists. Of a
# promotion the details of the journal's entry say it first.
OUTCOME, FAILED, JUDGED_AGAIN = "faultxfer.outcome", "failed", "judged again"
BY_HAND = "promoted by hand"  # of a provisional version; its run follows
# What people filter by, under plain names: of a run, its version and its logged model. They repeat
# what other tags and parameters say, and nothing reads them.
FILTER_OUTCOME, FILTER_EQUIPMENT = "outcome", "equipment"
FILTER_FAMILY, FILTER_STRATEGY = "family", "strategy"
OVERRIDE, PREVIOUS = "faultxfer.override_reason", "faultxfer.previous_champion"
SOURCE_VERSION, DATA, CONTRACT = (
    "faultxfer.source_version",
    "faultxfer.data_sha256",
    "faultxfer.contract_sha256",
)

# Of a version: how far its registration got, SHA-256 over its files, and the journal entry that
# made it champion.
STATE, FILES, ENTRY = "faultxfer.state", "faultxfer.files_sha256", "faultxfer.journal_entry"
# Of a version: SHA-256 of each of its files (JSON), to tell a missing file from a changed one; and
# the last journal entry that concerned it without changing the champion.
LISTING, NOTE = "faultxfer.files", "faultxfer.journal_note"
# Of a version: SHA-256 of its ONNX graph, or why it has none.
GRAPH = "faultxfer.graph"
# Of a run and a version: that it was registered as provisional, or waiting for approval; it stays
# when a person promotes it.
WAITING = "waiting"
REGISTERED_AS = "faultxfer.registered_as"
# Of a run and a version: the process at work on it, see `faultxfer.process`. Of a run: what was
# asked for, see `steps.repeats`.
OWNER, REQUEST = "faultxfer.owner", "faultxfer.request_sha256"

SOURCE_KIND, TARGET_KIND, JOURNAL_KIND = "source", "target", "journal"
KINDS = (SOURCE_KIND, TARGET_KIND, JOURNAL_KIND)
# A candidate's registration is under way or was broken off; a retired version is never promoted
# again.
CANDIDATE, REGISTERED, RETIRED = "candidate", "registered", "retired"

# Begins MLflow's address of a registered version, or of a model that holds files.
MODELS = "models:/"
_SEPARATOR = "--"
# Not allowed in names, so that no model or machine can be called like a journal.
_JOURNAL = "~journal"
# Of family, label and equipment in a name: together with two separators and the journal's ending
# 256 characters.
_LONGEST_PARTS = (70, 70, 104)
# Source model and machine, as releases to 0.1.0 named a machine's model.
_OLD_PARTS = 2
_PLAIN = re.compile(r"[\w .()+-]", flags=re.UNICODE)
_OURS = re.compile(r"[\w .()+=-]+", flags=re.UNICODE)
_ONLY_INSIDE = "-. "
_ESCAPES = re.compile("(?:=[0-9A-F]{2})+")
_NOTHING, _CUT, _HASH_DIGITS = "=", "=h", 32
_SAFE = re.compile(r"\w[\w .()+-]{0,99}", flags=re.UNICODE)


def check_name(kind: str, name: str) -> str:
    """Refuse names that MLflow, a file system or a URL could read as something else.

    Raises:
        ConfigError: the name is not letters, digits, ``_ . ( ) + -`` and spaces, or is too long, or
            contains ``--``.
    """
    if not _SAFE.fullmatch(name) or _SEPARATOR in name or ".." in name or name != name.strip():
        raise ConfigError(
            f"This {kind} name is not allowed",
            received={kind: name},
            remedy="Choose a name of 1 to 100 letters, digits, spaces and _ . ( ) + - that "
            "starts with a letter or digit and holds neither '--' nor '..'",
        )
    return name


def registered_name(model: str, equipment: str | None = None) -> str:
    """Name of a source model, or of a machine's model as releases to 0.1.0 gave it.

    A machine may have another name by now: see :func:`faultxfer.registry.machines.find`.
    """
    check_name("model", model)
    if equipment is None:
        return model
    return f"{model}{_SEPARATOR}{check_name('equipment', equipment)}"


def check_asked(model: str, equipment: str | None = None) -> None:
    """Refuse what names neither a source model and its machine nor a machine's model.

    Raises:
        ConfigError: as :func:`check_name`.
    """
    if kind_of(model) != TARGET_KIND or not may_be_ours(model):
        check_name("model", model)
    if equipment is not None:
        check_name("equipment", equipment)


def detector_name(family: str | None, label: str | None, equipment: str) -> str:
    """Name of a machine's new model: ``FAMILY--LABEL--EQUIPMENT``, each by :func:`spelt`.

    Three parts never make the name of a source model, which has one, nor one of two parts, as older
    releases gave. At most 248 characters, so that the journal's name fits into MLflow's 256.
    """
    texts = zip((family or "", label or "", equipment), _LONGEST_PARTS, strict=True)
    return _SEPARATOR.join(spelt(text, longest) for text, longest in texts)


def spelt(text: str, longest: int) -> str:
    """A text as part of a name; different texts give different parts.

    Letters, digits, ``_ . ( ) + -`` and single inner spaces stay; every other character becomes
    ``=XX`` for each of its bytes in UTF-8. What is longer than ``longest`` is cut, and ends in
    ``=h`` and a hash of the whole.
    """
    part = "".join(_spelt_character(text, place) for place in range(len(text))) or _NOTHING
    if len(part) <= longest:
        return part
    digest = hashlib.sha256(_bytes(text)).hexdigest()[:_HASH_DIGITS]
    kept = part[: longest - len(_CUT) - _HASH_DIGITS]
    return f"{re.sub('=[0-9A-F]?$', '', kept)}{_CUT}{digest}"


def unspelt(part: str) -> str | None:
    """The text that a part of a name spells; None where it was cut, or is no such spelling."""
    if part == _NOTHING:
        return ""
    if _CUT in part:
        return None
    try:
        return _ESCAPES.sub(lambda found: _text(bytes.fromhex(found[0].replace("=", ""))), part)
    except UnicodeDecodeError:
        return None


def kind_of(name: str) -> str:
    """Whether a registered model of that name is a journal, a machine's model or a source model."""
    if name.endswith(_JOURNAL):
        return JOURNAL_KIND
    return TARGET_KIND if _SEPARATOR in name else SOURCE_KIND


def is_of_machine(name: str, equipment: str) -> bool:
    """Whether a registered model's name is one that the machine's model may have."""
    parts = name.split(_SEPARATOR)
    if len(parts) == len(_LONGEST_PARTS):
        return parts[-1] == spelt(equipment, _LONGEST_PARTS[-1])
    return len(parts) == _OLD_PARTS and _of_two_parts(name)[1] == equipment


def equipment_of(name: str) -> str | None:
    """The machine in a registered model's name; None for a source model, or a part that was cut."""
    parts = name.split(_SEPARATOR)
    if len(parts) == len(_LONGEST_PARTS):
        return unspelt(parts[-1])
    return _of_two_parts(name)[1] if len(parts) == _OLD_PARTS else None


def detected(name: str) -> tuple[str, str] | None:
    """Family and label column in a name; None in an older name, or where a part was cut."""
    parts = name.split(_SEPARATOR)
    if len(parts) != len(_LONGEST_PARTS):
        return None
    family, label = unspelt(parts[0]), unspelt(parts[1])
    return (family, label) if family is not None and label is not None else None


def source_in(name: str) -> str | None:
    """The source model in a name of a release to 0.1.0; None in any other name."""
    parts = name.split(_SEPARATOR)
    return _of_two_parts(name)[0] if len(parts) == _OLD_PARTS else None


def ending_in(equipment: str) -> tuple[str, ...]:
    """How names of a machine's model may end, to search the registry for them."""
    return tuple(
        dict.fromkeys(
            (f"{_SEPARATOR}{equipment}", f"{_SEPARATOR}{spelt(equipment, _LONGEST_PARTS[-1])}")
        )
    )


def may_be_ours(name: str) -> bool:
    """Whether faultxfer could have given this name: others may hold quotes and the like."""
    return bool(_OURS.fullmatch(name))


def is_journal(name: str) -> bool:
    """Whether a registered model is a journal, by its name."""
    return name.endswith(_JOURNAL)


def journal_name(registered: str) -> str:
    """Name of the registered model whose versions are the journal of another one."""
    return f"{registered}{_JOURNAL}"


def of_journal(name: str) -> str:
    """Name of the registered model that a journal is of; any other name as it is."""
    return name.removesuffix(_JOURNAL)


def version_uri(registered: str, version: str | None) -> str:
    """MLflow's address of a version.

    >>> version_uri("pumps--pump 9", "2")
    'models:/pumps--pump 9/2'
    """
    return f"{MODELS}{registered}/{version}"


def logged_name(registered: str) -> str:
    """What MLflow's model that holds the files of a version is called: it takes no dots.

    >>> logged_name("pumps--fault--pump-9.1")
    'pumps--fault--pump-9_1'
    """
    return registered.replace(".", "_")


def as_arguments(registered: str, version: str | None = None) -> str:
    """How a registered model, and one of its versions, is named on the command line.

    By its whole name: source and machine may mean another model of the machine by now.

    >>> as_arguments("pumps--pump 9", "2")
    "'pumps--pump 9' 2"
    """
    return " ".join([shlex.quote(registered), *([version] if version else [])])


def with_reason(verb: str, registered: str, version: str | None) -> str:
    """A change of a version as it is typed, but for the reason.

    >>> with_reason("approve", "pumps--pump-9", "2")
    'faultxfer registry approve pumps--pump-9 2 --reason "…"'
    """
    return f'faultxfer registry {verb} {as_arguments(registered, version)} --reason "…"'


def equals(name: str) -> str | None:
    """MLflow's filter for exactly this name; None where it cannot be written.

    What is found has to be compared with the name again: a database may not tell capital letters.
    """
    mark = "'" if "'" not in name else '"'
    return None if mark in name else f"name = {mark}{name}{mark}"


def _of_two_parts(name: str) -> tuple[str, str]:
    """Source and machine. A source's name may end in ``-``, a machine's never begins with it."""
    source, _, equipment = name.rpartition(_SEPARATOR)
    return source, equipment


def _spelt_character(text: str, place: int) -> str:
    """One character of a part, escaped where it could be read as something else."""
    character = text[place]
    at_an_end = place in (0, len(text) - 1)
    repeated = place > 0 and text[place - 1] == character
    if character in _ONLY_INSIDE and (at_an_end or repeated):
        return _escaped(character)
    return character if _PLAIN.fullmatch(character) else _escaped(character)


def _escaped(character: str) -> str:
    return "".join(f"={byte:02X}" for byte in _bytes(character))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # JSON may hold half a pair


def _text(spelt_bytes: bytes) -> str:
    return spelt_bytes.decode("utf-8", "surrogatepass")
