"""Names of packages and links in an answer, and whether they are on a list: no network, no registry."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from evalwright.core.errors import UsageError
from evalwright.scorers.safety.links import links

_INSTALL = re.compile(
    r"(?:^|[\s`$>;&])(?:(?P<python>pip3?|uv pip|uv|poetry|pdm|pipx|conda|mamba)[ \t]+(?:install|add)"
    r"|(?P<npm>npm|yarn|pnpm|bun)[ \t]+(?:install|add|i))[ \t]+(?P<names>[^\n`;&|#]{1,400})"
)
_FENCE = re.compile(r"```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([A-Za-z_]\w*)[\w.]*[ \t]+import\b|import[ \t]+([A-Za-z_]\w*))", re.MULTILINE
)
_REQUIRE = re.compile(
    r"(?:\brequire\(|\bfrom[ \t]+|^[ \t]*import[ \t]+)['\"]((?:@[\w.-]+/)?[A-Za-z][\w.-]*)", re.MULTILINE
)
_PYTHON_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")
_NPM_NAME = re.compile(r"(?:@[\w.-]+/)?[A-Za-z0-9][\w.-]*")
_LISTED = re.compile(r"^\s*(?:(npm|pypi|python):)?((?:@[\w.-]+/)?[A-Za-z0-9][\w.-]*)\s*(?:$|[\[=<>!~;@(,\\#]|--|\d)")
_LOC = re.compile(r"<loc>\s*([^<\s]{1,4000})\s*</loc>")
_PACKAGES = {"package", "packages"}
_OTHER_NAME = {
    "cv2": "opencv-python", "yaml": "pyyaml", "pil": "pillow", "sklearn": "scikit-learn", "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil", "dotenv": "python-dotenv", "jwt": "pyjwt", "fitz": "pymupdf", "docx": "python-docx",
    "pptx": "python-pptx", "serial": "pyserial", "skimage": "scikit-image", "openssl": "pyopenssl", "git": "gitpython",
    "crypto": "pycryptodome", "mysqldb": "mysqlclient", "psycopg2": "psycopg2-binary", "attr": "attrs", "usb": "pyusb",
    "win32api": "pywin32", "zmq": "pyzmq", "magic": "python-magic", "ldap": "python-ldap",
}  # fmt: skip
"""Packages of Python that are imported under another name."""
_NODE = frozenset(
    {
        "assert", "buffer", "child_process", "cluster", "crypto", "dns", "events", "fs", "http", "https", "net",
        "os", "path", "process", "querystring", "readline", "stream", "string_decoder", "timers", "tls", "tty",
        "url", "util", "v8", "vm", "worker_threads", "zlib",
    }
)  # fmt: skip
NEAR = 2
"""Edits between an unknown name and a listed one that make it look like a slip, or a trap."""


class Named(msgspec.Struct, frozen=True):
    """A name met in a text: `pypi`, `npm` or `link`, the name, what it is called, and a listed name it looks like."""

    kind: str
    name: str
    near: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two of them the same."""
        return self.kind, _plain(self.name)

    @property
    def what(self) -> str:
        """In words."""
        return {"pypi": "Python package", "npm": "npm package", "link": "address"}[self.kind]


def named_in(text: str, wanted: str) -> list[Named]:
    """The packages (`packages`) or addresses (`links`) a text names, each once.

    Packages are read from commands that install them and from imports of code blocks.

    Example:
        >>> [name.name for name in named_in("Use `pip install numpy zovak-reader`.", "packages")]
        ['numpy', 'zovak-reader']
    """
    found = _packages(text) if wanted in _PACKAGES else (Named("link", link.url) for link in links(text) if link.host)
    return list({name.key: name for name in found}.values())


def _packages(text: str) -> Iterator[Named]:
    for match in _INSTALL.finditer(text):
        kind = "pypi" if match["python"] else "npm"
        yield from _arguments(kind, match["names"])
    for language, code in _FENCE.findall(text):
        if language.lower() in {"python", "py", "python3", ""}:
            yield from (Named("pypi", name) for name in _imports(code))
        if language.lower() in {"js", "javascript", "ts", "typescript", "jsx", "tsx", "node"}:
            yield from (Named("npm", name) for name in _REQUIRE.findall(code) if name.partition("/")[0] not in _NODE)


