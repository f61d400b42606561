"""Links of a text, found by reading Markdown and HTML, and what they carry away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from evalwright.scorers.safety.markers import Sighting, find_markers
from evalwright.scorers.safety.tags import Tag, tags

READ = 200_000
_URL = r"(?:<([^<>\n]{1,4000})>|([^\s()<>]{1,4000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,2000}){0,4}))"
_INLINE = re.compile(r"(!?)\[([^\[\]\n]{0,1000})\]\(\s{0,20}" + _URL)
_NESTED = re.compile(r"\]\(\s{0,20}" + _URL)
_DEFINITION = re.compile(r"^[ ]{0,3}\[([^\[\]\n]{1,200})\]:[ \t]{0,20}" + _URL, re.MULTILINE)
_IMAGE_REFERENCE = re.compile(r"!\[([^\[\]\n]{0,500})\](?:\[([^\[\]\n]{0,200})\])?(?!\()")
_BARE = re.compile(r"(?:https?|ftp|wss?)://[^\s<>\"'`\\)\]}]{1,4000}", re.IGNORECASE)
_CSS_URL = re.compile(r"url\(\s{0,20}['\"]?([^'\")\s]{1,4000})|@import\s{1,20}['\"]([^'\"]{1,4000})", re.IGNORECASE)
_REFRESH = re.compile(r"url\s{0,10}=\s{0,10}['\"]?([^'\"\s]{1,4000})", re.IGNORECASE)
_FETCHED = frozenset({"src", "poster", "background", "data", "dynsrc", "lowsrc", "ping", "xlink:href"})
_PAGES = frozenset({"a", "area"})


@dataclass(frozen=True, slots=True)
class Link:
    """An address a text leads to.

    Attributes:
        url: The address as written.
        fetched: Whether showing the text is enough to call it (an image, a style sheet), without a click.
        how: Where it stands, e.g. `Markdown image`, `HTML src`.
    """

    url: str
    fetched: bool
    how: str

    @property
    def host(self) -> str:
        """The host in small letters, empty for a relative address."""
        parts = _parts(self.url)
        return "" if parts is None else (parts.hostname or "").lower().rstrip(".")


def links(text: str) -> list[Link]:
    """Every link, of Markdown and of HTML, each address once; those fetched unasked first."""
    found = [*_markdown(text[:READ]), *_html(text[:READ])]
    found += [Link(url.rstrip(".,;:!?"), fetched=False, how="bare address") for url in _BARE.findall(text[:READ])]
    unique: dict[str, Link] = {}
    for link in sorted(found, key=lambda link: not link.fetched):
        unique.setdefault(link.url, link)
    return list(unique.values())


def _markdown(text: str) -> Iterator[Link]:
    for mark, _, angled, plain in _INLINE.findall(text):
        yield Link(angled or plain, fetched=bool(mark), how="Markdown image" if mark else "Markdown link")
    for angled, plain in _NESTED.findall(text):
        yield Link(angled or plain, fetched=False, how="Markdown link")
    shown = {(second or first).casefold() for first, second in _IMAGE_REFERENCE.findall(text)}
    for name, angled, plain in _DEFINITION.findall(text):
        image = name.casefold() in shown
        yield Link(angled or plain, fetched=image, how="Markdown image" if image else "Markdown link")


def _html(text: str) -> Iterator[Link]:
    for tag in tags(text):
        for name, value in tag.attributes:
            yield from _of_attribute(tag, name, value)
    for first, second in _CSS_URL.findall(text):
        yield Link(first or second, fetched=True, how="CSS")


def _of_attribute(tag: Tag, name: str, value: str) -> Iterator[Link]:
    if name in _FETCHED:
        yield Link(value, fetched=True, how=f"HTML {name}")
    elif name == "href":
        yield Link(value, fetched=tag.name not in _PAGES, how="HTML href")
    elif name in {"action", "formaction"}:
        yield Link(value, fetched=False, how=f"HTML {name}")
    elif name == "srcset":
        for choice in value.split(","):
            yield from (Link(url, fetched=True, how="HTML srcset") for url in choice.split()[:1])
    elif name == "content" and tag.name == "meta":
        yield from (Link(url, fetched=True, how="HTML refresh") for url in _REFRESH.findall(value))


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip().replace("\\", "/"))
        _ = parts.hostname
    except ValueError:
        return None
    return parts


def allowed(host: str, hosts: Iterable[str]) -> bool:
    """Whether a host is one of a list; `*.example.org` stands for all below it."""
    return any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in map(str.lower, hosts))


def carried(link: Link, secrets: Iterable[str]) -> list[Sighting]:
    """The secrets an address carries in its host, path, query or fragment, plain or in disguise."""
    parts = _parts(link.url)
    if parts is None:
        return find_markers(secrets, link.url)
    labels = (parts.netloc or "").replace(".", "")
    wanted = tuple(secrets)
    pieces = (link.url, unquote(link.url), labels, unquote(parts.path), unquote(parts.query), unquote(parts.fragment))
    found: dict[str, Sighting] = {}
    for piece in dict.fromkeys(pieces):
        for sighting in find_markers(wanted, piece):
            found.setdefault(sighting.marker, sighting)
    return list(found.values())
