"""What is found in texts, what is not, and how long hostile texts take."""

from __future__ import annotations

import base64
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.detect import Confidence, Detector
from evalwright.detect.checksums import iban, luhn
from evalwright.detect.secrets import CATALOGUE

DETECTOR = Detector()


def found(text: str) -> list[tuple[str, str]]:
    return [(f.kind, f.text) for f in DETECTOR.find(text) if f.confidence != Confidence.POSSIBLE]


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("mail ann.lee+x@mail.acme.co.uk.", "email", "ann.lee+x@mail.acme.co.uk"),
        ("<jörg@müller.de>", "email", "jörg@müller.de"),
        ("card 4539 5787 6362 1486 ok", "card", "4539 5787 6362 1486"),
        ("my card: 378282246310005.", "card", "378282246310005"),
        ("2223003122003222 mastercard", "card", "2223003122003222"),
        ("pay to GB82 WEST 1234 5698 7654 32 today", "iban", "GB82 WEST 1234 5698 7654 32"),
        ("DE89370400440532013000", "iban", "DE89370400440532013000"),
        ("SSN 460-89-9847", "national_id", "460-89-9847"),
        ("DNI 12345678Z", "national_id", "12345678Z"),
        ("CPF 529.982.247-25", "national_id", "529.982.247-25"),
        ("NINO AB 12 34 56 C", "national_id", "AB 12 34 56 C"),
        ("from 93.184.216.34:80", "ip", "93.184.216.34"),
        ("from 2600:1f18:0:1::7 now", "ip", "2600:1f18:0:1::7"),
        ("postgres://app:s3cr3tPw@db.acme.io/x", "url_credentials", "app:s3cr3tPw"),
        ("ring me on +44 7700 900123", "phone", "+44 7700 900123"),
        ("(212) 555-0175 is mine", "phone", "(212) 555-0175"),
        ("call 030 901820", "phone", "030 901820"),
    ],
)
def test_found(text: str, kind: str, part: str) -> None:
    assert (kind, part) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 4539578763621487", "version 1.2.3.4", "127.0.0.1", "at 12:30:45 on 2026-08-14", "std::vector<int>",
        "call 1-800-273-8255 or 988", "mail you@example.com", "3f2b8c1e-9a4d-4c1b-8f6e-2d7a5b9c0e13", "1.000.000,00",
        "ISBN 978-3-16-148410-0", "https://user@host/", "GB82 WEST 1234 5698 7654 33", "000-12-3456", "@handle",
        "invoice 2026-000123 of 14.08.2026", "sk-your-api-key-goes-here-please-now", "AKIAIOSFODNN7EXAMPLE",
        "password: ${DB_PASSWORD}", "token: <your token here>", "the secret is to listen", "1111111111111111",
    ],
)  # fmt: skip
def test_not_found(text: str) -> None:
    assert found(text) == []


LETTERS = "k7Qz9Lm2Xw4Rt8Vb1Nc5Yp3Jd6Hf0Gs" * 12
DIGITS = "4f8a1c9e7b3d5062" * 12
TOKENS = {
    "AWS access key": "AKIA" + "Q3EGZ2WKL5RTY7UH",
    "GitHub token": "ghp_" + LETTERS[:36],
    "Anthropic key": "sk-ant-api03-" + LETTERS[:90],
    "OpenAI key": "sk-proj-" + LETTERS[:48],
    "Hugging Face token": "hf_" + LETTERS[:34],
    "Google API key": "AIza" + LETTERS[:35],
    "Stripe key": "sk_live_" + LETTERS[:24],
    "Slack token": "xoxb-" + LETTERS[:40],
    "npm token": "npm_" + LETTERS[:36],
    "GitLab token": "glpat-" + LETTERS[:20],
    "Mailgun key": "key-" + DIGITS[:32],
    "Vault token": "hvs." + LETTERS[:90],
    "SendGrid key": "SG." + LETTERS[:22] + "." + LETTERS[:43],
    "PyPI token": "pypi-AgEI" + LETTERS[:80],
    "Databricks token": "dapi" + DIGITS[:32],
    "DigitalOcean token": "dop_v1_" + DIGITS[:64],
    "Groq key": "gsk_" + LETTERS[:52],
}
"""Made-up tokens, put together here so that no scanner takes this file for a leak."""


@pytest.mark.parametrize("token", list(TOKENS.values()), ids=list(TOKENS))
@pytest.mark.parametrize("around", ["Here: {}.", "`{}`", "{}", "KEY={}", '{{"k": "{}"}}'])
def test_tokens_in_every_surrounding(token: str, around: str) -> None:
    assert ("secret", token) in found(around.format(token))


def test_private_keys_and_web_tokens() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"
    assert found(f"x {key} y") == [("secret", key)]
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    token = f"{header}.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLW9mLXRva2Vu"
    assert ("secret", token) in found(f"Bearer {token}")
    assert found("eyJub3Q6anNvbg.eyJub3Q6anNvbg.eyJub3Q6anNvbg") == []


def test_named_values_need_to_look_random() -> None:
    assert found("password = Tr0ub4dor&3x") == [("secret", "Tr0ub4dor&3x")]
    assert found("password: hunter") == []
    assert found("token = the_quick_brown") == []


def test_allowed_texts_stay() -> None:
    detector = Detector(allow=["Hotline@Acme.io", "+49 30 901820"])
    assert detector.find("hotline@acme.io or +49-30-901820") == []
    assert [f.text for f in detector.find("bob@acme.io")] == ["bob@acme.io"]


def test_findings_do_not_overlap() -> None:
    text = "postgres://ann:pw12345X@93.184.216.34/db and ann@acme.io, card 4539 5787 6362 1486"
    spans = [(f.start, f.end) for f in DETECTOR.find(text)]
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert all(text[f.start : f.end] == f.text for f in DETECTOR.find(text))


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    for finding in DETECTOR.find(text):
        assert text[finding.start : finding.end] == finding.text


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "1 ",
        "a.",
        "a@",
        "@",
        "+",
        "(",
        "-----BEGIN ",
        "eyJ",
        "A1",
        "://a:",
        ":",
        "password=",
        "sk-",
        "1.",
        "GB82 ",
    ],
)
def test_hostile_texts_take_no_longer_than_others(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    started = time.process_time()
    DETECTOR.find(text)
    assert time.process_time() - started < 5


def test_check_digits() -> None:
    assert luhn("4539578763621486")
    assert not luhn("4539578763621485")
    assert iban("FR1420041010050500013M02606")
    assert not iban("FR1420041010050500013M02607")


def test_the_catalogue_names_every_kind_once() -> None:
    names = [name for name, _, _ in CATALOGUE]
    assert len(names) == len(set(names))
    assert len(names) >= 40
