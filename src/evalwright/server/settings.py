"""How a server is set up."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evalwright.services.accounts import LockRules, SessionRules
from evalwright.services.oidc import OidcProvider

MIB = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is taken from one client.

    Attributes:
        requests_per_min: API requests of one user or token; 0 for no limit.
        burst: Requests that may come at once.
        sign_ins_per_min: Attempts to sign in from one address; 0 for no limit.
        body: Bytes of a request at most.
        upload: Bytes of an uploaded run at most.
    """

    requests_per_min: float = 1800.0
    burst: int = 300
    sign_ins_per_min: float = 20.0
    body: int = 4 * MIB
    upload: int = 4096 * MIB


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a server is set up.

    Attributes:
        workspace: The root workspace's folder.
        catalog: Address of a PostgreSQL database for the catalogs; None for SQLite in the workspaces.
        objects: Address of object storage for runs and blobs; None for the workspaces' folders.
        public_url: Address people use, e.g. `https://eval.example.org`; cookies are `Secure` when it is https.
        hosts: Further names the server answers to, beside localhost, addresses in figures and that of `public_url`.
        limits: How much is taken from one client.
        sessions: How long a browser stays signed in.
        locks: What failed sign-ins lead to.
        oidc: Places people may sign in at.
        suites: Folder of the suites of the project `default`; the one beside the workspace when not given.
        processes: Scheduled runs at once.
        allow_private: Whether webhooks may lead into private networks.
        smtp: Host for e-mail, `smtp://user:${PASSWORD}@host:587`.
        sender: From whom e-mail comes.
        pages: Folder of the built pages; the package's own by default.
    """

    workspace: Path
    catalog: str | None = None
    objects: str | None = None
    public_url: str | None = None
    hosts: tuple[str, ...] = ()
    limits: Limits = Limits()
    sessions: SessionRules = SessionRules()
    locks: LockRules = LockRules()
    oidc: tuple[OidcProvider, ...] = ()
    suites: Path | None = None
    processes: int = 2
    allow_private: bool = False
    smtp: str = ""
    sender: str = "evalwright@localhost"
    pages: Path = Path(__file__).parent / "static"

    @property
    def secure(self) -> bool:
        """Whether people come by https."""
        return (self.public_url or "").startswith("https://")
