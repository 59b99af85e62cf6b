"""Which releases of which libraries wrote a bundle, and which are here.

A bundle that another release wrote may not load, or score a little differently. That is no sign of
tampering, and the error says so.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from faultxfer.errors import BundleError

# By the name in the manifest: the packages that may provide it. None of them is imported for its
# version.
_PACKAGES = {
    "keras": ("keras",),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "lightgbm": ("lightgbm",),
    "scikit-learn": ("scikit-learn",),
    "numpy": ("numpy",),
    "faultxfer": ("faultxfer",),
}
# A manifest is read before it is trusted, and what stands here ends up in a command that a person
# may type.
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,39}")
_CAUTION = "Do not load it if you do not know who made it"


class OtherVersionsError(BundleError):
    """A bundle that other releases wrote does not load here, or scores differently."""


def versions_here() -> dict[str, str]:
    """Version of each library that a bundle depends on, by name.

    Those that are not installed are left out.
    """
    found = {name: _installed(packages) for name, packages in _PACKAGES.items()}
    return {name: here[1] for name, here in found.items() if here}


def recorded_versions(manifest: dict[str, Any]) -> dict[str, str]:
    """The versions that a manifest names; empty for bundles of releases that recorded none."""
    recorded = manifest.get("versions")
    if not isinstance(recorded, dict):
        return {}
    return {
        name: text for name, text in recorded.items() if name in _PACKAGES and _is_version(text)
    }


def explained(error: BundleError, written: dict[str, str]) -> BundleError:
    """What to say of a bundle that does not load or scores differently.

    Args:
        error: what was found.
        written: the versions that wrote it.

    Returns:
        The same error where those are the versions here, or are not known; else one that names
        both.
    """
    here = versions_here()
    others = [name for name, text in written.items() if here.get(name) != text]
    if not others or isinstance(error, OtherVersionsError):
        return error
    present = [name for name in others if name in here]
    said = (
        f"This model was written by {_listed(others, written)}, and {_here(others, present, here)}"
    )
    return OtherVersionsError(
        said,
        received={"problem": error.expected, **error.received},
        where=error.where,
        remedy=_remedy(others, written, error),
    )


def _here(others: list[str], present: list[str], here: dict[str, str]) -> str:
    missing = [name for name in others if name not in here]
    parts = [f"{'is' if len(present) == 1 else 'are'} {_listed(present, here)}"] if present else []
    parts += [f"there is no {' and no '.join(missing)}"] if missing else []
    return "here " + ", and ".join(parts)


def _remedy(others: list[str], written: dict[str, str], error: BundleError) -> str:
    caution = f"{_CAUTION}. " if (error.remedy or "").startswith("Do not load") else ""
    pins = " ".join(f"{_package(name)}=={written[name]}" for name in others)
    return (
        f"{caution}Make a new model with the versions here by `faultxfer transfer`, or install "
        "those of then: "
        f"`uv sync` with the uv.lock of then, or `uv pip install {pins}`"
    )


def _listed(names: list[str], versions: dict[str, str]) -> str:
    return " and ".join(f"{name} {versions[name]}" for name in names)


def _is_version(text: object) -> bool:
    return isinstance(text, str) and _VERSION.fullmatch(text) is not None


def _package(name: str) -> str:
    """The package that provides a library here, or would."""
    here = _installed(_PACKAGES[name])
    return here[0] if here else _PACKAGES[name][0]


def _installed(packages: tuple[str, ...]) -> tuple[str, str] | None:
    for package in packages:
        try:
            return package, version(package)
        except PackageNotFoundError:
            continue
    return None
