"""Secrets: tokens with a registered prefix, private keys, web tokens, and values named like a password."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator

from evalwright.detect.finding import Confidence, Finding

_END = r"(?![A-Za-z0-9_-])"
_START = r"(?<![A-Za-z0-9_])"

CATALOGUE: tuple[tuple[str, str, str], ...] = (
    ("AWS access key", "AKIA", r"AKIA[A-Z2-7]{16}"),
    ("AWS session key", "ASIA", r"ASIA[A-Z2-7]{16}"),
    ("GitHub token", "gh", r"gh[pousr]_[A-Za-z0-9]{36,251}"),
    ("GitHub fine-grained token", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("GitLab token", "gl", r"gl(?:pat|dt|rt|ft|soat|cbt|ptt|agent|imt|oas)-[A-Za-z0-9_.-]{19,60}[A-Za-z0-9_-]"),
    ("Anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{32,160}"),
    ("OpenAI key", "sk-", r"sk-(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{32,200}"),
    ("OpenRouter key", "sk-or-", r"sk-or-v1-[0-9a-f]{64}"),
    ("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{30,60}"),
    ("Google API key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    ("Google OAuth token", "ya29.", r"ya29\.[A-Za-z0-9_-]{30,400}"),
    ("Google OAuth secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    ("Stripe key", "_live_", r"[srp]k_live_[A-Za-z0-9]{20,120}"),
    ("Stripe test key", "_test_", r"[sr]k_test_[A-Za-z0-9]{20,120}"),
    ("Stripe webhook secret", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,80}"),
    ("Slack token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    ("Slack app token", "xapp-", r"xapp-\d-[A-Z0-9]{8,20}-\d{8,20}-[a-f0-9]{64}"),
    ("Slack webhook", "hooks.slack.com", r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{30,120}"),
    (
        "Discord webhook",
        "/api/webhooks/",
        r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,80}",
    ),
    ("Telegram bot token", ":AA", r"\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("Mailgun key", "key-", r"key-[0-9a-f]{32}"),
    ("Mailchimp key", "-us", r"[0-9a-f]{32}-us\d{1,2}"),
    ("Twilio key", "SK", r"SK[0-9a-f]{32}"),
    ("npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    ("PyPI token", "pypi-", r"pypi-AgEI[A-Za-z0-9_-]{50,250}"),
    ("RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    ("Docker Hub token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,60}"),
    ("DigitalOcean token", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    ("Shopify token", "shp", r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"),
    ("Square token", "sq0", r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,43}"),
    ("Vault token", "hv", r"hv[sbr]\.[A-Za-z0-9_-]{24,250}"),
    ("Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    ("Grafana token", "gl", r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,200}"),
    ("New Relic key", "NR", r"NR(?:AK|RA|JS|II)-[A-Za-z0-9]{19,32}"),
    ("Postman key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("Linear key", "lin_api_", r"lin_api_[A-Za-z0-9]{40}"),
    ("Notion token", "ntn_", r"ntn_[A-Za-z0-9]{40,60}"),
    ("Figma token", "figd_", r"figd_[A-Za-z0-9_-]{38,50}"),
    ("Doppler token", "dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9.]{40,60}"),
    ("Pulumi token", "pul-", r"pul-[0-9a-f]{40}"),
    ("Terraform token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,90}"),
    ("PlanetScale token", "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}"),
    ("Replicate token", "r8_", r"r8_[A-Za-z0-9]{37}"),
    ("Groq key", "gsk_", r"gsk_[A-Za-z0-9]{48,60}"),
    ("xAI key", "xai-", r"xai-[A-Za-z0-9]{70,90}"),
    ("Perplexity key", "pplx-", r"pplx-[A-Za-z0-9]{40,60}"),
    ("LangSmith key", "lsv2_", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    ("Langfuse key", "k-lf-", r"[sp]k-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    ("Azure storage key", "AccountKey=", r"AccountKey=[A-Za-z0-9+/]{80,90}={0,2}"),
    ("Sentry token", "sntrys_", r"sntrys_[A-Za-z0-9+/=_-]{60,400}"),
)
"""Kind of secret, a text that must occur for the pattern to be tried, and the pattern."""

_PATTERNS = tuple((name, key, re.compile(_START + f"(?:{pattern})" + _END)) for name, key, pattern in CATALOGUE)
_PEM = re.compile(r"-----BEGIN ((?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?)-----")
_JWT = re.compile(_START + r"(eyJ[A-Za-z0-9_-]{8,2000})\.[A-Za-z0-9_-]{4,8000}\.[A-Za-z0-9_-]{8,2000}" + _END)
_NAMED = re.compile(
    r"(?i)(?:api[_-]?key|secret(?:[_-]?(?:access)?[_-]?key)?|access[_-]?token|auth[_-]?token|passw(?:or)?d|passwd|pwd"
    r"|client[_-]?secret|private[_-]?key|token|passphrase|passwort|kennwort|contraseña|mot de passe|senha|wachtwoord)"
    r"[\"']?(?:\s{0,3}(?:=|:|=>)\s{0,3}|\s(?:is|ist|lautet|es|est)\s)[\"'`]?([^\s\"'`,;<>(){}]{8,200})"
)
_BEARER = re.compile(r"(?i)authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+([A-Za-z0-9._~+/=-]{16,2000})")
_PLACEHOLDER = re.compile(
    r"(?i)x{4,}|\*{3,}|\.{3}|your[_-]|example|changeme|placeholder|dummy|redacted|insert|replace|\$\{|\$[A-Z_]|<[a-z]"
    r"|%[a-z]|123456789|abcdefghijklmnop|process\.env|os\.environ|getenv|0{8,}"
)


def secrets(text: str) -> Iterator[Finding]:
    """Secrets in a text; what is plainly a stand-in (`your-api-key`, `xxxx`, `EXAMPLE`) is passed over."""
    for name, key, pattern in _PATTERNS:
        if key in text:
            for match in pattern.finditer(text):
                if not placeholder(match[0]):
                    yield _found(match.start(), match[0], name)
    yield from _keys(text)
    yield from _web_tokens(text)
    yield from _named(text)


def _found(start: int, text: str, detail: str, confidence: Confidence = Confidence.SURE) -> Finding:
    return Finding(kind="secret", start=start, end=start + len(text), text=text, confidence=confidence, detail=detail)


def _keys(text: str) -> Iterator[Finding]:
    """Private keys in PEM form, to their end or as far as they go."""
    if "PRIVATE KEY" not in text:
        return
    for match in _PEM.finditer(text):
        closing = f"-----END {match[1]}-----"
        end = text.find(closing, match.end(), match.end() + 20_000)
        stop = end + len(closing) if end >= 0 else min(len(text), match.end() + 4_000)
        yield _found(match.start(), text[match.start() : stop], "private key")


def _web_tokens(text: str) -> Iterator[Finding]:
    """JSON web tokens: the first part must be a JSON object with an algorithm."""
    if "eyJ" not in text:
        return
    for match in _JWT.finditer(text):
        try:
            header = json.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
        except (binascii.Error, ValueError, RecursionError):
            continue
        if isinstance(header, dict) and "alg" in header:
            yield _found(match.start(), match[0], "JSON web token")


def _named(text: str) -> Iterator[Finding]:
    """Values named like a secret that look random."""
    for pattern, name in ((_NAMED, "named value"), (_BEARER, "authorization header")):
        for match in pattern.finditer(text):
            value = match[1].rstrip(".")
            if not placeholder(value) and _random(value):
                yield _found(match.start(1), value, name, Confidence.LIKELY)


def placeholder(text: str) -> bool:
    """Whether a text stands for a secret without being one."""
    return _PLACEHOLDER.search(text) is not None or len(set(text)) < 6


def entropy(text: str) -> float:
    """Bits a character, from the frequencies within the text (Shannon); 0 for the empty text.

    Example:
        >>> entropy("abab")
        1.0
    """
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) if text else 0.0


def _random(value: str) -> bool:
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", r"\d", r"[^\w]"))
    if value.startswith(("http://", "https://", "/", "./")):
        return False
    return kinds >= 3 and entropy(value) >= 3.0 if len(value) < 20 else kinds >= 2 and entropy(value) >= 3.5
