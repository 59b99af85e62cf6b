"""A PostgreSQL cluster of one's own on loopback, from the distribution's packages.

PostgreSQL refuses to run as root; then it runs as its own user, or as ``nobody``.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWNER, PASSWORD = "faultxfer", "a-password-of-the-trials"
_PACKAGED = Path("/usr/lib/postgresql")
_READY_SECONDS = "60"
# Nothing here outlives a power cut, and several trials share two cores.
_SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL.

    Attributes:
        port: on loopback.
        programs: folder of ``psql`` and its like.
    """

    port: int
    programs: Path

    def address(self, database: str, driver: str = "postgresql") -> str:
        """Address of one of its databases, as SQLAlchemy takes it."""
        return f"{driver}://{OWNER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; gives back its address."""
        self._run("createdb", database)
        return self.address(database)

    def run_script(self, script: Path) -> None:
        """Run a file of SQL."""
        arguments = ("--dbname=postgres", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={script}")
        self._run("psql", *arguments)

    def has_table(self, database: str, table: str) -> bool:
        """Whether there is a table of that name."""
        import psycopg

        with psycopg.connect(self.address(database)) as connection:
            found = connection.execute("SELECT to_regclass(%s)", (table,)).fetchone()
        return found is not None and found[0] is not None

    def _run(self, program: str, *arguments: str) -> None:
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port)}
        settings = {**os.environ, **where, "PGPASSWORD": PASSWORD, "PGUSER": OWNER}
        subprocess.run([self.programs / program, *arguments], env=settings, check=True)


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, of the newest release; None where there is none."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    releases = sorted(_PACKAGED.glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return releases[-1].parent if releases else None


@contextlib.contextmanager
def cluster(programs: Path) -> Iterator[Cluster]:
    """A new cluster, which ends with the block and leaves nothing.

    Args:
        programs: as :func:`programs` finds them.
    """
    person = _person()
    folder = Path(tempfile.mkdtemp(prefix="faultxfer-postgresql-", dir="/tmp"))
    try:
        if person:
            shutil.chown(folder, person["user"], person["group"])
        _initialise(programs, folder, person)
        port = _free_port()
        _control(programs, folder, person, "start", _options(folder, port))
        try:
            yield Cluster(port, programs)
        finally:
            _control(programs, folder, person, "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder)


def _person() -> dict[str, Any]:
    """Who is to run it; nobody else than now if this is not root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _initialise(programs: Path, folder: Path, person: dict[str, Any]) -> None:
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    command = [programs / "initdb", "--pgdata", folder / "data", "--username", OWNER]
    command += ["--auth=scram-sha-256", "--pwfile", password, "--encoding=UTF8", "--no-locale"]
    subprocess.run(
        [*command, "--no-sync"], check=True, cwd="/", stdout=subprocess.DEVNULL, **person
    )


def _options(folder: Path, port: int) -> str:
    settings = " ".join(f"-c {setting}" for setting in _SETTINGS)
    return f"--options=-p {port} -h 127.0.0.1 -k {folder} {settings}"


def _control(
    programs: Path, folder: Path, person: dict[str, Any], verb: str, *options: str
) -> None:
    command = [programs / "pg_ctl", verb, "--pgdata", folder / "data", "--wait", "--silent"]
    command += ["--timeout", _READY_SECONDS, *options]
    if verb == "start":
        command += ["--log", folder / "log"]
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, **person)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
