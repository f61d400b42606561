"""Media types by content, and parts on their way into the store and out again."""

import base64

import pytest

from evalwright.core.media import MediaError, data_uri, described, loaded, media_of, media_type, parts_of, stored
from evalwright.store.blobs import Blobs

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 8


def uri(kind, data):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (PNG, "a.jpg", "image/png"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
        (b"RIFF0000WEBPVP8", "", "image/webp"),
        (b"RIFF0000WAVEfmt", "", "audio/wav"),
        (b"ID3\x04", "", "audio/mpeg"),
        (b"%PDF-1.7", "x.png", "application/pdf"),
        (b"PK\x03\x04", "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04", "a.png", "application/zip"),
        (b"  <?xml?><svg onload=x>", "a.png", "image/svg+xml"),
        (b"<html>", "a.html", "text/html"),
        (b"plain", "a", "text/plain"),
        (b"MZ\x00\xff\xfe", "a.png", "application/octet-stream"),
    ],
)
def test_types_are_told_by_content(data, name, kind):
    assert media_type(data, name) == kind


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"MZ\x00\xff\xfe", b"<svg>"])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(MediaError, match="not an image"):
        media_of("image", data)


def test_parts_go_into_the_store_and_come_out_again(tmp_path):
    blobs = Blobs(tmp_path)
    value = {"q": "x", "list": [{"type": "image", "url": uri("image/png", PNG)}], "far": {"type": "image", "url": "https://a/b"}}  # fmt: skip  # noqa: E501
    kept = stored(value, blobs)
    assert blobs.get(kept["list"][0]["blob"]) == PNG
    assert "url" not in kept["list"][0]
    assert kept["far"] is value["far"]
    assert loaded(kept, blobs)["list"][0]["url"] == uri("image/png", PNG)
    assert stored(kept, blobs) is kept
    assert len(parts_of(kept)) == 2
    assert described(kept["list"][0]).startswith("[image image/png, 16 bytes, ")


def test_values_without_media_stay_the_same_object(tmp_path):
    value = {"type": "image", "caption": "no part", "deep": [{"type": "text", "text": "x"}]}
    assert stored(value, Blobs(tmp_path)) is value


@pytest.mark.parametrize("url", ["data:image/png,abc", "data:image/png;base64,@", "data:;base64"])
def test_broken_uris_are_refused(url):
    with pytest.raises(MediaError):
        data_uri(url)


B64 = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": uri("image/png", PNG)}},
        {"type": "input_image", "image_url": uri("image/png", PNG)},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": B64}},
        {"inlineData": {"mimeType": "image/png", "data": B64}},
        {"inline_data": {"mime_type": "image/png", "data": B64}},
    ],
)
def test_parts_in_a_provider_s_own_form_are_read(tmp_path, part):
    kept = stored([{"role": "user", "content": [part]}], Blobs(tmp_path))
    assert kept[0]["content"] == [
        {"type": "image", "blob": Blobs(tmp_path).put(PNG), "media_type": "image/png", "bytes": 16}
    ]


def test_addresses_in_a_provider_s_own_form_stay_addresses(tmp_path):
    openai = {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}}
    anthropic = {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}
    assert stored([openai, anthropic], Blobs(tmp_path)) == [openai, {"type": "image", "url": "https://a/b.png"}]


@pytest.mark.parametrize(
    "part", [{"type": "image", "source": 7}, {"inlineData": {}}, {"type": "file", "file": {"id": "x"}}]
)
def test_what_only_looks_like_a_part_is_left_alone(tmp_path, part):
    assert stored(part, Blobs(tmp_path)) is part
