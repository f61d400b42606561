"""Signing in elsewhere: OpenID Connect, authorization code flow with PKCE.

Sources: OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3; RFC 7636 (PKCE); RFC 9700 (best current practice).
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from evalwright.core.errors import NotAllowed
from evalwright.core.extras import optional
from evalwright.models.secrets import resolve_secret
from evalwright.services.accounts import Accounts, NewUser, sha256
from evalwright.services.outgoing import Call, OutgoingError, send
from evalwright.store.accounts import PendingSignIn, User

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
"""Signatures that are taken: none that a client's secret or nothing at all would do for."""

LASTS_S = 600.0
"""How long somebody may take to sign in."""

KEYS_LAST_S = 3600.0
LEEWAY_S = 60


class OidcProvider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place people may sign in at.

    Attributes:
        id: Short name, part of addresses.
        title: What the button says.
        issuer: Address whose `/.well-known/openid-configuration` tells the rest.
        client_id: What the provider knows the server as.
        client_secret: Variable that holds the secret, `${NAME}`; empty for a public client.
        scopes: What is asked for.
        domains: Only verified e-mail addresses of these domains; empty for all the provider lets in.
        create_users: Whether somebody unknown gets an account (with no project); otherwise an admin makes it first.
    """

    id: str
    issuer: str
    client_id: str
    title: str = ""
    client_secret: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    domains: tuple[str, ...] = ()
    create_users: bool = False


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that was begun: where the browser goes, and what it must bring back in a cookie."""

    location: str
    browser: str


class Refused(NotAllowed):
    """The sign-in elsewhere did not succeed; `code` says why, for the page."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Oidc:
    """Sign-ins at one provider; its description and keys are fetched when needed and kept for an hour."""

    def __init__(self, provider: OidcProvider, environment: Mapping[str, str] | None = None) -> None:
        self.provider = provider
        self._environment = os.environ if environment is None else environment
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}

    def start(self, accounts: Accounts, *, redirect: str, back_to: str, now: float) -> Started:
        """Begin a sign-in.

        Raises:
            OutgoingError: The provider does not answer.
        """
        state, nonce, browser = (secrets.token_urlsafe(32) for _ in range(3))
        verifier = secrets.token_urlsafe(48)
        pending = PendingSignIn(
            state_hash=sha256(state),
            provider=self.provider.id,
            nonce=nonce,
            verifier=verifier,
            browser_hash=sha256(browser),
            next=local_path(back_to),
            expires_at=now + LASTS_S,
        )
        accounts.access.begin_sign_in(pending, now)
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(self.provider.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        address = str(self._described(now)["authorization_endpoint"])
        joint = "&" if urlsplit(address).query else "?"
        return Started(location=f"{address}{joint}{urlencode(asked)}", browser=browser)

    def finish(self, accounts: Accounts, answer: OidcAnswer, now: float) -> tuple[User, str]:
        """Who signed in, and the page they came from.

        Raises:
            Refused: The answer is not to a sign-in of this browser, or the provider's word can't be trusted, or the
                person has no account here.
            OutgoingError: The provider does not answer.
        """
        pending = accounts.access.take_sign_in(sha256(answer.state), now)
        if pending is None or pending.provider != self.provider.id:
            raise Refused("state", "this sign-in was not begun here, or took too long")
        if not secrets.compare_digest(pending.browser_hash, sha256(answer.browser)):
            raise Refused("browser", "this sign-in was begun in another browser")
        if answer.error or not answer.code:
            raise Refused("provider", f"{self.provider.title or self.provider.id} refused: {answer.error[:200]}")
        claims = self._claims(self._id_token(answer, pending, now), pending, now)
        return self._user(accounts, claims, now), pending.next

    def _id_token(self, answer: OidcAnswer, pending: PendingSignIn, now: float) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": answer.code,
            "redirect_uri": answer.redirect,
            "client_id": self.provider.client_id,
            "code_verifier": pending.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self.provider.client_secret:
            known = resolve_secret(self.provider.client_secret, self._environment, key="client_secret").reveal()
            pair = f"{_quoted(self.provider.client_id)}:{_quoted(known)}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        call = Call(
            url=str(self._described(now)["token_endpoint"]),
            method="POST",
            body=urlencode(form).encode(),
            headers=headers,
            private=True,
        )
        found = send(call)
        body = _json(found.body) if found.status == 200 else {}
        if not isinstance(body.get("id_token"), str):
            raise Refused("token", f"the provider gave no identity (status {found.status})")
        return str(body["id_token"])

    def _claims(self, token: str, pending: PendingSignIn, now: float) -> dict[str, Any]:
        """The claims of an identity token, after all its checks."""
        jwt = optional("joserfc.jwt", extra="server")
        errors = optional("joserfc.errors", extra="server")
        registry = jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.provider.issuer},
            aud={"essential": True, "value": self.provider.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": pending.nonce},
        )
        try:
            decoded = self._decoded(token, now)
            registry.validate(decoded.claims)
        except (errors.JoseError, ValueError) as error:
            raise Refused("token", f"the provider's word can't be trusted: {error}") from error
        claims: dict[str, Any] = decoded.claims
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", self.provider.client_id if not several else None) != self.provider.client_id:
            raise Refused("token", "the provider's word is for another party")
        return claims

    def _decoded(self, token: str, now: float) -> Any:
        """The token by the provider's keys; fetched again once when they don't fit, as providers change them."""
        jwt = optional("joserfc.jwt", extra="server")
        jwk = optional("joserfc.jwk", extra="server")
        errors = optional("joserfc.errors", extra="server")
        for fresh in (False, True):
            keys = jwk.KeySet.import_key_set(self._fetched(str(self._described(now)["jwks_uri"]), now, fresh=fresh))
            try:
                return jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            except (errors.BadSignatureError, errors.InvalidKeyIdError, errors.MissingKeyError, ValueError):
                if fresh:
                    raise
        raise AssertionError

    def _described(self, now: float) -> dict[str, Any]:
        found = self._fetched(f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration", now)
        missing = [key for key in ("authorization_endpoint", "token_endpoint", "jwks_uri") if key not in found]
        if missing or found.get("issuer") != self.provider.issuer:
            raise OutgoingError(f"{self.provider.issuer} does not describe itself as a provider of this name")
        return found

    def _fetched(self, url: str, now: float, *, fresh: bool = False) -> dict[str, Any]:
        with self._lock:
            at, kept = self._kept.get(url, (0.0, None))
        if kept is not None and not fresh and now - at < KEYS_LAST_S:
            return dict(kept)
        found = send(Call(url=url, headers={"Accept": "application/json"}, private=True))
        if found.status != 200:
            raise OutgoingError(f"{url} answered {found.status}")
        body = _json(found.body)
        with self._lock:
            self._kept[url] = (now, body)
        return body

    def _user(self, accounts: Accounts, claims: dict[str, Any], now: float) -> User:
        self._check_domain(claims)
        identity = f"{claims['iss']} {claims['sub']}"
        user = accounts.people.user_of_identity(identity)
        if user is None and not self.provider.create_users:
            raise Refused("unknown", f"you have no account here; an admin can make one for {identity[:300]}")
        if user is None:
            user = accounts.add_user(_new_user(accounts, claims, identity), now)
        if user.disabled:
            raise Refused("disabled", "this account may no longer sign in")
        return user

    def _check_domain(self, claims: dict[str, Any]) -> None:
        if not self.provider.domains:
            return
        domain = str(claims.get("email", "")).rpartition("@")[2].lower()
        if claims.get("email_verified") is not True or domain not in self.provider.domains:
            raise Refused("domain", "your e-mail address is not of a domain that may sign in here")


class OidcAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser brought back.

    Attributes:
        state: Must be one that was given out.
        browser: Value of the cookie set at the start.
        redirect: The address it came back to.
        code: To exchange for the identity; empty after an error.
        error: The provider's error; empty for none.
    """

    state: str
    browser: str
    redirect: str
    code: str = ""
    error: str = ""


