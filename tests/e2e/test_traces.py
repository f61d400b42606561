"""A run's own traces: OpenTelemetry spans with the scores as events, to a file or a collector."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


def attributes(span):
    return {item["key"]: next(iter(item["value"].values())) for item in span["attributes"]}


def spans_of(requests):
    return [s for r in requests for rs in r["resourceSpans"] for ss in rs["scopeSpans"] for s in ss["spans"]]


def test_every_unit_is_a_trace_with_its_scores_as_events(folder):
    folder.write(
        "product.py", "def answer(q):\n    if q.endswith(' 7'): raise ValueError('boom')\n    return 'answer 1'\n"
    )
    folder.run("run", folder.suite(run="{ retries: 0, allowed_errors: 1.0 }"), "--traces", "spans.jsonl", "--quiet")
    requests = [json.loads(line) for line in (folder.path / "spans.jsonl").read_text().splitlines()]
    resource = attributes(requests[0]["resourceSpans"][0]["resource"])
    assert resource["evalwright.suite"] == "small"
    spans = spans_of(requests)
    roots = [s for s in spans if "parentSpanId" not in s]
    calls = [s for s in spans if "parentSpanId" in s]
    assert (len(roots), len(calls)) == (30, 29)
    assert len({s["traceId"] for s in roots}) == 30
    failed = next(s for s in roots if s["status"]["code"] == 2)
    assert attributes(failed)["evalwright.case_id"] == "q07"
    event = calls[0]["events"][0]
    assert event["name"] == "gen_ai.evaluation.result"
    assert attributes(event)["gen_ai.evaluation.name"] == "exact"
    assert attributes(event)["gen_ai.evaluation.score.label"] in {"pass", "fail"}
    assert int(calls[0]["endTimeUnixNano"]) >= int(calls[0]["startTimeUnixNano"])
    assert "answer 1" not in json.dumps(spans)


@pytest.fixture
def collector():
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_collector_gets_them_over_http(folder, collector):
    url, bodies = collector
    folder.run("run", "suite.yaml", "--traces", url, "--trace-content", "--quiet")
    assert {path for path, _ in bodies} == {"/v1/traces"}
    spans = spans_of([body for _, body in bodies])
    assert len(spans) == 60
    assert "answer 1" in json.dumps(spans)


def test_a_collector_that_is_not_there_disturbs_nothing_and_is_told(folder):
    done = folder.run("run", "suite.yaml", "--traces", "http://127.0.0.1:9", "--json")
    assert (done.code, done.json["cases"]["done"]) == (0, 30)
    assert "not delivered" in done.err
