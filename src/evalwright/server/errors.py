"""Every error a client gets has one shape: `{"error": {"code", "message", "hint", "fields"}}`."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from evalwright.core import errors as core
from evalwright.services.accounts import LockedOut

log = logging.getLogger("evalwright.server")

STATUS: tuple[tuple[type[core.EvalwrightError], int, str], ...] = (
    (LockedOut, 429, "locked_out"),
    (core.NotFound, 404, "not_found"),
    (core.NotAllowed, 403, "not_allowed"),
    (core.Conflict, 409, "conflict"),
    (core.RunBusy, 409, "busy"),
    (core.DiskFull, 507, "disk_full"),
    (core.ConfigError, 422, "invalid"),
    (core.UsageError, 422, "invalid"),
    (core.MissingExtra, 501, "missing_extra"),
    (core.StoreError, 500, "store"),
)
"""What the project's own errors mean to a client; the first that fits."""


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class ErrorInfo(BaseModel):
    """What went wrong, and what to do."""

    code: str
    message: str
    hint: str = ""
    fields: list[FieldProblem] = []


class ErrorBody(BaseModel):
    """The body of every answer that is no success."""

    error: ErrorInfo


class Problem(Exception):
    """An error with its HTTP status, for what only concerns HTTP."""

    def __init__(self, status: int, code: str, message: str, *, hint: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.retry_after_s = retry_after_s


def error_response(
    status: int,
    code: str,
    message: str,
    *,
    hint: str = "",
    fields: Sequence[FieldProblem] = (),
    retry_after_s: float = 0.0,
) -> JSONResponse:
    """An answer in the shape of errors."""
    body = ErrorBody(error=ErrorInfo(code=code, message=message, hint=hint, fields=list(fields)))
    headers = {"Retry-After": str(max(1, math.ceil(retry_after_s)))} if retry_after_s else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(msgspec.to_builtins(body.model_dump()), status_code=status, headers=headers)


def handle_errors(app: FastAPI) -> None:
    """Make the app answer with this shape whatever happens."""
    app.add_exception_handler(core.EvalwrightError, _own)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _own(_request: Request, error: Exception) -> JSONResponse:
    found = cast("core.EvalwrightError", error)
    status, code = next(((s, c) for kind, s, c in STATUS if isinstance(found, kind)), (500, "error"))
    wait_s = found.retry_after_s if isinstance(found, LockedOut) else 0.0
    fields = [FieldProblem(field=field, message=message) for field, message in getattr(found, "fields", ())]
    return error_response(status, code, found.message, hint=found.hint, fields=fields, retry_after_s=wait_s)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    found = cast("Problem", error)
    return error_response(found.status, found.code, found.message, hint=found.hint, retry_after_s=found.retry_after_s)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    found = [_field(one) for one in cast("RequestValidationError", error).errors()]
    return error_response(422, "invalid", "the request is not as it should be", fields=found)


def _field(error: Any) -> FieldProblem:
    place = [str(part) for part in error["loc"] if part not in {"body", "query", "path", "header"}]
    return FieldProblem(field=".".join(place), message=str(error["msg"]))


def _http(request: Request, error: Exception) -> JSONResponse:
    found = cast("HTTPException", error)
    codes = {404: "not_found", 405: "method_not_allowed", 400: "bad_request", 413: "too_large", 415: "unsupported"}
    message = f"there is nothing at {request.url.path}" if found.status_code == 404 else str(found.detail)
    answer = error_response(found.status_code, codes.get(found.status_code, "error"), message)
    answer.headers.update(found.headers or {})
    return answer


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return error_response(500, "internal", "something went wrong in the server", hint="its log says what")
