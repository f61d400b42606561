"""Media parts of messages in each provider's own form; the content comes as `data:` URIs or as addresses."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.core.media import MediaError, data_uri, is_part, is_text, media_type

_AUDIO = {"audio/wav": "wav", "audio/mpeg": "mp3"}


class Inline:
    """A media part taken apart: kind, media type, base64 text, name; or its address."""

    def __init__(self, part: Mapping[str, Json]) -> None:
        self.kind = str(part["type"])
        self.name = str(part.get("name") or "")
        self.url = str(part.get("url") or "")
        self.media_type, self.base64 = str(part.get("media_type") or ""), ""
        if self.url.startswith("data:"):
            head, _, self.base64 = self.url.partition(",")
            self.media_type = head[5:].partition(";")[0]

    @property
    def inline(self) -> bool:
        """Whether the content is here, not at an address."""
        return bool(self.base64)

    @property
    def is_text(self) -> bool:
        """Whether it is a document of text that is here."""
        return self.kind == "document" and self.inline and is_text(self.media_type)

    @property
    def text(self) -> str:
        """The text of a document of text."""
        try:
            return data_uri(self.url)[1].decode("utf-8-sig", "replace")
        except MediaError as error:
            raise TargetError(f"the document can't be sent: {error}", kind="bad_input") from None

    @property
    def file_name(self) -> str:
        """The name, or one made from the type."""
        return self.name or ("document.pdf" if self.media_type == "application/pdf" else "document")


def inline_of(part: Json) -> Inline | None:
    """A media part of ours taken apart; None when the value is none.

    Raises:
        TargetError: It names content that was not brought along (kind `bad_input`).
    """
    if not is_part(part):
        return None
    if not isinstance(part.get("url"), str):
        raise TargetError(f"the content of {part['type']} `{part.get('path') or part.get('blob')}` is not here", kind="bad_input")  # fmt: skip  # noqa: E501
    return Inline(part)


def unsupported(media: Inline, provider: str) -> TargetError:
    """This kind of part has no form in this dialect."""
    what = media.media_type or f"{media.kind} by address"
    return TargetError(f"{provider} takes no {media.kind} of this kind ({what})", kind="bad_input")


def openai_part(part: Json) -> Json:
    """A part for chat completions; other values stay as they are."""
    media = inline_of(part)
    if media is None:
        return part
    if media.kind == "image":
        return {"type": "image_url", "image_url": {"url": media.url}}
    if media.kind == "audio" and media.inline and media.media_type in _AUDIO:
        return {"type": "input_audio", "input_audio": {"data": media.base64, "format": _AUDIO[media.media_type]}}
    if media.is_text:
        return {"type": "text", "text": text_document(media)}
    if media.kind == "document" and media.inline:
        return {"type": "file", "file": {"filename": media.file_name, "file_data": media.url}}
    raise unsupported(media, "the OpenAI dialect")


def responses_part(part: Json) -> Json:
    """A part for OpenAI's responses."""
    media = inline_of(part)
    if media is None:
        return part
    if media.kind == "image":
        return {"type": "input_image", "image_url": media.url}
    if media.kind == "audio" and media.inline and media.media_type in _AUDIO:
        return {"type": "input_audio", "input_audio": {"data": media.base64, "format": _AUDIO[media.media_type]}}
    if media.is_text:
        return {"type": "input_text", "text": text_document(media)}
    if media.kind == "document":
        return (
            {"type": "input_file", "filename": media.file_name, "file_data": media.url}
            if media.inline
            else {
                "type": "input_file",
                "file_url": media.url,
            }
        )
    raise unsupported(media, "the responses dialect")


def anthropic_part(part: Json) -> Json:
    """A content block for Anthropic."""
    media = inline_of(part)
    if media is None:
        return part
    if media.kind == "audio":
        raise unsupported(media, "Anthropic")
    named = {"title": media.name} if media.kind == "document" and media.name else {}
    if not media.inline:
        return {"type": media.kind, "source": {"type": "url", "url": media.url}, **named}
    if media.is_text:
        return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": media.text}, **named}
    if media.kind == "document" and media.media_type != "application/pdf":
        raise unsupported(media, "Anthropic")
    source = {"type": "base64", "media_type": media.media_type, "data": media.base64}
    return {"type": media.kind, "source": source, **named}


def gemini_part(part: Json) -> dict[str, Json] | None:
    """A part for Gemini; None when the value is no media part."""
    media = inline_of(part)
    if media is None:
        return None
    if media.inline:
        return {"inlineData": {"mimeType": media.media_type, "data": media.base64}}
    kind = {"mimeType": media.media_type} if media.media_type else {}
    return {"fileData": {**kind, "fileUri": media.url}}


def text_document(media: Inline) -> str:
    """A document of text as it stands in a message, with its name."""
    return f"Document {media.name or 'without a name'}:\n{media.text}"


def answered(kind: str, data: Json, given: Json = None) -> dict[str, Json] | None:
    """A media part from base64 in an answer; None when there is none."""
    if not isinstance(data, str) or not data:
        return None
    if data.startswith(("https://", "http://", "data:")):
        return {"type": kind, "url": data}
    found = given if isinstance(given, str) and "/" in given else _sniffed(data)
    return {"type": kind, "url": f"data:{found};base64,{data}"}


def _sniffed(data: str) -> str:
    try:
        return media_type(base64.b64decode(data[:4096]))
    except ValueError:
        return "application/octet-stream"
