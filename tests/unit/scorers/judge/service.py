"""A judge's model on loopback that answers as a function says, in a thread of its own."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[dict[str, Any]], Any]
"""From a request's body to the reply: a text, a dict (the verdict object), or (status, body)."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class JudgeService:
    """An OpenAI-compatible endpoint; use as a context manager.

    Attributes:
        seen: Bodies of all requests.
    """

    def __init__(self, script: Script | str | dict[str, Any], *, model: str = "judge-1") -> None:
        self.script: Script = script if callable(script) else lambda _: script
        self.model = model
        self.seen: list[dict[str, Any]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.seen.append(body)
                status, content = service.answer(body)
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, body: dict[str, Any]) -> tuple[int, Any]:
        made = self.script(body)
        if isinstance(made, tuple):
            return made
        text = json.dumps(made) if isinstance(made, dict) else made
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 100, "completion_tokens": 10}
        choice = {"message": message, "finish_reason": "stop"}
        return 200, {"id": "x", "model": self.model, "choices": [choice], "usage": usage}

    def __enter__(self) -> "JudgeService":
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def verdict(name: str, *, confidence: float = 0.9, rationale: str = "because") -> dict[str, Any]:
    return {"rationale": rationale, "verdict": name, "confidence": confidence}


def user_text(body: dict[str, Any]) -> str:
    """What the judge was shown: the first user message."""
    return next(m["content"] for m in body["messages"] if m["role"] == "user")


def shown(body: dict[str, Any], name: str) -> str:
    """The text inside one fence."""
    text = user_text(body)
    code = text.split("The code of this message is ")[1].split(".")[0]
    return text.split(f"<<<{name} {code}\n")[1].split(f"\n{name} {code}>>>")[0]
