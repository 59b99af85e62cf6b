"""Commands about deployments: rewrite what their forms offer, and write ``prefect.yaml``."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from faultxfer.cli.command import command as any_command
from faultxfer.cli.pipelines import ADDRESS, named_server, require_answer
from faultxfer.deployments import load_deployments
from faultxfer.errors import ConfigError

deployments_app = typer.Typer(
    help="Rewrite the forms' choices; write prefect.yaml for workers.", no_args_is_help=True
)
command = partial(any_command, deployments_app)

Settings = Annotated[
    Path | None,
    typer.Option(
        "--deployments",
        metavar="FILE",
        help="Settings of the deployments; deployments.yaml, or a family for each contract in "
        "data_contracts/, if left out.",
    ),
]


@command("refresh", shows="refreshed")
def deployments_refresh(deployments: Settings = None) -> Any:
    """Rewrite the choices in the forms: files that landed, machines, versions that wait.

    For the server that PREFECT_API_URL names, where the deployments are, whoever runs them.
    """
    import asyncio

    address = named_server()
    if address is None:
        raise ConfigError(
            "No Prefect server is named, so it is not known whose forms to rewrite",
            received={ADDRESS: None},
            remedy="Type `export PREFECT_API_URL=http://127.0.0.1:4200/api`, with your server's "
            "address. `faultxfer up` rewrites its forms by itself",
        )
    require_answer(address)
    settings = load_deployments(deployments)
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
    from flows.choices import choices_of
    from flows.refresh import refresh
    from flows.registered import registered

    families = settings.families
    known = registered([family.model for family in families.values()])
    choices = {name: choices_of(one, known.get(one.model)) for name, one in families.items()}
    return asyncio.run(refresh(settings, choices))


@command("write", shows="written")
def deployments_write(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="What `prefect deploy --all` reads.")
    ] = Path("prefect.yaml"),
    deployments: Settings = None,
    pool: Annotated[
        str, typer.Option(metavar="NAME", help="Work pool whose workers run the flows.")
    ] = "faultxfer",
) -> Any:
    """Write prefect.yaml: the same deployments for a work pool, on workers of your own."""
    from faultxfer.outputs import writing
    from flows.prefect_file import as_text

    text = as_text(load_deployments(deployments), pool)
    with writing("out", out):
        out.write_text(text, encoding="utf-8")
    return {"out": str(out)}
