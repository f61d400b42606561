"""Server-sent events: the data of each event from a stream of bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield each event's `data`, several data lines joined by newlines; comments and other fields are dropped.

    Lines may end in LF or CRLF and be cut anywhere by the chunks. Data left without a closing blank line is yielded
    at the end. Memory is bounded by whoever bounds the chunks.
    """
    rest = b""
    data: list[bytes] = []
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line in {b"", b"\r"}:
                if data:
                    yield b"\n".join(data)
                    data.clear()
            else:
                _take(line, data)
    _take(rest, data)
    if data:
        yield b"\n".join(data)


def _take(line: bytes, data: list[bytes]) -> None:
    if line.startswith(b"data:"):
        data.append(line[5:].strip())
