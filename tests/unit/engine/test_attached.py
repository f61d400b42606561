"""Media between the store, the target and the record."""

import base64

import msgspec

from evalwright.core.case import Case
from evalwright.core.output import Output
from evalwright.engine import run
from evalwright.store.blobs import Blobs
from evalwright.targets.dialogue import DialogueTarget, DialogueTargetOptions
from evalwright.testing import FakeTarget

from .kit import job, records

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 8
URI = "data:image/png;base64," + base64.b64encode(PNG).decode()


def ran(tmp_path, target, value):
    blobs = Blobs(tmp_path / "blobs")
    part = {"type": "image", "blob": blobs.put(PNG), "media_type": "image/png", "bytes": len(PNG)}
    folder = tmp_path / "run"
    folder.mkdir()
    made = job(folder, target, [Case(id="a", input=value(part))])
    run(msgspec.structs.replace(made, media=blobs))
    return next(iter(records(folder).values())), part


def test_any_target_is_given_the_content_and_the_record_the_digest(tmp_path):
    def answer(call):
        return Output(
            text="seen", data={"copy": call.input["picture"], "note": 1}, parts=({"type": "image", "url": URI},)
        )

    target = FakeTarget(answer)
    record, part = ran(tmp_path, target, lambda part: {"question": "?", "picture": part})
    assert target.calls[0].input["picture"]["url"] == URI
    assert record.output.parts == (part,)
    assert record.output.data == {"copy": part, "note": 1}


def test_content_that_is_gone_is_an_error_of_the_row(tmp_path):
    missing = {"type": "image", "blob": "0" * 64, "media_type": "image/png"}
    record, _ = ran(tmp_path, FakeTarget(default="x"), lambda part: [missing])
    assert record.error.kind == "bad_input"
    assert "holds no content" in record.error.message


def test_conversations_with_pictures_keep_digests(tmp_path):
    inner = FakeTarget(lambda call: "nice")
    target = DialogueTarget(inner, DialogueTargetOptions(target={"type": "python", "callable": "a:b"}))
    record, part = ran(tmp_path, target, lambda part: [{"content": [{"type": "text", "text": "Look"}, part]}, "Again"])
    assert inner.calls[0].input[0]["content"][1]["url"] == URI
    assert record.output.messages[0]["content"] == [{"type": "text", "text": "Look"}, part]


def test_what_a_target_says_of_its_own_is_left_alone(tmp_path):
    own = {"type": "document", "url": "ftp://somewhere/else", "id": 7}
    record, _ = ran(tmp_path, FakeTarget(lambda call: Output(text="x", data=own)), lambda part: "plain")
    assert record.output.data == own
