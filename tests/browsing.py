"""A browser for tests of pages: Debian's chromium, driven by Playwright.

Playwright keeps an event loop of its own in the thread that started it, so that code which asks for
one there (Prefect's clients do) misbehaves. A test of pages starts servers and commands as
processes, and the browser ends with its test file.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from needs import skip_without

if TYPE_CHECKING:
    # Loaded by tests of pages alone.
    from playwright.sync_api import Browser, Page

_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # which root cannot have
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser per test file."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        skip_without("browser", "There is no chromium here. `apt-get install chromium` brings it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page without cookies, of the size of a notebook's screen."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    yield context.new_page()
    context.close()
