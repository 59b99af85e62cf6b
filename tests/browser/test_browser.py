"""The browser itself: without it the tests of pages would prove nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from needs import skip_without
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow


def test_a_page_is_clicked_and_photographed(page: Page, tmp_path: Path) -> None:
    page.set_content("<button onclick=\"this.textContent = 'started'\">Start</button>")

    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button")).to_have_text("started")
    page.screenshot(path=tmp_path / "page.png")

    assert (tmp_path / "page.png").stat().st_size > 1000


def test_what_is_required_is_never_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTXFER_REQUIRE", "browser,postgresql")

    with pytest.raises(pytest.fail.Exception, match="must not be skipped"):
        skip_without("postgresql", "There is no PostgreSQL here.")


def test_what_is_not_required_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULTXFER_REQUIRE", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no PostgreSQL"):
        skip_without("postgresql", "There is no PostgreSQL here.")
