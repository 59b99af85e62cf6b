"""Prefect where Prefect is.

Which server is named, and what becomes of a command where it is silent.
"""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faultxfer.cli import pipelines
from faultxfer.cli.pipelines import named_server, require_answer
from faultxfer.errors import ConfigError

PROFILES = """
active = "plant"

[profiles.plant]
PREFECT_API_URL = "http://plant:4200/api"

[profiles.office]
PREFECT_API_URL = "http://office:4200/api"

[profiles.laptop]
"""


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Prefect home with three profiles, as ``prefect profile`` writes them."""
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    path = tmp_path / "profiles.toml"
    path.write_text(PROFILES)
    return path


def test_the_environment_names_the_server_before_the_profile_does(
    profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert named_server() == "http://plant:4200/api"
    monkeypatch.setenv("PREFECT_PROFILE", "office")
    assert named_server() == "http://office:4200/api"
    monkeypatch.setenv("PREFECT_API_URL", "http://here:4200/api")
    assert named_server() == "http://here:4200/api"
    monkeypatch.setenv("PREFECT_API_URL", "")
    assert named_server() is None


@pytest.mark.parametrize("content", ["", "profiles = 3\nactive = 'plant'", None])
def test_a_profile_without_a_server_names_none(
    content: str | None, profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is None:
        monkeypatch.setenv("PREFECT_PROFILE", "laptop")
    else:
        profiles.write_text(content)
    assert named_server() is None


def test_profiles_that_cannot_be_read_may_name_a_server(profiles: Path) -> None:
    profiles.write_text("active = ")
    with pytest.raises(ConfigError, match="not known whether they name a server") as caught:
        named_server()
    assert "--no-prefect" in str(caught.value)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the pipeline was run."""
    ways: list[str] = []
    monkeypatch.setattr(pipelines, "_run_flow", lambda *_, named: ways.append(f"flow {named}"))
    monkeypatch.setattr("faultxfer.pipeline.validate", lambda _: ways.append("plainly"))
    return ways


@pytest.mark.parametrize(
    ("prefect", "is_named", "way"),
    [
        (None, False, "plainly"),
        (None, True, "flow True"),
        (True, False, "flow False"),
        (True, True, "flow True"),
        (False, True, "plainly"),
        (False, False, "plainly"),
    ],
)
def test_a_flow_is_run_where_a_server_is_named_or_prefect_is_asked_for(
    prefect: bool | None,
    is_named: bool,
    way: str,
    asked: list[str],
    profiles: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipelines, "require_answer", lambda _: None)
    monkeypatch.setenv("PREFECT_API_URL", "http://plant:4200/api" if is_named else "")
    pipelines.run_pipeline("validate", prefect, files=["a.csv"], contract="c.yaml")
    assert asked == [way]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/api", "http://127.0.0.1:abc/api", "plant:4200", "nonsense"]
)
def test_a_server_that_is_named_and_not_there_is_an_error_and_never_a_plain_run(
    address: str, asked: list[str], profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", address)
    with pytest.raises(ConfigError, match="does not answer") as caught:
        pipelines.run_pipeline("validate", None, files=["a.csv"], contract="c.yaml")
    assert "--no-prefect" in str(caught.value)
    assert asked == []


@pytest.fixture
def silent() -> Iterator[str]:
    """Address of something that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held: list[socket.socket] = []
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                try:
                    held.append(listening.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in held:
            one.close()


def test_a_server_that_accepts_and_says_nothing_is_given_up_within_ten_seconds(silent: str) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError, match="does not answer") as caught:
        require_answer(silent)
    assert silent in str(caught.value)
    assert time.monotonic() - began < 8  # and one or two for the command to start


@pytest.mark.parametrize("status", [200, 401, 503])
def test_whoever_answers_is_asked_by_prefect_itself(status: int) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        require_answer(f"http://127.0.0.1:{server.server_address[1]}/api")
        thread.join()
