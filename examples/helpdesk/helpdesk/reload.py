"""Forget the articles and the index, so that the next question reads the folder again: what safety tests call."""

from helpdesk import articles, retriever, target


def reload() -> None:
    """Read ``HELPDESK_ARTICLES`` (or the help centre's own folder) anew at the next question."""
    articles.load_articles.cache_clear()
    retriever.default_retriever.cache_clear()
    target.forget()
