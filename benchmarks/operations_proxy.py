"""A reverse proxy on loopback that fails as it is told to, for the trials of ordinary operation.

    python benchmarks/operations_proxy.py PORT TARGET_PORT FAULTS.json

The file is read at each request. What it may say:

    where     ``artifacts`` (calls that move or list files) or ``all``
    match     only addresses that contain this
    share     of the calls that fail, drawn by ``seed``; 1 for all of them
    statuses  to answer with, one of them drawn
    delay     seconds before a call is passed on
    hang      seconds before a call is dropped without an answer
    drop      break the connection off in the middle of the body
    page      answer 200 with this text, as a sign-in page in between does
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_ARTIFACT_CALLS = ("mlflow-artifacts/", "get-artifact", "/artifacts/")
_NOT_PASSED_ON = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_numbers = itertools.count()


class Handler(BaseHTTPRequestHandler):
    """Passes a request on, or fails."""

    protocol_version = "HTTP/1.1"
    wbufsize, disable_nagle_algorithm = -1, True  # else each answer waits 40 ms for its second part
    target, faults_file = 0, Path()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def pass_or_fail(self) -> None:
        """Whatever is asked."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        faults = self._faults()
        time.sleep(faults.get("delay", 0))
        if "hang" in faults:
            time.sleep(faults["hang"])
            self.close_connection = True
        elif "statuses" in faults:
            status = random.Random(next(_numbers)).choice(faults["statuses"])
            self._answer(
                status, {"Content-Type": "text/plain"}, b"the artifact store does not answer"
            )
        elif "page" in faults:
            self._answer(200, {"Content-Type": "text/html"}, faults["page"].encode())
        else:
            self._pass(body, drop=faults.get("drop", False))

    # The names that http.server looks for.
    do_GET = do_POST = do_PUT = pass_or_fail  # noqa: N815
    do_PATCH = do_DELETE = do_HEAD = pass_or_fail  # noqa: N815

    def _faults(self) -> dict[str, Any]:
        """What is to happen to this call."""
        faults: dict[str, Any] = json.loads(self.faults_file.read_text() or "{}")
        if faults.get("where") == "artifacts" and not any(
            one in self.path for one in _ARTIFACT_CALLS
        ):
            return {}
        if faults.get("match", "") not in self.path:
            return {}
        drawn = random.Random(f"{faults.get('seed')} {next(_numbers)}").random()
        return faults if drawn < faults.get("share", 1) else {}

    def _pass(self, body: bytes, *, drop: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=120)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        headers = {
            key: value for key, value in answer.getheaders() if key.lower() not in _NOT_PASSED_ON
        }
        self._answer(answer.status, headers, answer.read(), drop=drop)
        connection.close()

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, *, drop: bool = False
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if drop else body)
        self.close_connection = self.close_connection or drop


def main(port: str, target: str, faults: str) -> None:
    """Serve until killed."""
    Handler.target, Handler.faults_file = int(target), Path(faults)
    ThreadingHTTPServer.request_queue_size = 64
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
