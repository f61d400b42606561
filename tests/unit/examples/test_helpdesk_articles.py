"""The help centre is what the golden set believes it to be."""

from collections import Counter
from pathlib import Path

import pytest
from helpdesk.articles import ARTICLE_DIR, load_articles, parse_article, split_passages
from helpdesk.errors import ArticleError


def test_help_centre_has_the_promised_size():
    articles = load_articles()
    locales = Counter(article.locale for article in articles)
    assert len(articles) >= 44
    assert locales["de"] >= 6
    assert locales["es"] >= 6
    assert len({article.area for article in articles}) >= 7


def test_file_name_is_id_and_ids_are_unique():
    for path in ARTICLE_DIR.glob("*.md"):
        assert parse_article(path).id == path.stem


@pytest.mark.parametrize("article", load_articles(), ids=lambda article: article.id)
def test_article_has_a_readable_length_and_date(article):
    words = len(article.body.split())
    assert 120 <= words <= 350
    assert article.updated[:4] in {"2025", "2026"}


def test_translations_name_an_existing_original():
    by_id = {article.id: article for article in load_articles()}
    translated = [article for article in by_id.values() if article.translation_of]
    assert len(translated) >= 8
    assert all(by_id[str(article.translation_of)].locale == "en" for article in translated)
    assert any(article.locale != "en" and not article.translation_of for article in by_id.values())


def test_passages_keep_every_word_of_an_article():
    for article in load_articles():
        passages = split_passages(article)
        words = [word for passage in passages for word in f"{passage.heading} {passage.text}".split()]
        assert words == article.body.replace("## ", "").split()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no front matter", "front matter between"),
        ("---\nid: a\ntitle: b\n---\nbody", "lacks area, locale, updated"),
        ("---\nid a\n---\nbody", "'key: value' expected"),
    ],
)
def test_broken_article_is_named(tmp_path: Path, text: str, complaint: str):
    path = tmp_path / "broken.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArticleError, match=complaint) as caught:
        parse_article(path)
    assert "broken.md" in str(caught.value)


def test_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(ArticleError, match="no articles"):
        load_articles(tmp_path)
