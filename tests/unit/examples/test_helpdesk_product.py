"""The assistant answers, cites, declines, follows a conversation, and refuses bad requests."""

import pytest
from helpdesk import Assistant, Turn
from helpdesk.answerer import sentences
from helpdesk.errors import BadRequestError
from helpdesk.language import base_locale, guess_locale, stem, tokens
from helpdesk.requests import parse_request
from helpdesk.target import answer


@pytest.mark.parametrize(
    ("question", "fact", "source"),
    [
        ("Can I pay by cheque?", "do not accept PayPal, cheques", "billing-payment-methods"),
        ("Is there an app for the Apple Watch?", "There is an app for Apple Watch", "mobile-app"),
        ("Wo finde ich die Leitweg-ID?", "Leitweg-ID", "invoices-erechnung-de"),
        ("¿Qué días hay mantenimiento?", "los domingos", "support-contact-es"),
    ],
)
def test_answers_quote_the_article_they_cite(question: str, fact: str, source: str):
    reply = Assistant().answer(question)
    assert fact in reply.answer
    assert source in reply.citations
    assert f"[{source}]" in reply.answer
    assert reply.confidence > 0.45


def test_citations_are_among_the_passages(golden):
    for case in golden[::10]:
        output = answer(case["input"])
        assert set(output["citations"]) <= {context["id"] for context in output["contexts"]}


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("Who won the world cup in 1998?", "I don't know"),
        ("Wie hoch ist der Eiffelturm?", "Das weiß ich nicht"),
        ("¿Quién ganó la liga?", "No lo sé"),
        ("???", "I don't know"),
    ],
)
def test_off_topic_questions_are_declined_in_their_language(question: str, phrase: str):
    reply = Assistant().answer(question)
    assert reply.answer.startswith(phrase)
    assert reply.citations == ()


def test_how_to_question_gets_the_steps():
    reply = Assistant().answer("How do I connect my calendar?")
    assert reply.answer.startswith("1. Open My profile > Calendars. 2. Click Connect Google")


def test_follow_up_uses_the_question_before_it():
    history = [Turn(role="user", content="Does Quillhour have an audit log?"), Turn(role="assistant", content="Yes.")]
    alone = Assistant().answer("And who can delete it?")
    together = Assistant().answer("And who can delete it?", conversation=history)
    assert "security-audit-log" not in alone.citations
    assert "security-audit-log" in together.citations


def test_same_question_same_answer():
    first, second = (answer({"question": "What does a pause cost?", "locale": "en"}) for _ in range(2))
    assert first == second


def test_target_returns_the_parts_of_an_output():
    output = answer("Can I pay by cheque?")
    assert set(output) == {"text", "contexts", "citations", "metadata"}
    assert output["contexts"][0]["id"] == "billing-payment-methods"
    scores = [context["score"] for context in output["contexts"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (7, "not int"),
        ({}, "`question` must be a string"),
        ({"question": "a", "locale": 3}, "`locale`"),
        ({"question": "a", "conversation": "b"}, "`conversation` must be a list"),
        ({"question": "a", "conversation": [{"role": "system", "content": "b"}]}, r"`conversation\[0\].role`"),
        ({"question": "a", "conversation": [{"role": "user"}]}, r"`conversation\[0\].content`"),
    ],
)
def test_bad_requests_name_the_wrong_part(request_: object, complaint: str):
    with pytest.raises(BadRequestError, match=complaint):
        parse_request(request_)


@pytest.mark.parametrize("question", ["", "  \n", "x" * 4_001])
def test_empty_and_endless_questions_are_refused(question: str):
    with pytest.raises(BadRequestError):
        Assistant().answer(question)


def test_locale_is_guessed_from_the_text_when_unknown():
    assert guess_locale("Wie kann ich das ändern?") == "de"
    assert guess_locale("¿Cómo puedo cambiar esto?") == "es"
    assert guess_locale("zzz") == "en"
    assert base_locale("de-AT", "anything") == "de"
    assert base_locale("fr", "How do I change this?") == "en"


def test_words_meet_across_endings_and_accents():
    assert tokens("Kündigungen", "de") == tokens("kündigung", "de") == ["kundig"]
    assert stem("invoices", "en") == stem("invoiced", "en") == stem("invoicing", "en")
    assert stem("2026", "en") == "2026"


def test_sentences_keep_list_items_apart():
    text = "Two ways. Pick one:\n\n- by card\n- by transfer, in 14 days. Then done."
    assert list(sentences(text)) == ["Two ways.", "Pick one:", "by card", "by transfer, in 14 days.", "Then done."]
