"""A plain HTTP service as the system under test: a request template, JSONPath into the answer."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from pydantic import Field, PositiveInt, model_validator
from yarl import URL

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import LimitKey, RateLimit, TargetCall
from evalwright.models import jsonio
from evalwright.models.failures import Refused, malformed
from evalwright.models.rates import rate_info
from evalwright.models.secrets import (
    Secret,
    expand,
    expand_public,
    find_secrets,
    private_parts,
    refuse_literal_secret,
    resolve_secret,
    resolve_text,
)
from evalwright.models.transport import Limits, Reply, Transport, service_url
from evalwright.targets.jsonpaths import ResponseMap, whole_answer
from evalwright.targets.options import Duration, RateLimitOption, TargetOptions, config_error
from evalwright.templating import Template, TemplateError, as_text

_NAMES = ("input", "metadata", "case_id", "trial", "attempt", "seed", "idempotency_key")
_BODILESS = {"GET", "HEAD", "DELETE"}


class AuthOption(TargetOptions):
    """How a service knows who asks; every value by reference."""

    bearer: str | None = Field(None, description="Token sent as `Authorization: Bearer …`, e.g. `${SUPPORT_TOKEN}`.")
    user: str | None = Field(None, description="User of basic authentication.")
    password: str | None = Field(None, description="Password of basic authentication, by reference.")
    header: str | None = Field(None, description="Name of a header that carries a key, e.g. `X-Api-Key`.")
    value: str | None = Field(None, description="Value of that header, by reference.")

    @model_validator(mode="after")
    def _one_kind(self) -> AuthOption:
        given = {name for name in ("bearer", "user", "password", "header", "value") if getattr(self, name) is not None}
        if given not in ({"bearer"}, {"user", "password"}, {"header", "value"}):
            raise ValueError("give one of: `bearer`; `user` and `password`; `header` and `value`")
        return self

    def header_for(self, environment: Mapping[str, str]) -> tuple[str, Secret]:
        """The header that carries the credentials.

        Raises:
            ConfigError: A secret is literal or its variable is not set.
        """
        if self.bearer is not None:
            token = resolve_secret(self.bearer, environment, key="auth.bearer")
            return "Authorization", token.within("Bearer ", token.reveal())
        if self.password is not None:
            password = resolve_secret(self.password, environment, key="auth.password")
            pair = f"{expand(self.user or '', environment, key='auth.user')}:{password.reveal()}"
            return "Authorization", password.within("Basic ", base64.b64encode(pair.encode()).decode())
        return self.header or "", resolve_secret(self.value or "", environment, key="auth.value")


class HttpTargetOptions(TargetOptions):
    """An HTTP service: a template makes the request, JSONPath reads the answer.

    Templates may name `input`, `metadata`, `case_id`, `trial`, `attempt`, `seed` and `idempotency_key`.
    """

    url: str = Field(
        description="Address; may hold `${VAR}` and, after the host, placeholders: `${HOST}/q/{{ input.id }}`."
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("POST", description="HTTP method.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers; secrets by reference.")
    query: dict[str, Any] = Field(default_factory=dict, description="Query parameters, as templates.")
    request: Any = Field(
        None,
        description=(
            "Body: a JSON template (or exactly one placeholder), or any other text, sent as it is. "
            "By default the case's input as JSON (nothing for GET and DELETE)."
        ),
    )
    response: dict[str, str | dict[str, Any]] = Field(
        default_factory=dict,
        description=(
            "Where the parts of the output are in the answer, by JSONPath: "
            '`{ text: $.answer, contexts: "$.sources[*]", citations: "$.citations[*].id" }`. '
            'A mapping with `path` names the parts of the items found: `{ path: "$.hits[*]", id: doc, text: body }`. '
            "By default the answer is a text or an object of output fields."
        ),
    )
    auth: AuthOption | None = Field(
        None, description="Credentials: `bearer`, `user` and `password`, or `header` and `value`."
    )
    jinja: bool = Field(False, description="`request` is Jinja (sandboxed) instead of plain placeholders.")
    timeout: Duration | None = Field(None, description="Longest time for one answer; the run's timeout holds as well.")
    connect_timeout: Duration = Field(10.0, description="Longest time to make a connection.")
    max_body: PositiveInt = Field(32 * 1024 * 1024, description="Largest answer read, in bytes.")
    rate_limit: RateLimitOption = Field(None, description="Limit known beforehand: `300/min`; learned when not given.")
    idempotency_header: str = Field(
        "", description="Header that carries the same key for every attempt at a case; none by default."
    )

    def bind(self, context: BindContext) -> HttpTarget:
        """Check everything that can be checked without a call.

        Raises:
            ConfigError: A secret is literal, a variable is not set, a template, a path or the address is wrong.
        """
        self._refuse_secrets()
        limits = Limits(total_s=self.timeout, connect_s=self.connect_timeout, max_body=self.max_body)
        hide = private_parts(self.url, context.environment)
        headers = self._fixed_headers(context.environment)
        transport = Transport(headers, limits, hide=hide, environment=context.environment)
        return HttpTarget(self, transport, RequestMaker(self, context), expand_public(self.url, context.environment))

    def sends_json(self) -> bool:
        """Whether the body is JSON: everything but a text with more in it than one placeholder."""
        if not isinstance(self.request, str):
            return True
        text = self.request.strip()
        return not self.jinja and text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1

    def _refuse_secrets(self) -> None:
        refuse_literal_secret("url", self.url)
        for name, value in (("query", self.query), ("request", self.request)):
            for path, found in find_secrets(value, path=(name,)):
                hint = "send secrets in `auth` or `headers`, by reference"
                raise config_error(f"this looks like {found}", key=".".join(map(str, path)), hint=hint)

    def _fixed_headers(self, environment: Mapping[str, str]) -> dict[str, str | Secret]:
        headers: dict[str, str | Secret] = {"User-Agent": "evalwright", "Accept-Encoding": "identity"}
        if self.request is not None or self.method not in _BODILESS:
            headers["Content-Type"] = "application/json" if self.sends_json() else "text/plain; charset=utf-8"
        for name, value in self.headers.items():
            if "{{" not in value:
                headers = {key: kept for key, kept in headers.items() if key.lower() != name.lower()}
                headers[name] = resolve_text(value, environment, key=f"headers.{name}")
        if self.auth is not None:
            name, secret = self.auth.header_for(environment)
            headers[name] = secret
        return headers


class Request(msgspec.Struct, frozen=True):
    """One request ready to be sent."""

    url: URL
    body: bytes | None
    headers: dict[str, str] | None


class RequestMaker:
    """Fills the templates of a request.

    Raises:
        ConfigError: A template can't be read, or the address is wrong.
    """

    def __init__(self, options: HttpTargetOptions, context: BindContext) -> None:
        url = expand(options.url, context.environment, key="url")
        head = url.partition("{{")[0]
        if "{{" in url and head.count("/") < 3:
            hint = "placeholders may stand in the path and the query only"
            raise config_error("the address has a placeholder in the host", key="url", hint=hint)
        self.origin = service_url(head, key="url").origin()
        self._fixed_url = service_url(url, key="url") if "{{" not in url else None
        self._url = Template(url, names=_NAMES, key="url", inserted=_quoted)
        self._query = Template(options.query, names=_NAMES, key="query") if options.query else None
        self._headers = self._templated_headers(options)
        self._idempotency = options.idempotency_header
        self._body = self._body_template(options)
        self._sends_json = options.sends_json()

    @staticmethod
    def _body_template(options: HttpTargetOptions) -> Template | None:
        if options.request is None:
            return None if options.method in _BODILESS else Template("{{ input }}")
        return Template(options.request, jinja=options.jinja, names=_NAMES, key="request")

    @staticmethod
    def _templated_headers(options: HttpTargetOptions) -> dict[str, Template]:
        templated = {name: value for name, value in options.headers.items() if "{{" in value}
        for name, value in templated.items():
            if "${" in value:
                raise config_error("a header has both `${…}` and `{{ … }}`", key=f"headers.{name}", hint="keep one")
        return {name: Template(value, names=_NAMES, key=f"headers.{name}") for name, value in templated.items()}

    def request(self, call: TargetCall) -> Request:
        """The request for one case.

        Raises:
            TargetError: A template can't be filled (kind `template`).
        """
        values = {name: getattr(call, name) for name in _NAMES}
        try:
            return Request(self._address(values), self._content(values), self._extra(values))
        except TemplateError as error:
            raise TargetError(error.message, kind="template") from None

    def _address(self, values: Mapping[str, Json]) -> URL:
        url = self._fixed_url or URL(self._url.text(values), encoded=True)
        if self._query is None:
            return url
        filled = self._query.render(values)
        pairs = [(name, as_text(item)) for name, value in filled.items() for item in _several(value)]
        return url.update_query(pairs)

    def _content(self, values: Mapping[str, Json]) -> bytes | None:
        if self._body is None:
            return None
        content = self._body.render(values)
        return jsonio.encode(content) if self._sends_json else jsonio.clean_text(as_text(content)).encode()

    def _extra(self, values: Mapping[str, Json]) -> dict[str, str] | None:
        if not self._headers and not self._idempotency:
            return None
        extra = {name: " ".join(template.text(values).split()) for name, template in self._headers.items()}
        if self._idempotency:
            extra[self._idempotency] = str(values["idempotency_key"])
        return extra


class HttpTarget:
    """Asks an HTTP service; made by `HttpTargetOptions.bind`."""

    def __init__(self, options: HttpTargetOptions, transport: Transport, maker: RequestMaker, address: str) -> None:
        self.options = options
        self._transport = transport
        self._maker = maker
        self._address = address
        self._map = ResponseMap(options.response, "response") if options.response else None
        self._proxy = transport.proxy_for(str(maker.origin))

    @property
    def name(self) -> str:
        """The address without what is secret in it."""
        return self._address

    @property
    def limit_key(self) -> LimitKey | None:
        """Calls to the same service share a limit."""
        return LimitKey(str(self._maker.origin))

    @property
    def rate_limit(self) -> RateLimit | None:
        """The limits given."""
        limit: RateLimit | None = self.options.rate_limit
        return limit

    def describe(self) -> dict[str, Json]:
        """Everything that decides the answers: address, method, templates, header names; no secret."""
        options = self.options
        described: dict[str, Json] = {"type": "http", "url": self._address, "method": options.method}
        described |= {name: getattr(options, name) for name in ("query", "request", "response", "jinja")}
        described["headers"] = sorted(options.headers)
        return {name: value for name, value in described.items() if value not in (None, [], {}, False)}

    async def open(self) -> None:
        """Make the session."""
        await self._transport.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def respond(self, call: TargetCall) -> Output:
        """Ask the service.

        Raises:
            TargetError: The attempt failed.
        """
        request = self._maker.request(call)
        start = time.perf_counter()
        try:
            reply = await self._transport.send(
                self.options.method, request.url, request.body, headers=request.headers, proxy=self._proxy
            )
        except Refused as error:
            self._observe(call, error.headers)
            raise
        elapsed = time.perf_counter() - start
        self._observe(call, reply.headers)
        output = self._read(reply)
        return output if output.latency_s is not None else msgspec.structs.replace(output, latency_s=elapsed)

    def _observe(self, call: TargetCall, headers: Mapping[str, str]) -> None:
        info = rate_info(headers, self._transport.now)
        if info is not None:
            call.observe(info)

    def _read(self, reply: Reply) -> Output:
        if self._map is None and not _is_json(reply):
            return Output(text=reply.body.decode("utf-8", "replace"))
        try:
            body = jsonio.decode(reply.body)
        except jsonio.BadJson as error:
            raise malformed(f"the answer is not JSON ({error})", reply.body, secrets=self._transport.secrets) from None
        return self._map.output(body) if self._map is not None else whole_answer(body, self.name)


def _is_json(reply: Reply) -> bool:
    return "json" in reply.headers.get("Content-Type", "").lower()


def _quoted(value: Json) -> str:
    return quote(jsonio.clean_text(as_text(value)), safe="")


def _several(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]
