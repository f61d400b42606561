"""The help desk as an HTTP service: ``python -m helpdesk.service --port 8080``."""

import argparse
import asyncio
import json
import sys
from functools import partial
from typing import Any

from aiohttp import web

from helpdesk.articles import load_articles
from helpdesk.assistant import Assistant, Reply
from helpdesk.errors import BadRequestError, EndpointError, HelpdeskError
from helpdesk.llm import Endpoint
from helpdesk.requests import parse_request, sources

MAX_BODY = 256 * 1024
ASSISTANT = web.AppKey("assistant", Assistant)
MODE = web.AppKey("mode", str)
READABLE = partial(json.dumps, ensure_ascii=False)


def build_app(endpoint: Endpoint | None = None) -> web.Application:
    """The application with ``POST /answer`` and ``GET /health``."""
    app = web.Application(client_max_size=MAX_BODY)
    app[ASSISTANT] = Assistant(endpoint=endpoint)
    app[MODE] = f"model {endpoint.model}" if endpoint else "extractive"
    app.router.add_get("/health", health)
    app.router.add_post("/answer", answer)
    return app


async def health(request: web.Request) -> web.Response:
    """200 with the number of articles and the mode."""
    return web.json_response({"status": "ok", "articles": len(load_articles()), "mode": request.app[MODE]})


async def answer(request: web.Request) -> web.Response:
    """Answer ``{"question", "locale"?, "conversation"?}``; 400 for a bad request, 502 when the model fails."""
    try:
        question = parse_request(await _json_body(request))
        reply = await asyncio.to_thread(
            request.app[ASSISTANT].answer, question.text, locale=question.locale, conversation=question.conversation
        )
    except BadRequestError as error:
        return web.json_response({"error": str(error)}, status=400)
    except EndpointError as error:
        return web.json_response({"error": str(error)}, status=502)
    return web.json_response(_body(reply), dumps=READABLE)


async def _json_body(request: web.Request) -> object:
    try:
        return await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error


def _body(reply: Reply) -> dict[str, Any]:
    body = {
        "answer": reply.answer,
        "sources": sources(reply),
        "citations": [{"id": article_id} for article_id in reply.citations],
        "confidence": reply.confidence,
    }
    return body if reply.usage is None else {**body, "usage": dict(reply.usage)}


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; the model of the environment is used when one is configured."""
    parser = argparse.ArgumentParser(prog="python -m helpdesk.service", description="The Quillhour help desk")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        app = build_app(Endpoint.from_env())
    except HelpdeskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    web.run_app(app, host=options.host, port=options.port, print=lambda line: print(line, file=sys.stderr))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
