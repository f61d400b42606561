"""Help articles: Markdown files with front matter, split into passages for retrieval."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpdesk.errors import ArticleError

ARTICLE_DIR = Path(os.environ.get("HELPDESK_ARTICLES") or Path(__file__).resolve().parent.parent / "articles")
REQUIRED_KEYS = ("id", "title", "area", "locale", "updated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One help article as its author wrote it."""

    id: str
    title: str
    area: str
    locale: str
    updated: str
    body: str
    translation_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A section of an article: what the retriever finds and an answer cites.

    ``id`` is the article's id: a citation names the article, because that is what a reader can open.
    """

    id: str
    title: str
    heading: str
    locale: str
    text: str

    @property
    def searchable(self) -> str:
        """The words the index sees: title and heading help short sections to be found."""
        return f"{self.title}\n{self.heading}\n{self.text}"


@cache
def load_articles(directory: Path = ARTICLE_DIR) -> tuple[Article, ...]:
    """Read every ``*.md`` file of ``directory``, ordered by file name.

    Raises:
        ArticleError: a file lacks front matter or a required key, or the folder holds no articles.
    """
    articles = tuple(parse_article(path) for path in sorted(directory.glob("*.md")))
    if not articles:
        raise ArticleError(f"no articles (*.md) in {directory}")
    return articles


def parse_article(path: Path) -> Article:
    """Read one article file.

    Raises:
        ArticleError: front matter is missing, not closed, or incomplete.
    """
    _, marker, rest = path.read_text(encoding="utf-8").partition("---\n")
    head, closing, body = rest.partition("\n---\n")
    if not marker or not closing:
        raise ArticleError(f"{path.name}: front matter between two lines '---' expected")
    fields = dict(_front_matter(head, path))
    missing = [key for key in REQUIRED_KEYS if not fields.get(key)]
    if missing:
        raise ArticleError(f"{path.name}: front matter lacks {', '.join(missing)}")
    return Article(
        **{key: fields[key] for key in REQUIRED_KEYS},
        body=body.strip(),
        translation_of=fields.get("translation_of"),
    )


def _front_matter(head: str, path: Path) -> Iterator[tuple[str, str]]:
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if not colon:
            raise ArticleError(f"{path.name}: 'key: value' expected, found {line!r}")
        yield key.strip(), value.strip().strip('"')


def split_passages(article: Article) -> tuple[Passage, ...]:
    """Cut an article at its ``##`` headings; the part before the first heading has no heading of its own."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    for line in article.body.splitlines():
        if line.startswith("## "):
            sections.append((line[3:].strip(), []))
        else:
            sections[-1][1].append(line)
    texts = [(heading, "\n".join(lines).strip()) for heading, lines in sections]
    return tuple(
        Passage(id=article.id, title=article.title, heading=heading, locale=article.locale, text=text)
        for heading, text in texts
        if text
    )
