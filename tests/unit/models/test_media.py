"""Media parts in each dialect's own form, and back from answers."""

import base64

import pytest

from evalwright.core.errors import TargetError
from evalwright.models.chat import ChatRequest
from evalwright.models.dialects import DIALECTS

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 8
B64 = base64.b64encode(PNG).decode()
IMAGE = {"type": "image", "url": f"data:image/png;base64,{B64}", "media_type": "image/png"}
FAR = {"type": "image", "url": "https://pictures.example/a.png"}
WAV = {"type": "audio", "url": "data:audio/wav;base64,UklGRg==", "media_type": "audio/wav"}
FLAC = {"type": "audio", "url": "data:audio/flac;base64,ZkxhQw==", "media_type": "audio/flac"}
PDF = {"type": "document", "url": "data:application/pdf;base64,JVBERi0=", "name": "a.pdf"}
TEXT = {"type": "document", "url": "data:text/markdown;base64,IyBIaQ==", "name": "a.md"}


def sent(dialect, *parts):
    request = ChatRequest(messages=[{"role": "user", "content": [{"type": "text", "text": "Look"}, *parts]}])
    body = DIALECTS[dialect]().encode("m", request, stream=False)
    message = (body.get("messages") or body.get("input") or body.get("contents"))[0]
    return (message.get("content") or message.get("parts"))[1:]


FORMS = {
    "openai": [
        (IMAGE, {"type": "image_url", "image_url": {"url": IMAGE["url"]}}),
        (FAR, {"type": "image_url", "image_url": {"url": FAR["url"]}}),
        (WAV, {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}),
        (PDF, {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF["url"]}}),
        (TEXT, {"type": "text", "text": "Document a.md:\n# Hi"}),
    ],
    "responses": [
        (IMAGE, {"type": "input_image", "image_url": IMAGE["url"]}),
        (WAV, {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}),
        (PDF, {"type": "input_file", "filename": "a.pdf", "file_data": PDF["url"]}),
        (TEXT, {"type": "input_text", "text": "Document a.md:\n# Hi"}),
    ],
    "anthropic": [
        (IMAGE, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": B64}}),
        (FAR, {"type": "image", "source": {"type": "url", "url": FAR["url"]}}),
        (PDF, {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
               "title": "a.pdf"}),
        (TEXT, {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "# Hi"},
                "title": "a.md"}),
    ],
    "gemini": [
        (IMAGE, {"inlineData": {"mimeType": "image/png", "data": B64}}),
        (FAR, {"fileData": {"fileUri": FAR["url"]}}),
        (FLAC, {"inlineData": {"mimeType": "audio/flac", "data": "ZkxhQw=="}}),
        (PDF, {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}}),
    ],
}  # fmt: skip
FORMS["azure"] = FORMS["openai"]


@pytest.mark.parametrize(("dialect", "part", "form"), [(d, *pair) for d, pairs in FORMS.items() for pair in pairs])
def test_parts_in_the_form_of_the_dialect(dialect, part, form):
    assert sent(dialect, part) == [form]


@pytest.mark.parametrize(("dialect", "part"), [("anthropic", WAV), ("openai", FLAC), ("responses", FLAC)])
def test_what_a_provider_does_not_take_is_told_before_it_is_sent(dialect, part):
    with pytest.raises(TargetError, match="takes no audio of this kind") as told:
        sent(dialect, part)
    assert (told.value.kind, told.value.retryable) == ("bad_input", False)


def test_content_that_was_not_brought_along_is_never_sent_as_a_digest():
    with pytest.raises(TargetError, match="is not here"):
        sent("openai", {"type": "image", "blob": "0" * 64})


def test_pictures_and_sound_of_answers():
    openai = {"choices": [{"message": {"content": None, "audio": {"data": "UklGRg==", "transcript": "hi"},
                                       "images": [{"image_url": {"url": IMAGE["url"]}}]}}]}  # fmt: skip
    reply = DIALECTS["openai"]().decode(openai)
    assert reply.text == "hi"
    assert [part["type"] for part in reply.parts] == ["audio", "image"]
    responses = {"output": [{"type": "image_generation_call", "result": B64}], "status": "completed"}
    assert DIALECTS["responses"]().decode(responses).parts[0]["url"] == IMAGE["url"]
    parts = [{"text": "see"}, {"inlineData": {"mimeType": "image/png", "data": B64}}]
    gemini = DIALECTS["gemini"]().decode({"candidates": [{"content": {"parts": parts}}]})
    assert (gemini.text, gemini.parts[0]["url"]) == ("see", IMAGE["url"])
