"""The errors of the product: one tree, so that a caller can catch them all."""


class HelpdeskError(Exception):
    """Anything the help desk refuses or fails to do; the message is fit for a user."""


class BadRequestError(HelpdeskError):
    """The request has the wrong shape: no question, a wrong type, an unknown locale."""


class ArticleError(HelpdeskError):
    """An article file cannot be read: no front matter, or a key is missing."""


class EndpointError(HelpdeskError):
    """The configured model endpoint is missing, did not answer, or answered nonsense."""
