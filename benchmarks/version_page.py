"""Photograph the page of a version in MLflow, for the documentation.

    uv run python benchmarks/version_page.py MODEL VERSION [--out docs/pictures/version_page.png]

Looks at the registry that is here, as ``faultxfer ui`` does: `faultxfer demo` makes one. Needs the
Python package playwright, and Chromium as ``--browser`` says.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

from faultxfer.registry import connect

PORT = 5311
ADDRESS = f"http://127.0.0.1:{PORT}"
WIDTH, HEIGHT = 1400, 1500
_READY_SECONDS, _ENDING_SECONDS = 300.0, 20.0
# MLflow's assistant opens by itself and hides a quarter of the page.
_WITHOUT_ASSISTANT = """
localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');
localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
"""


def main() -> None:
    """Serve the registry, open the page, write the picture."""
    options = _options()
    server = _served()
    try:
        _wait_until_ready()
        path = f"/models/{quote(options.model)}/versions/{options.version}"
        options.out.write_bytes(_small(_photograph(path, options.browser)))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=_ENDING_SECONDS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", help="registered model, such as demo-pumps")
    parser.add_argument("version")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/version_page.png"))
    parser.add_argument("--browser", default="/usr/bin/chromium")
    return parser.parse_args()


def _served() -> subprocess.Popen[bytes]:
    connect.prepare_environment()
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(PORT), "--workers", "1"]
    command += ["--backend-store-uri", connect.tracking_uri()]
    location = connect.artifact_location(connect.tracking_uri())
    if location:
        command += ["--artifacts-destination", location]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return subprocess.Popen(command, env=environment, start_new_session=True)


def _wait_until_ready() -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{ADDRESS}/health", timeout=2)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise SystemExit(f"MLflow did not answer within {_READY_SECONDS:.0f} s")


def _photograph(path: str, browser: str) -> bytes:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(1000 * _READY_SECONDS)
        page.add_init_script(_WITHOUT_ASSISTANT)
        page.goto(f"{ADDRESS}/#{path}?workflowType=machine_learning")
        page.locator("img[src*='get-artifact']").last.wait_for()
        page.wait_for_function("[...document.images].every(image => image.complete)")
        picture = page.screenshot()
        chromium.close()
    return picture


def _small(picture: bytes) -> bytes:
    """The same picture with as many colours as a page has."""
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(64).save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    main()
