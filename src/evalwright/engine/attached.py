"""Media on their way: content from the store into calls, and from answers into the store."""

from __future__ import annotations

import msgspec

from evalwright.core.errors import EvalwrightError, TargetError
from evalwright.core.media import Contents, has_blobs, loaded, salvaged, stored
from evalwright.core.output import Output
from evalwright.core.target import TargetCall


def with_content(call: TargetCall, media: Contents | None) -> TargetCall:
    """The call with `data:` URIs in place of digests; the call itself where its input names none.

    Raises:
        TargetError: Content is missing (kind `bad_input`).
    """
    if media is None or isinstance(call.input, str) or not has_blobs(call.input):
        return call
    try:
        return msgspec.structs.replace(call, input=loaded(call.input, media))
    except EvalwrightError as error:
        raise TargetError(f"the case's input: {error}", kind="bad_input") from error


def shelved(output: Output, media: Contents | None) -> Output:
    """The answer with the content of its media kept in the store; a part that can't be kept says why instead."""
    if media is None or not (output.parts or output.messages or output.data is not None):
        return output
    changed = {}
    for name in ("parts", "messages", "data"):
        value = getattr(output, name)
        kept = stored(value, media, faulty=lambda part, error: salvaged(part, error, media))
        if kept is not value:
            changed[name] = tuple(kept) if isinstance(value, tuple) else kept
    return msgspec.structs.replace(output, **changed) if changed else output
