"""What a server is asked before the work.

By writing what is there already, and it is left as it was.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from faultxfer.cli import main
from faultxfer.errors import RegistryError
from faultxfer.registry import names, rights
from faultxfer.registry.store import open_registry

NAME = "pumps--pump-9"
_ABSENT = (404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"})
_BAD_NAME = (
    400,
    {"error_code": "INVALID_PARAMETER_VALUE", "message": "the name must not be empty"},
)


@dataclass
class Server:
    """As much of an MLflow server as is asked before the work.

    Attributes:
        refused: ends of paths that this user may not call; every path where it holds an empty text.
        status: what a refused call is answered with.
        stage: of the experiment; None where there is none.
        models: registered models that there are.
        artifacts: where the experiment keeps its files.
        written: bodies of all calls that write.
    """

    address: str = ""
    refused: tuple[str, ...] = ()
    status: int = 403
    stage: str | None = "active"
    models: tuple[str, ...] = (NAME, names.journal_name(NAME))
    artifacts: str = "mlflow-artifacts:/1"
    written: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, path: str, asked: dict[str, Any]) -> tuple[int, Any]:
        call = path.removeprefix("/api/2.0/mlflow/")
        if call.startswith(self.refused):
            return self.status, "no"
        if call == "experiments/search":
            return 200, {}
        if call == "experiments/get-by-name":
            tags = [{"key": key, "value": value} for key, value in names.EXPERIMENT_TAGS.items()]
            experiment = {
                "experiment_id": "1",
                "name": "faultxfer",
                "artifact_location": self.artifacts,
                "tags": tags,
            }
            return (
                (200, {"experiment": {**experiment, "lifecycle_stage": self.stage}})
                if self.stage
                else _ABSENT
            )
        if call == "registered-models/get":
            known = {"name": asked["name"], "tags": [{"key": names.KIND, "value": "target"}]}
            return (200, {"registered_model": known}) if asked["name"] in self.models else _ABSENT
        if call.endswith("/create"):
            return _BAD_NAME if not asked.get("name") else (200, {})
        return 200, {}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    stand_in = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            from urllib.parse import parse_qsl, urlsplit

            parts = urlsplit(self.path)
            self.say(*stand_in.answer(parts.path, dict(parse_qsl(parts.query))))

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "search" not in self.path:
                stand_in.written.append(asked)
            self.say(*stand_in.answer(self.path, asked))

        def say(self, status: int, answer: Any) -> None:
            body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        stand_in.address = f"http://127.0.0.1:{http.server_port}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", stand_in.address)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        yield stand_in
        http.shutdown()
        thread.join()


def test_who_may_do_it_changes_nothing_by_asking(server: Server) -> None:
    rights.require_before_work(NAME, source="pumps")
    kind = {"key": names.KIND, "value": "target"}
    key, value = next(iter(names.EXPERIMENT_TAGS.items()))
    assert server.written == [
        {"experiment_id": "1", "key": key, "value": value},
        {"name": NAME, **kind},
        {"name": names.journal_name(NAME), **kind},
    ]
    rights.require_before_work(NAME, source="pumps")  # the flow asks again what the command asked
    assert len(server.written) == 3


NOT_ALLOWED = {
    "experiments/set-experiment-tag": "write to the experiment `faultxfer`.*EDIT",
    "experiments/get-by-name": "read the experiment `faultxfer`",
    "registered-models/set-tag": f"change the registered model '{NAME}'.*EDIT",
    "registered-models/get": f"read the registered model '{NAME}'",
}


@pytest.mark.parametrize("call", NOT_ALLOWED)
def test_who_may_not_hears_what_must_be_granted(server: Server, call: str) -> None:
    server.refused = (call,)
    with pytest.raises(RegistryError, match=NOT_ALLOWED[call]):
        rights.require_before_work(NAME)
    with pytest.raises(RegistryError, match=NOT_ALLOWED[call]):
        rights.open_to_change(NAME)


@pytest.mark.parametrize("call", ["experiments/create", "registered-models/create"])
def test_who_may_make_nothing_hears_it_where_something_must_be_made(
    server: Server, call: str
) -> None:
    server.stage, server.models = None, ()
    rights.require_before_work("made later", creating=True)
    assert not any(asked.get("name") for asked in server.written)
    server.refused = (call,)
    with pytest.raises(RegistryError, match="does not allow this user to make the"):
        rights.require_before_work(NAME, creating=True)


def test_a_deleted_experiment_and_files_on_another_machine_are_said(server: Server) -> None:
    server.stage = "deleted"
    with pytest.raises(
        RegistryError, match=f"{server.address}' mlflow experiments restore --experiment-id 1"
    ):
        rights.require_before_work(NAME)
    assert server.written == []
    server.stage, server.artifacts = "active", "file:///srv/not-of-this-machine/artifacts"
    with pytest.raises(RegistryError, match="folder that this machine does not have"):
        rights.require_before_work(NAME)


ANSWERS = {
    401: "does not accept this user and password",
    403: "does not allow this user",
    404: "no MLflow server at this address",
    500: "The MLflow server answers 500",
    503: "The MLflow server answers 503",
}


@pytest.mark.parametrize("status", ANSWERS)
@pytest.mark.parametrize("command", [["list"], ["rollback", "pumps", "--reason", "because"]])
def test_a_server_that_answers_otherwise_is_one_sentence(
    server: Server, status: int, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server.refused, server.status = ("",), status
    with pytest.raises(SystemExit) as left:
        main(["registry", *command])
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert ANSWERS[status] in said
    first, *then = said.splitlines()
    assert first.startswith("Error: ")
    assert then[0].startswith("Next: ")
    assert len(then) == 2


def test_a_viewer_may_look(server: Server) -> None:
    server.refused = ("experiments/set", "registered-models/set")
    assert open_registry().models() == []
    assert server.written == []
