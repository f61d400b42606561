"""Files that cases name by path: read from beside the dataset, checked, and kept by content in the workspace."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.media import LARGEST, Contents, MediaError, mapped, stored
from evalwright.datasets.rows import RowError
from evalwright.store.files import write_atomic

_ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/webm": "webm",
    "application/pdf": "pdf",
    "application/json": "json",
    "application/xml": "xml",
    "text/plain": "txt",
    "text/markdown": "md",
    "text/csv": "csv",
    "text/html": "html",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
}

DIGEST = re.compile(r"[0-9a-f]{64}")


class Cases(Protocol):
    """Cases that can be counted and gone through."""

    def __len__(self) -> int:
        """How many."""
        ...

    def __iter__(self) -> Iterator[Case]:
        """One after the other."""
        ...


class Attachments:
    """Brings the media of cases into a store.

    Args:
        contents: Where content is kept.
        folder: Folder that paths are relative to and must stay in; None where cases may name no path.
        source: Where content lies that cases name by digest already, when that is another store.
    """

    def __init__(self, contents: Contents, folder: Path | None, source: Contents | None = None) -> None:
        self._contents = contents
        self._folder = folder
        self._source = source

    def settled(self, case: Case) -> Case:
        """The case with digests in place of paths and inline content; the case itself when it has neither.

        Raises:
            RowError: A file is missing, lies elsewhere, is too large, or is not what the case says.
        """
        try:
            value = stored(case.input, self._contents, self._reader())
            expected = stored(case.expected, self._contents, self._reader())
            mapped([value, expected], self._present)
        except MediaError as error:
            raise RowError(str(error)) from None
        if value is case.input and expected is case.expected:
            return case
        return msgspec.structs.replace(case, input=value, expected=expected)

    def _reader(self) -> Callable[[str], tuple[bytes, str]] | None:
        folder = self._folder
        return None if folder is None else lambda path: read_beside(folder, path)

    def _present(self, part: dict[str, Json]) -> dict[str, Json]:
        """Make sure that content named by its digest is in the store, or bring it there."""
        digest = part.get("blob")
        if not isinstance(digest, str):
            return part
        if not DIGEST.fullmatch(digest):
            raise MediaError(f"`blob` is the SHA-256 of a content, not {digest[:80]!r}; name a file by `path`")
        if digest not in self._contents:
            if self._source is None or digest not in self._source:
                raise MediaError(f"the workspace holds no content {digest[:12]}…; name the file by `path`")
            self._contents.put(self._source.get(digest))
        return part


class CasesWithFiles:
    """Cases whose media are files again, for tools and workspaces that have not got the content.

    Content is written as it is come to, into a folder beside the exported file: `cases.jsonl` and `cases-files/`.

    Args:
        cases: The cases.
        contents: Where the content lies.
        path: The file the cases are exported to.
    """

    def __init__(self, cases: Cases, contents: Contents, path: Path) -> None:
        self._cases = cases
        self._contents = contents
        self._folder = path.parent / f"{path.name.partition('.')[0]}-files"

    def __len__(self) -> int:
        return len(self._cases)

    def __iter__(self) -> Iterator[Case]:
        """The cases, with `path` in place of digests.

        Raises:
            StoreError: Content is missing, or the folder can't be written.
        """
        for case in self._cases:
            value, expected = mapped(case.input, self._file), mapped(case.expected, self._file)
            same = value is case.input and expected is case.expected
            yield case if same else msgspec.structs.replace(case, input=value, expected=expected)

    def _file(self, part: dict[str, Json]) -> dict[str, Json]:
        digest = part.get("blob")
        if not isinstance(digest, str):
            return part
        name = f"{digest[:24]}.{_ENDINGS.get(str(part.get('media_type')), 'bin')}"
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self._folder / name, self._contents.get(digest))
        kept: dict[str, Json] = {key: part[key] for key in ("type", "media_type", "name") if key in part}
        return {**kept, "path": f"{self._folder.name}/{name}"}


def read_beside(folder: Path, name: str) -> tuple[bytes, str]:
    """Content and name of a file in a folder or below it.

    Raises:
        MediaError: The path leads out of the folder (also through a link), or the file is missing, no plain file, or
            too large.
    """
    if "\0" in name or Path(name).is_absolute() or name.startswith(("~", "\\")) or ":" in name.partition("/")[0]:
        raise MediaError(f"the path `{name[:200]}` must be relative to the dataset's folder")
    base = folder.resolve()
    try:
        path = (base / name).resolve(strict=True)
        if not path.is_relative_to(base):
            raise MediaError(f"the path `{name[:200]}` leads out of the dataset's folder")
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise MediaError(f"`{name[:200]}` is no plain file")
        if found.st_size > LARGEST:
            raise MediaError(f"`{name[:200]}` has {found.st_size:,} bytes; at most {LARGEST:,} are allowed")
        return path.read_bytes(), path.name
    except (FileNotFoundError, NotADirectoryError):
        raise MediaError(f"there is no file `{name[:200]}` beside the dataset") from None
    except OSError as error:
        raise MediaError(f"`{name[:200]}` can't be read: {error.strerror or error}") from None
