"""Pictures, sound and documents in inputs and outputs: their parts, their types by content, their place in the store.

A *media part* is an object with `type` (`image`, `audio` or `document`) and one of `path` (a file beside the dataset),
`url` (an address, or a `data:` URI), or `blob` (the content's digest in the workspace). Cases and records hold `blob`
or an address only, never the content; what a target or judge is given holds a `data:` URI in place of the digest.
"""

# Providers' own JSON is taken apart here, narrowed by isinstance; mypy checks this file strictly, too.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from evalwright.core.case import Json

KINDS = ("image", "audio", "document")
LARGEST = 20 * 1024 * 1024
"""Bytes of one part at most."""

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Pictures that models take and reports draw; SVG is none, since it can hold scripts."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypmp4", "audio/mp4"),
    (4, b"ftypisom", "audio/mp4"),
    (0, b"\x1aE\xdf\xa3", "audio/webm"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
)
_TEXT_TYPES = {
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "json": "application/json",
    "md": "text/markdown",
    "svg": "image/svg+xml",
    "xml": "application/xml",
}
_OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_SAME = {"image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav"}


class MediaError(ValueError):
    """A part can't be used; the message says why in one sentence."""


class Contents(Protocol):
    """Where the content of parts is kept, by digest."""

    def put(self, data: bytes) -> str:
        """Keep bytes and give their digest."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes with this digest."""
        ...

    def __contains__(self, digest: str) -> bool:
        """Whether they are there."""
        ...


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """Content with its type.

    Attributes:
        kind: `image`, `audio` or `document`.
        media_type: By its first bytes, never by what somebody says.
        data: The bytes.
        name: File name, for documents.
    """

    kind: str
    media_type: str
    data: bytes
    name: str = ""

    @property
    def uri(self) -> str:
        """As a `data:` URI."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"

    def part(self, digest: str) -> dict[str, Json]:
        """The part a record keeps: digest, type and size; the name of a document, since models are shown it."""
        made: dict[str, Json] = {"type": self.kind, "blob": digest, "media_type": self.media_type}
        made["bytes"] = len(self.data)
        return {**made, "name": self.name} if self.name and self.kind == "document" else made


def media_type(data: bytes, name: str = "") -> str:
    """What bytes are, by their beginning; texts and office files also by their name.

    Example:
        >>> media_type(b"%PDF-1.7 ...")
        'application/pdf'
        >>> media_type(b"<svg onload='x()'/>", "logo.svg")
        'image/svg+xml'
    """
    found = next((kind for start, mark, kind in _MAGIC if data[start : start + len(mark)] == mark), None)
    ending = name.rpartition(".")[2].lower()
    if found == "application/zip":
        return _OFFICE.get(ending, found)
    if found is not None:
        return found
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "application/octet-stream"
    if "\0" in text or not text:
        return "application/octet-stream"
    return "image/svg+xml" if "<svg" in text[:1000].lower() else _TEXT_TYPES.get(ending, "text/plain")


def media_of(kind: str, data: bytes, *, name: str = "", claimed: str = "") -> Media:
    """Content as what it is said to be.

    Args:
        kind: `image`, `audio` or `document`.
        data: The bytes.
        name: File name.
        claimed: Media type somebody gave; must be the real one.

    Raises:
        MediaError: Empty, too large, or something else than is said.
    """
    if not data:
        raise MediaError(f"the {kind} is empty")
    if len(data) > LARGEST:
        raise MediaError(f"the {kind} has {len(data):,} bytes; at most {LARGEST:,} are allowed")
    found = media_type(data, name)
    if not _fits(kind, found):
        hint = "; give it as a document" if found == "image/svg+xml" else ""
        raise MediaError(f"this is {found}, not {'an' if kind != 'document' else 'a'} {kind} that models take{hint}")
    said = _SAME.get(claimed.lower(), claimed.lower())
    if said and said != found and not (_is_text(said) and _is_text(found)):
        raise MediaError(f"it is said to be {claimed[:80]}, but its content is {found}")
    return Media(kind=kind, media_type=said if said and _is_text(found) else found, data=data, name=name)


def _fits(kind: str, found: str) -> bool:
    if kind == "image":
        return found in IMAGES
    if kind == "audio":
        return found.startswith("audio/")
    return found == "application/pdf" or _is_text(found) or found in _OFFICE.values()


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in {"application/json", "application/xml", "image/svg+xml"}


def is_text(kind: str) -> bool:
    """Whether a document's content is text."""
    return _is_text(kind)


