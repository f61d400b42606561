"""A chat model behind loopback for whole runs: a thread that answers as a function says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = str | dict[str, Any] | tuple[int, dict[str, Any]]
"""A text, a whole answer body, or a status with a body."""


class ChatServer:
    """Where the server is, and the request bodies it has seen, in order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[dict[str, Any]] = []

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
            made = answer(body)
            status, reply = made if isinstance(made, tuple) else (200, made)
            content = json.dumps(completion(body, reply) if isinstance(reply, str) else reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
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