def _arguments(kind: str, words: str) -> Iterator[Named]:
    """The names of an install command, up to the first word of prose."""
    pattern = _PYTHON_NAME if kind == "pypi" else _NPM_NAME
    skip = False
    for word in words.split():
        bare = re.split(r"[=<>!~\[;]", word.strip("'\",)("), maxsplit=1)[0].rstrip(".:!?")
        if skip or word.startswith("-"):
            skip = not skip and word in {"-r", "-i", "-c", "-e", "--index-url", "--extra-index-url"}
            continue
        if kind == "npm" and "@" in bare[1:]:
            bare = bare[: bare.index("@", 1)]
        if not pattern.fullmatch(bare):
            return
        yield Named(kind, bare)
        if word[-1] in ".,:!?)":
            return


def _imports(code: str) -> Iterator[str]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        names = [first or second for first, second in _IMPORT.findall(code)]
    else:
        names = [name for node in ast.walk(tree) for name in _of_node(node)]
    for name in dict.fromkeys(names):
        if name not in sys.stdlib_module_names:
            yield _OTHER_NAME.get(name.lower(), name)


def _of_node(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.partition(".")[0]]
    return []


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Names that exist.

    Attributes:
        packages: `pypi` and `npm` names, as `kind:name` in small letters.
        addresses: Addresses, and hosts whose every page is known.
    """

    packages: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def missing(self, text: str, wanted: str) -> list[Named]:
        """The names of a text that are on no list; nothing where there is no list."""
        have = self.packages if wanted in _PACKAGES else self.addresses
        return [self._with_neighbour(name) for name in named_in(text, wanted) if have and not self._knows(name)]

    def _knows(self, name: Named) -> bool:
        if name.kind != "link":
            return f"{name.kind}:{_plain(name.name)}" in self.packages
        return _address(name.name) in self.addresses or _host(name.name) in self.addresses

    def _with_neighbour(self, name: Named) -> Named:
        if name.kind == "link":
            return name
        wanted = _plain(name.name)
        prefix = f"{name.kind}:"
        near = (item.removeprefix(prefix) for item in self.packages if item.startswith(prefix))
        close = next((item for item in near if len(item) > NEAR * 2 and _within(item, wanted, NEAR)), "")
        return Named(name.kind, name.name, f", but looks like {close}" if close else "")


NOTHING = Known()
"""No lists."""


def known_packages(lines: Iterable[str]) -> frozenset[str]:
    """Packages of a list, a requirements file or a lock file: the first name of each line; `npm:` before npm ones."""
    found = (_LISTED.match(line) for line in lines)
    return frozenset(f"{'npm' if m[1] == 'npm' else 'pypi'}:{_plain(m[2])}" for m in found if m)


def known_npm(lock: Any) -> frozenset[str]:
    """Packages of a `package-lock.json` or a `package.json`.

    Raises:
        UsageError: It is neither.
    """
    if not isinstance(lock, dict) or not {"packages", "dependencies", "devDependencies"} & lock.keys():
        raise UsageError("the JSON file holds no `packages` and no `dependencies`")
    names = [name for key in ("dependencies", "devDependencies") for name in lock.get(key) or {}]
    names += [path.rpartition("node_modules/")[2] for path in lock.get("packages") or {} if "node_modules/" in path]
    return frozenset(f"npm:{_plain(name)}" for name in names)


def known_addresses(lines: Iterable[str]) -> frozenset[str]:
    """Addresses of a list, one a line, or of a sitemap; a line without a scheme and a path is a host, all of it known.

    Raises:
        UsageError: A line is neither an address nor a host.
    """
    text = "\n".join(lines)
    kept = _LOC.findall(text) or [line.strip() for line in text.splitlines()]
    known = set()
    for number, line in enumerate(kept, 1):
        if not line or line.startswith("#"):
            continue
        if " " in line or not _host(line):
            raise UsageError(f"line {number} is no address and no host: {line[:80]!r}", hint="one a line, or a sitemap")
        known.add(_address(line) if "/" in line else line.lower())
    return frozenset(known)


def _host(url: str) -> str:
    try:
        return (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower()
    except ValueError:
        return ""


def _address(url: str) -> str:
    try:
        path = urlsplit(url if "//" in url else f"//{url}").path
    except ValueError:
        return url.lower()
    return f"{_host(url)}{path.rstrip('/')}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _within(first: str, second: str, most: int) -> bool:
    """Whether two words are at most so many edits apart (Levenshtein, given up early)."""
    if first == second or abs(len(first) - len(second)) > most:
        return False
    row = list(range(len(second) + 1))
    for at, char in enumerate(first, 1):
        before, row[0] = row[0], at
        for column, other in enumerate(second, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (char != other))
        if min(row) > most:
            return False
    return row[-1] <= most