def challenge(verifier: str) -> str:
    """The PKCE challenge (S256) of a verifier.

    Example:
        >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def local_path(path: str) -> str:
    r"""A path of this server, or `/`: never an address elsewhere.

    Example:
        >>> local_path("/p/default/runs?x=1"), local_path("//evil.example"), local_path("/\\evil.example")
        ('/p/default/runs?x=1', '/', '/')
    """
    fine = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path[:500] if fine else "/"


def check_provider(provider: OidcProvider) -> None:
    """Refuse providers that could not be trusted.

    Raises:
        NotAllowed: The issuer is not reached by https, this machine aside.
    """
    parts = urlsplit(provider.issuer)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise NotAllowed(f"the issuer {provider.issuer} must be an https address")


def _new_user(accounts: Accounts, claims: dict[str, Any], identity: str) -> NewUser:
    wanted = str(claims.get("preferred_username") or str(claims.get("email", "")).partition("@")[0]).lower()
    base = "".join(letter for letter in wanted if letter.isascii() and (letter.isalnum() or letter in "-_."))
    base = base.strip("-_.")[:50] or "user"
    name = base
    while accounts.people.user(name) is not None:
        name = f"{base}-{secrets.token_hex(2)}"
    return NewUser(
        username=name, name=str(claims.get("name", "")), email=str(claims.get("email", "")), identity=identity
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _quoted(text: str) -> str:
    """As RFC 6749, 2.3.1 wants names and secrets in a Basic header."""
    from urllib.parse import quote_plus

    return quote_plus(text)
