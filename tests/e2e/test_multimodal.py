"""Pictures, sound and documents through a whole run: in by path, to the model in its form, judged, kept, shown."""

import base64
import json
import struct
import zlib
from pathlib import Path

import pytest

from tests.loopback import chat_server


def png(color=(200, 30, 30)):
    """A picture of 2 x 2 pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + bytes(color) * 2 for _ in range(2))
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


WAV = b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", 4) + b"\x80" * 4  # fmt: skip  # noqa: E501
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def uri(kind, data):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def picture(path="pics/red.png", **more):
    return {"type": "image", "path": path, **more}


CASES = [
    {"id": "red", "input": [{"type": "text", "text": "Which colour?"}, picture()], "expected": "red"},
    {"id": "sound", "input": [{"role": "user", "content": [{"type": "audio", "path": "a.wav"}]}]},
    {"id": "paper", "input": [{"type": "document", "path": "paper.pdf"}, {"type": "document", "path": "notes.md"}]},
    {"id": "inline", "input": [{"type": "image", "url": uri("image/png", png((0, 0, 255)))}]},
    {"id": "openai", "input": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": uri("image/png", png())}}]}]},
    {"id": "address", "input": [{"type": "image", "url": "https://pictures.example/red.png"}]},
    {"id": "escape", "input": [picture("../secret.png")]},
    {"id": "absolute", "input": [picture("/etc/hostname")]},
    {"id": "link", "input": [picture("link.png")]},
    {"id": "missing", "input": [picture("pics/none.png")]},
    {"id": "svg", "input": [picture("logo.svg")]},
    {"id": "lies", "input": [picture("paper.pdf")]},
    {"id": "claims", "input": [picture(media_type="image/webp")]},
    {"id": "empty", "input": [picture("empty.png")]},
    {"id": "large", "input": [picture("large.png")]},
    {"id": "folder", "input": [picture("pics")]},
    {"id": "scheme", "input": [{"type": "image", "url": "file:///etc/passwd"}]},
    {"id": "broken", "input": [{"type": "image", "url": "data:image/png;base64,%%%"}]},
]  # fmt: skip

SUITE = """\
suite: media
version: 1
target: { type: chat, model: product, base_url: "%(url)s" }
dataset: { file: data/cases.jsonl }
scorers:
  - judge: { model: judge, base_url: "%(url)s", criterion: Is the answer right? }
