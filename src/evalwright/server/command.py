"""`evalwright serve`: the workbench for a workspace."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.extras import optional

if TYPE_CHECKING:
    from evalwright.services.oidc import OidcProvider

_PASSED_ON = ("catalog", "objects", "suites", "processes", "allow_private", "smtp", "sender")

EVERY_S = 5.0
"""Pause between two looks at schedules, deliveries and events."""

EPILOG = """\b
Examples:
  evalwright serve
  evalwright serve --host 0.0.0.0 --public-url https://eval.example.org
  evalwright --catalog postgresql://eval@db/eval serve --workspace /srv/eval"""


@click.command(epilog=EPILOG)
@click.option(
    "--workspace",
    "-w",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of results; $EVALWRIGHT_WORKSPACE or the nearest .evalwright upward by default.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port; 0 for any free.")
@click.option("--catalog", metavar="URL", help="Catalogs in PostgreSQL: postgresql://user:${PASSWORD}@host/database.")
@click.option("--objects", metavar="URL", help="Finished runs and content in object storage: s3://bucket/prefix.")
@click.option("--public-url", metavar="URL", help="Address people use, where a proxy stands before the server.")
@click.option("--host-name", "hosts", multiple=True, metavar="NAME", help="Further name the server answers to.")
@click.option("--oidc", type=click.Path(path_type=Path, dir_okay=False), help="YAML file of places to sign in at.")
@click.option("--suites", type=click.Path(path_type=Path, file_okay=False), help="Folder of suites for schedules.")
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="Scheduled runs at once.")
@click.option("--allow-private", is_flag=True, help="Webhooks may lead into private networks.")
@click.option("--smtp", default="", metavar="URL", help="Host for e-mail, smtp://user:${PASSWORD}@host:587.")
@click.option("--mail-from", "sender", default="evalwright@localhost", metavar="ADDRESS", help="Sender of e-mail.")
@click.option("--no-background", is_flag=True, help="Serve only: no schedules, no deliveries.")
@click.option(
    "--trust-proxy", metavar="ADDRESSES", default="", help="Proxies whose word on the client's address counts."
)
def serve(
    workspace: Path | None, host: str, port: int, trust_proxy: str, *, no_background: bool, **options: Any
) -> None:
    """Serve the workbench: pages, API, sign-in and reviews for the workspace.

    The first start prints a one-time code, with which the first admin is made in the browser.
    """
    from evalwright.store.workspace import Workspace

    optional("fastapi", extra="server")
    place = Workspace.open(workspace, catalog=options["catalog"], objects=options["objects"])
    place.ensure()
    settings = settings_from(place.root.resolve(), options)
    run_server(settings, host=host, port=port, trust_proxy=trust_proxy, background=not no_background)


def settings_from(root: Path, options: dict[str, Any]) -> Any:
    """Settings from the options of the command line.

    Raises:
        UsageError: The address people use is none.
    """
    from evalwright.server.settings import ServerSettings

    url = options.get("public_url")
    if url and not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no address people could use", hint="--public-url https://eval.example.org")
    oidc = read_providers(options["oidc"]) if options.get("oidc") else ()
    return ServerSettings(
        workspace=root,
        public_url=url,
        hosts=tuple(options["hosts"]),
        oidc=oidc,
        **{name: options[name] for name in _PASSED_ON},
    )


def read_providers(path: Path) -> tuple[OidcProvider, ...]:
    """Places to sign in at, from a YAML file with a list of them.

    Raises:
        ConfigError: The file can't be read, or says something unknown.
        NotAllowed: An issuer is not reached by https.
    """
    from evalwright.core.errors import ConfigError, Problem
    from evalwright.services.oidc import OidcProvider, check_provider
    from evalwright.suites.yaml_reader import read_yaml

    found = read_yaml(path).data
    try:
        providers = msgspec.convert(found, tuple[OidcProvider, ...])
    except msgspec.ValidationError as error:
        hint = "a list of entries with id, issuer, client_id and client_secret: ${NAME}"
        raise ConfigError([Problem(message=str(error), file=str(path), hint=hint)]) from error
    for provider in providers:
        check_provider(provider)
    return providers


def run_server(settings: Any, *, host: str, port: int, trust_proxy: str, background: bool = True) -> None:
    """Serve until a signal ends it.

    Raises:
        UsageError: The address can't be listened at.
    """
    import uvicorn

    from evalwright.server.app import create_app
    from evalwright.server.state import ServerState

    listener = _listener(host, port)
    state = ServerState(settings)
    if background:
        state.begin(every_s=EVERY_S)
    _announce(state, settings.public_url or _address(listener))
    config = uvicorn.Config(
        create_app(settings, state=state),
        log_level=os.environ.get("EVALWRIGHT_LOG", "warning"),
        proxy_headers=bool(trust_proxy),
        forwarded_allow_ips=trust_proxy or None,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        message = f"{host}:{port} can't be listened at: {error.strerror}"
        raise UsageError(message, hint="--port 0 takes a free one") from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _announce(state: Any, address: str) -> None:
    click.echo(f"Evalwright serves {state.settings.workspace} at {address}", err=True)
    code = state.accounts.new_setup_code()
    if code is not None:
        click.echo(f"first start: open {address}/setup and make the first admin with the code {code}", err=True)
