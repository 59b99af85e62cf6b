"""PostgreSQL of the distribution's packages keeps a registry as SQLite does."""

from __future__ import annotations

from collections.abc import Iterator

import local_postgresql
import pytest
from local_postgresql import PASSWORD, Cluster
from needs import skip_without
from registry_checks import run_trial

from faultxfer.errors import UnreadableError
from faultxfer.registry.store import open_registry

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL with one database, in which nothing is."""
    programs = local_postgresql.programs()
    if programs is None:
        skip_without("postgresql", "There is no PostgreSQL: `apt-get install postgresql` brings it")
    with local_postgresql.cluster(programs) as running:
        running.create("empty")
        yield running


def test_promotions_at_the_same_time_lose_nothing(cluster: Cluster) -> None:
    kinds = ("postgresql", "http-postgresql")
    table = run_trial("race_test.py", "--processes", "4", "--promotions", "1", "--store", *kinds)

    lines = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()[-2:]]
    assert [line[1:4] for line in lines] == [[kind, "4", "4"] for kind in kinds]
    assert [line[-2] for line in lines] == ["nothing", "nothing"]


@pytest.mark.parametrize(
    ("address", "problem", "remedy"),
    [
        ("{user}:guessed@127.0.0.1:{port}/empty", "does not accept this user", "PGPASSWORD"),
        (
            "{user}:{password}@127.0.0.1:{port}/absent",
            "no database of this name",
            "Correct the name",
        ),
        (
            "{user}:{password}@127.0.0.1:{port}/empty",
            "no registry in this database",
            "mlflow server",
        ),
        ("{user}:{password}@127.0.0.1:1/empty", "Nothing answers", "Start the server"),
    ],
)
def test_a_database_that_does_not_answer_says_so_in_a_sentence(
    address: str, problem: str, remedy: str, cluster: Cluster
) -> None:
    named = address.format(user=local_postgresql.OWNER, password=PASSWORD, port=cluster.port)

    with pytest.raises(UnreadableError) as caught:
        open_registry(f"postgresql://{named}")

    said = str(caught.value)
    assert problem in said
    assert remedy in said
    assert PASSWORD not in said
    assert "Background" not in said


def test_a_driver_that_is_absent_is_named_with_the_extra_that_brings_it() -> None:
    with pytest.raises(UnreadableError, match=r"faultxfer\[postgresql\]"):
        open_registry("postgresql+pg8000://plant@127.0.0.1:1/mlflow")
