"""Requests to addresses that people configured: no redirects, bounded, and not into the server's own network.

The name is resolved once, its addresses are checked, and the connection goes to the address that was checked: a name
server that answers differently the second time gains nothing.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

import msgspec

from evalwright.core.errors import EvalwrightError, UsageError

TIMEOUT_S = 10.0
MOST = 1024 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class OutgoingError(EvalwrightError):
    """A request could not be made, or got no answer."""


class Forbidden(OutgoingError):
    """The address is not one the server may send to."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back.

    Attributes:
        status: HTTP status.
        body: At most a mebibyte of it.
        retry_after_s: Seconds the other side asks to wait; None when it did not.
    """

    status: int
    body: bytes
    retry_after_s: float | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request to make.

    Attributes:
        url: Where to.
        method: How.
        body: What.
        headers: Header fields.
        private: Whether addresses of private networks are allowed.
        timeout_s: Longest wait for each step.
    """

    url: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    private: bool = False
    timeout_s: float = TIMEOUT_S


def send(call: Call) -> Answer:
    """Make a request; redirects are not followed.

    Raises:
        UsageError: The URL is none.
        Forbidden: It leads into a private network.
        OutgoingError: Nobody answered in time.
    """
    parts = check_url(call.url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = _connection(parts.scheme, host, port, call)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(call.method, path, body=call.body, headers=dict(call.headers))
        answer = connection.getresponse()
        body = answer.read(MOST)
        after = answer.headers.get("Retry-After", "")
        return Answer(status=answer.status, body=body, retry_after_s=float(after) if after.isdecimal() else None)
    except (OSError, http.client.HTTPException) as error:
        raise OutgoingError(f"{host} did not answer: {type(error).__name__} {error}".strip()) from error
    finally:
        connection.close()


def check_url(url: str) -> SplitResult:
    """Parts of an address one may send to.

    Raises:
        UsageError: It is no http address, or holds a name and password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url[:200]!r} is no address: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise UsageError(f"{url[:200]!r} is no address", hint="https://host/path")
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address must not hold a name and password", hint="use a secret instead")
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise UsageError(f"{url[:200]!r} is no address: it holds blanks or control characters")
    return parts


def is_private(address: str) -> bool:
    """Whether an IP address is one of private networks, of this machine, or of no single machine.

    Example:
        >>> is_private("10.1.2.3"), is_private("::ffff:127.0.0.1"), is_private("93.184.216.34")
        (True, True, False)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_private(str(inner))
    return not found.is_global or found.is_multicast


def resolve(host: str, port: int, *, private: bool) -> str:
    """An address of a host that one may connect to.

    Raises:
        Forbidden: One of its addresses is private, and that is not allowed.
        OutgoingError: The name is not known.
    """
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise OutgoingError(f"the name {host} can't be resolved: {error}") from error
    if not private and any(is_private(address) for address in found):
        hint = "the server's administrator can allow it: evalwright serve --allow-private"
        raise Forbidden(f"{host} lies in a private network", hint=hint)
    return found[0]


class _Plain(http.client.HTTPConnection):
    """A connection to an address that was checked."""

    def __init__(self, host: str, port: int, address: str, timeout_s: float) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._address = address

    def connect(self) -> None:
        """Connect to the address, whatever the name says by now."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _Encrypted(_Plain):
    """The same with TLS, for the host's name."""

    default_port = 443

    def connect(self) -> None:
        """Connect and check the certificate."""
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _connection(scheme: str, host: str, port: int, call: Call) -> http.client.HTTPConnection:
    address = resolve(host, port, private=call.private)
    kind = _Encrypted if scheme == "https" else _Plain
    return kind(host, port, address, call.timeout_s)