def data_uri(url: str) -> tuple[str, bytes]:
    """Media type and content of a `data:` URI.

    Raises:
        MediaError: It is none in base64, or too long.
    """
    head, comma, body = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise MediaError("a `data:` URI must be `data:TYPE;base64,…`")
    return head[5:].removesuffix(";base64").partition(";")[0], base64_bytes(body)


def base64_bytes(text: str) -> bytes:
    """Bytes from base64.

    Raises:
        MediaError: It is none, or too long.
    """
    if len(text) > LARGEST * 4 // 3 + 8:
        raise MediaError(f"it holds more than {LARGEST:,} bytes")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MediaError("it is not base64") from None


def is_part(value: Json) -> bool:
    """Whether a value is a media part."""
    if not isinstance(value, Mapping) or value.get("type") not in KINDS:
        return False
    return any(isinstance(value.get(key), str) for key in ("blob", "path", "url"))


def mapped(value: Json, change: Callable[[Json], Json]) -> Json:
    """The value with every media part in it replaced; the value itself where there is none."""
    if isinstance(value, dict):
        if is_part(value) or _foreign(value) is not None:
            return change(value)
        changed = {key: mapped(item, change) for key, item in value.items()}
        return changed if any(changed[key] is not value[key] for key in value) else value
    if isinstance(value, list | tuple):
        items = [mapped(item, change) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


Foreign = tuple[str, str, str]
"""Kind, `data:` URI or address, and name of a content part in a provider's own form."""


def _foreign(part: Mapping[str, Json]) -> Foreign | None:
    """A content part of OpenAI (chat or responses), Anthropic or Gemini taken apart; None when it is none."""
    for read in (_openai, _responses, _anthropic, _gemini):
        if (found := read(part)) is not None:
            return found
    return None


def _openai(part: Mapping[str, Json]) -> Foreign | None:
    kind = part.get("type")
    inner = part.get(str(kind)) if isinstance(kind, str) else None
    if kind == "image_url":
        url = inner.get("url") if isinstance(inner, Mapping) else inner
        return ("image", url, "") if isinstance(url, str) else None
    if kind == "input_audio" and isinstance(inner, Mapping) and isinstance(inner.get("data"), str):
        form = "mpeg" if inner.get("format") == "mp3" else str(inner.get("format") or "wav")
        return "audio", f"data:audio/{form};base64,{inner['data']}", ""
    if kind == "file" and isinstance(inner, Mapping) and isinstance(inner.get("file_data"), str):
        return "document", inner["file_data"], str(inner.get("filename") or "")
    return None


def _responses(part: Mapping[str, Json]) -> Foreign | None:
    kind = part.get("type")
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return "image", part["image_url"], ""
    if kind == "input_file" and isinstance(part.get("file_data"), str):
        return "document", part["file_data"], str(part.get("filename") or "")
    return None


def _anthropic(part: Mapping[str, Json]) -> Foreign | None:
    kind, source = part.get("type"), part.get("source")
    if kind not in {"image", "document"} or not isinstance(source, Mapping):
        return None
    if source.get("type") == "url" and isinstance(source.get("url"), str):
        return kind, source["url"], ""
    if source.get("type") == "base64" and isinstance(source.get("data"), str):
        return kind, f"data:{source.get('media_type')};base64,{source['data']}", str(part.get("title") or "")
    return None


def _gemini(part: Mapping[str, Json]) -> Foreign | None:
    inline = part.get("inlineData") or part.get("inline_data")
    if not isinstance(inline, Mapping) or not isinstance(inline.get("data"), str):
        return None
    given = str(inline.get("mimeType") or inline.get("mime_type") or "")
    kind = given.partition("/")[0]
    return (kind if kind in {"image", "audio"} else "document"), f"data:{given};base64,{inline['data']}", ""


def stored(
    value: Json,
    contents: Contents,
    read: Callable[[str], tuple[bytes, str]] | None = None,
    *,
    faulty: Callable[[Json, MediaError], Json] | None = None,
) -> Json:
    """The value with the content of its parts kept in the store, and their digests in its place.

    Args:
        value: Any JSON value.
        contents: Where content goes.
        read: From a `path` to bytes and file name; without it paths are refused.
        faulty: What stands in the place of a part that can't be used; without it, it is an error.

    Raises:
        MediaError: A part can't be used; the message says why.
    """

    def change(part: Json) -> Json:
        try:
            return settle(part)
        except MediaError as error:
            if faulty is None:
                raise
            return faulty(part, error)

    def settle(part: Json) -> Json:
        foreign = _foreign(part)
        if foreign is not None:
            kind, url, name = foreign
            if not url.startswith("data:"):
                return {"type": kind, "url": url} if "source" in part else part
            return _kept(contents, kind, url, name=name, claimed="")
        if isinstance(part.get("blob"), str):
            return part
        if isinstance(part.get("path"), str):
            if read is None:
                raise MediaError("a `path` can't be followed here")
            data, name = read(part["path"])
            shown = str(part.get("name") or name)
            media = media_of(part["type"], data, name=shown, claimed=str(part.get("media_type") or ""))
            return media.part(contents.put(data))
        url = part["url"]
        if url.startswith("data:"):
            return _kept(contents, part["type"], url, name=str(part.get("name") or ""), claimed="given")
        if not url.startswith(("https://", "http://")):
            raise MediaError(f"`{url[:80]}` is neither a `data:` URI nor a web address")
        return part

    return mapped(value, change)


def salvaged(part: Json, error: MediaError, contents: Contents) -> Json:
    """A part of an answer that is not what it says: its content as a document, with what is wrong with it.

    A part without content stays as it is: it is data of the target's own.
    """
    url = part.get("url") if is_part(part) else (_foreign(part) or ("", "", ""))[1]
    if not isinstance(url, str) or not url.startswith("data:"):
        return part
    try:
        _, data = data_uri(url)
    except MediaError as fault:
        return {"type": "document", "problem": str(fault)}
    kept = {"type": "document", "problem": str(error), "media_type": media_type(data), "bytes": len(data)}
    return kept if len(data) > LARGEST else {**kept, "blob": contents.put(data)}


def _kept(contents: Contents, kind: str, url: str, *, name: str, claimed: str) -> dict[str, Json]:
    said, data = data_uri(url)
    media = media_of(kind, data, name=name, claimed=said if claimed else "")
    return media.part(contents.put(data))


def loaded(value: Json, contents: Contents) -> Json:
    """The value with the content of its parts as `data:` URIs, as targets and judges are given it."""

    def change(part: Json) -> Json:
        digest = part.get("blob")
        if not isinstance(digest, str):
            return part
        data = contents.get(digest)
        kind = str(part.get("media_type") or media_type(data))
        uri = f"data:{kind};base64,{base64.b64encode(data).decode()}"
        kept = {key: item for key, item in part.items() if key in {"type", "name"}}
        return {**kept, "url": uri, "media_type": kind}

    return mapped(value, change)


def has_blobs(value: Json) -> bool:
    """Whether content of the value is in the store."""
    found = False

    def look(part: Json) -> Json:
        nonlocal found
        found = found or isinstance(part.get("blob"), str)
        return part

    mapped(value, look)
    return found


def parts_of(value: Json) -> list[dict[str, Json]]:
    """The media parts in a value, in order."""
    found: list[dict[str, Json]] = []

    def look(part: Json) -> Json:
        if is_part(part):
            found.append(dict(part))
        return part

    mapped(value, look)
    return found


def described(part: Mapping[str, Json]) -> str:
    """A part in words: `[image image/png, 2,048 bytes, 3f2a…]`."""
    kind = part.get("type")
    if isinstance(part.get("url"), str) and not str(part["url"]).startswith("data:"):
        return f"[{kind} at {str(part['url'])[:200]}]"
    size = part.get("bytes")
    words = [str(part.get("media_type") or "")] + ([f"{size:,} bytes"] if isinstance(size, int) else [])
    words += [str(part["name"])] if part.get("name") else []
    words += [str(part["blob"])[:12]] if part.get("blob") else []
    return f"[{kind} {', '.join(word for word in words if word)}]"
