"""What the manifest of a bundle says by itself, without the bundle's other files."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from faultxfer.errors import BundleError

MANIFEST = "manifest.json"


def contract_in(text: str) -> dict[str, Any] | None:
    """The contract that a bundle was made under, as plain data; None where it does not say.

    Args:
        text: content of the bundle's manifest.

    Raises:
        BundleError: it is no manifest, or not as it was written.
    """
    try:
        manifest = json.loads(text)
        if manifest["sha256"][MANIFEST] != manifest_sha256(manifest):
            raise _damaged("its content and the SHA-256 in it differ")
        contract = manifest["lineage"].get("contract")
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(f"{type(error).__name__}: {error}") from error
    return contract if isinstance(contract, dict) else None


def manifest_sha256(manifest: dict[str, Any]) -> str:
    """Hash of the manifest's content without this very hash, whatever its layout."""
    others = {name: digest for name, digest in manifest["sha256"].items() if name != MANIFEST}
    # Through JSON and back, for keys and tuples as they will be read.
    content = json.loads(json.dumps({**manifest, "sha256": others}))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _damaged(problem: str) -> BundleError:
    return BundleError(
        "The manifest of this bundle is damaged",
        received={"problem": problem},
        where=MANIFEST,
        remedy="Run `faultxfer registry verify`, which says which files are not those registered",
    )
