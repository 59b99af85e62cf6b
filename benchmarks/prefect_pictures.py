"""Pictures of Prefect's pages for the docs, taken from a running ``faultxfer up``.

    python benchmarks/prefect_pictures.py http://127.0.0.1:4200 transfer-pumps docs/pictures

Asks for Debian's chromium and for playwright. Writes ``prefect_form.png``: the form as it is opened
from the list of deployments, not yet sent.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
# Fields come in after the page; a loaded machine takes its time.
SETTLED_MILLISECONDS, TIMEOUT_MILLISECONDS = 3000, 120_000


def main() -> None:
    """Open the form as a person does, and take its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="of Prefect's page")
    parser.add_argument("deployment", help="name of the deployment")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    asked = parser.parse_args()
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 920})
        page.set_default_timeout(TIMEOUT_MILLISECONDS)
        page.goto(f"{asked.address}/v2/deployments")
        row = page.locator("tr", has_text=asked.deployment)
        row.locator("button").last.click()
        page.get_by_text("Custom Run").click()
        page.get_by_text("Sensor files").wait_for()
        page.wait_for_timeout(SETTLED_MILLISECONDS)
        page.screenshot(path=asked.folder / "prefect_form.png")
        browser.close()


if __name__ == "__main__":
    main()