run: { retries: 0, cache: "on" }
"""


def answer(body):
    if body["model"] == "judge":
        return json.dumps({"rationale": "seen", "verdict": "yes", "confidence": 0.9})
    parts = body["messages"][-1]["content"]
    kinds = [part["type"] for part in parts] if isinstance(parts, list) else ["text"]
    reply = {"role": "assistant", "content": f"I was shown {', '.join(kinds)}"}
    if "input_audio" in kinds:
        reply = {"role": "assistant", "content": None, "audio": {"data": base64.b64encode(WAV).decode(), "transcript": "I say so"}}  # fmt: skip  # noqa: E501
    if "image_url" in kinds:
        reply["images"] = [{"image_url": {"url": uri("image/png", png((0, 255, 0)))}},
                           {"image_url": {"url": uri("image/png", SVG)}}]  # fmt: skip
    return {"model": body["model"], "choices": [{"message": reply, "finish_reason": "stop"}]}


@pytest.fixture
def media(folder):
    data = folder.path / "data"
    (data / "pics").mkdir(parents=True)
    (data / "pics" / "red.png").write_bytes(png())
    (data / "a.wav").write_bytes(WAV)
    (data / "paper.pdf").write_bytes(PDF)
    (data / "notes.md").write_text("# Notes\nRed is a colour.", encoding="utf-8")
    (data / "logo.svg").write_bytes(SVG)
    (data / "empty.png").write_bytes(b"")
    (data / "large.png").write_bytes(png() + b"\0" * (20 * 1024 * 1024))
    (folder.path / "secret.png").write_bytes(png())
    (data / "link.png").symlink_to(folder.path / "secret.png")
    (data / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in CASES), encoding="utf-8")
    return folder


def rows(folder):
    folder.run("export", "latest", "--output", "rows.jsonl")
    return {row["case_id"]: row for row in map(json.loads, Path("rows.jsonl").read_text(encoding="utf-8").splitlines())}


def test_media_travel_to_the_model_and_the_judge_and_are_kept_by_content(media):
    with chat_server(answer) as server:
        media.write("media.yaml", SUITE % {"url": server.url})
        run = media.run("run", "media.yaml", "--json")
        assert run.code == 0, run.err
        assert run.json["cases"] | {"answered": 6, "bad_rows": 12} == run.json["cases"]
        sent = {json.dumps(body["messages"][-1]["content"]) for body in server.asked("product")}
        assert len(sent) == 6
        whole = " ".join(sent)
        assert uri("image/png", png()) in whole
        assert base64.b64encode(WAV).decode() in whole
        assert uri("application/pdf", PDF) in whole
        assert "Document notes.md" in whole
        assert "https://pictures.example/red.png" in whole

        found = rows(media)
        kept = found["red"]["input"][1]
        assert kept["media_type"] == "image/png"
        assert (
            kept["blob"] == found["openai"]["input"][0]["content"][0]["blob"]
        )  # the same content, however it is given
        assert found["sound"]["output"]["text"] == "I say so"
        assert found["sound"]["output"]["parts"][0]["media_type"] == "audio/wav"
        green, hostile = found["red"]["output"]["parts"]
        assert green["media_type"] == "image/png"
        assert hostile["type"] == "document"
        assert hostile["media_type"] == "image/svg+xml"

        judged = [body for body in server.asked("judge") if isinstance(body["messages"][1]["content"], list)]
        assert len(judged) == 6
        shown = json.dumps([body["messages"][1]["content"] for body in judged])
        assert "1: image of the QUESTION, 2: image of the ANSWER" in shown
        assert "[image image/png" in shown

        for path in Path(".evalwright/runs").rglob("*"):
            if path.is_file() and path.suffix != ".html":
                content = path.read_bytes()  # never inline in the record
                assert base64.b64encode(png())[:60] not in content, path
                assert base64.b64encode(WAV)[:40] not in content, path
        asked = len(server.seen)
        again = media.run("run", "media.yaml", "--json")
        assert again.json["cases"]["cached"] == 6
        assert len(server.seen) == asked
        (media.path / "data" / "pics" / "red.png").write_bytes(png((1, 2, 3)))
        assert media.run("run", "media.yaml", "--json").json["cases"]["cached"] == 5  # the key follows the content


def test_each_bad_file_is_a_bad_row_that_says_why(media):
    with chat_server(answer) as server:
        media.write("media.yaml", SUITE % {"url": server.url})
        media.run("run", "media.yaml")
    kept = next(Path(".evalwright/runs").glob("*/bad_rows.jsonl")).read_text(encoding="utf-8").splitlines()
    reasons = {CASES[row["line"] - 1]["id"]: row["reason"] for row in map(json.loads, kept)}
    assert "leads out of the dataset's folder" in reasons["escape"]
    assert "leads out of the dataset's folder" in reasons["link"]
    assert "must be relative" in reasons["absolute"]
    assert "there is no file `pics/none.png`" in reasons["missing"]
    assert "image/svg+xml, not an image" in reasons["svg"]
    assert "application/pdf, not an image" in reasons["lies"]
    assert "said to be image/webp, but its content is image/png" in reasons["claims"]
    assert "is empty" in reasons["empty"]
    assert "at most 20,971,520 are allowed" in reasons["large"]
    assert "no plain file" in reasons["folder"]
    assert "neither a `data:` URI nor a web address" in reasons["scheme"]
    assert "not base64" in reasons["broken"]


def test_the_report_draws_pictures_plays_sound_and_renders_nothing_else(media):
    with chat_server(answer) as server:
        media.write("media.yaml", SUITE % {"url": server.url})
        media.run("run", "media.yaml", "--json")
        media.run("report", "latest", "--output", "page.html")
        page = Path("page.html").read_text(encoding="utf-8")
        shown = media.run("show", "latest", "red")
        scored = media.run("score", "latest", "--suite", "media.yaml")
    assert f'<img src="{uri("image/png", png())}"' in page
    assert f'src="{uri("audio/wav", WAV)}"' in page
    assert page.count("<audio controls") == 2
    assert "image/svg+xml" in page
    assert base64.b64encode(SVG).decode() not in page
    assert "<svg xmlns=" not in page
    assert 'src="https://' not in page
    assert "[image image/png" in shown.out
    assert scored.code == 0, scored.err


def test_templates_and_golden_sets_take_media_too(media):
    case = {"id": "t", "input": {"question": "Colour?", "picture": picture()}}
    (media.path / "data" / "cases.jsonl").write_text(json.dumps(case) + "\n", encoding="utf-8")
    assert media.run("dataset", "add", "colours", "data/cases.jsonl").code == 0
    with chat_server(answer) as server:
        suite = SUITE % {"url": server.url}
        golden = suite.replace("{ file: data/cases.jsonl }", "{ golden: colours, version: latest }")
        media.write("a.yaml", golden.replace("model: product,", 'model: product, prompt: "{{ input.question }}",'))
        run = media.run("run", "a.yaml", "--json")
        assert run.code == 0, run.err
        content = server.asked("product")[0]["messages"][-1]["content"]
        assert content[0] == {"type": "text", "text": "Colour?"}
        assert content[1]["image_url"]["url"] == uri("image/png", png())
        parts = '[{ type: text, text: "{{ input.question }}" }, "{{ input.picture }}"]'
        template = f"model: product, messages: [{{ role: user, content: {parts} }}],"
        media.write("b.yaml", golden.replace("model: product,", template))
        assert media.run("run", "b.yaml", "--json", "--cache", "off").json["cases"]["answered"] == 1
        assert server.asked("product")[-1]["messages"][-1]["content"] == content


def test_exported_sets_take_their_files_along(media):
    cases = [
        {"id": "p", "input": [{"type": "document", "path": "notes.md"}, picture()], "expected": "red"},
        {"id": "t", "input": "no media"},
    ]
    (media.path / "data" / "cases.jsonl").write_text("".join(json.dumps(c) + "\n" for c in cases), encoding="utf-8")
    media.run("dataset", "add", "colours", "data/cases.jsonl")
    for words in (("checkout", "colours"), ("export", "data/cases.jsonl", "--format", "jsonl")):
        out = Path(f"out-{words[0]}") / "taken.jsonl"
        out.parent.mkdir()
        assert media.run("dataset", *words, "--output", str(out)).code == 0
        document, image = json.loads(out.read_text(encoding="utf-8").splitlines()[0])["input"]
        assert document["name"] == "notes.md"
        assert (out.parent / image["path"]).read_bytes() == png()
        elsewhere = f"workspace-{words[0]}"
        assert media.run("dataset", "add", "again", str(out), "--workspace", elsewhere).code == 0
        taken = Path(elsewhere) / "again.jsonl"
        media.run("dataset", "checkout", "again", "--output", str(taken), "--workspace", elsewhere)
        assert taken.read_text(encoding="utf-8").replace("again-files", "taken-files") == out.read_text(
            encoding="utf-8"
        )
