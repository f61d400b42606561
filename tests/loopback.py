"""A chat model behind loopback for whole runs: a thread that answers as a function says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = str | bytes | dict[str, Any] | tuple[int, dict[str, Any]] | tuple[int, dict[str, Any], dict[str, str]]
"""A text, server-sent events as bytes, a whole answer body, or a status with a body and headers."""


class ChatServer:
    """Where the server is, and the request bodies it has seen, in order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Path and headers (names in small letters) of each request."""

    def asked(self, model: str) -> list[dict[str, Any]]:
        """What one model was asked."""
        return [body for body in self.seen if body.get("model") == model]


@contextmanager
def chat_server(answer: Callable[[dict[str, Any]], Answer]) -> Iterator[ChatServer]:
    """Serve `POST …/chat/completions`; `answer` is given the request's body, from several threads at once."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.seen.append(body)
            server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            made = answer(body)
            status, reply, *more = made if isinstance(made, tuple) else (200, made)
            whole = completion(body, reply) if isinstance(reply, str) else reply
            content = whole if isinstance(whole, bytes) else json.dumps(whole).encode()
            kind = "text/event-stream" if isinstance(whole, bytes) else "application/json"
            self.send_response(status)
            headers = {"Content-Type": kind, "Content-Length": str(len(content)), **(more[0] if more else {})}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 1024  # with fewer, connections made at once are dropped and tried again after seconds

    http = Listening(("127.0.0.1", 0), Handler)
    server = ChatServer(f"http://127.0.0.1:{http.server_address[1]}/v1")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def completion(body: dict[str, Any], text: str) -> dict[str, Any]:
    """A whole answer of this text, with one token a word."""
    asked = sum(len(str(message.get("content")).split()) for message in body["messages"])
    return {
        "model": body["model"],
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": asked, "completion_tokens": len(text.split())},
    }
