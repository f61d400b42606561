"""Personal data: e-mail, phone, cards, IBAN, national ids, IP addresses, URLs with credentials.

Patterns have bounded repetitions, so that hostile texts cost no more than others. Numbers that only look right are
held against check digits and the words before them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from evalwright.detect import checksums
from evalwright.detect.finding import Confidence, Finding

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)
_DIGITS = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){11,18}(?![\w-]|\.\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{1,4}){3,8}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![\w.-])(\d{3})([- ])(\d{2})\2(\d{4})(?![\w-]|\.\d)")
_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\w)")
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_CREDENTIALS = re.compile(
    r"(?<!\w)([A-Za-z][A-Za-z0-9+.-]{1,20}://)([^\s/:@\"'<>]{0,128}:[^\s/@\"'<>]{1,256})@(?=[\w\[])"
)
_PHONE = re.compile(r"(?<![\w.@/=#-])(?:\+|\(\+?)?\d(?:[ .()/-]{0,3}\d){6,15}(?![\w@]|[-.]\d)")

_PHONE_WORDS = re.compile(
    r"phone|tel\b|tel[.:]|call|mobile|cell|fax|whatsapp|sms|text me|dial|ring|reach|contact|number is|my number|hotline"
    r"|telefon|téléphone|teléfono|telefono|handy|móvil|numéro|rufnummer|电话|電話|messages? (?:to|on)|registered",
    re.IGNORECASE,
)
_CARD_WORDS = re.compile(
    r"card|visa|master|amex|american express|maestro|discover|diners|jcb|payment|karte|carte|tarjeta", re.IGNORECASE
)
_ID_WORDS = re.compile(
    r"national|identity|social|insurance|security|\bssn\b|\bid\b|passport|pesel|cpf|sécurité|ausweis|dni|nie\b",
    re.IGNORECASE,
)
_VERSION_WORDS = re.compile(r"(?:version|release|build|firmware|\bv)\s*[:=]?\s*$", re.IGNORECASE)
_TOLL_FREE = re.compile(r"(?:\+?1)?8(?:00|33|44|55|66|77|88)\d{3}(?:\d{4})?|0?800\d{6,8}|\+?440?800\d{6,7}")

HELPLINES = frozenset(
    {
        "988", "911", "112", "999", "741741", "116123", "18002738255", "8002738255", "18007997233", "8007997233",
        "18006564673", "8006564673", "18006624357", "8006624357", "18002221222", "18004224453", "8004224453",
        "18664887386", "8664887386", "116111", "131114", "08457909090", "18664247465", "8007842433", "8884287327",
        "18883737888", "8883737888", "233733", "08001111", "18004388900", "85258",
    }
)  # fmt: skip
"""Public helplines and emergency numbers: no private person's."""

_NETWORKS = (
    ("American Express", re.compile(r"3[47]\d{13}")),
    ("Visa", re.compile(r"4(?:\d{12}|\d{15}|\d{18})")),
    ("Mastercard", re.compile(r"(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12})")),
    ("Diners Club", re.compile(r"3(?:0[0-5]|[689]\d)\d{11,16}")),
    ("Discover", re.compile(r"6(?:011|5\d\d|4[4-9]\d)\d{12,15}")),
    ("JCB", re.compile(r"(?:2131|1800)\d{11}|35\d{14,17}")),
    ("UnionPay", re.compile(r"62\d{14,17}")),
    ("Maestro", re.compile(r"(?:5[0678]|6\d)\d{10,17}")),
    ("Maestro", re.compile(r"06\d{10,17}")),
)
_NINO = re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)")
_DNI = re.compile(r"(?<!\w)(?:\d{8}|[XYZ]\d{7})-?[A-Z](?!\w)")
_CPF = re.compile(r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)")
_NIR = re.compile(r"(?<!\w)[12] ?\d\d ?[01]\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\w)")
_PESEL = re.compile(r"(?<![\w.-])\d{11}(?![\w-])")


def emails(text: str) -> Iterator[Finding]:
    """E-mail addresses; those of `example.com` and its like stay."""
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        domain = match[0].rpartition("@")[2].lower()
        if ".." not in match[0] and not re.fullmatch(r"(?:.*\.)?(?:example(?:\.\w+)?|test|invalid|localhost)", domain):
            yield Finding(kind="email", start=match.start(), end=match.end(), text=match[0])


def cards(text: str) -> Iterator[Finding]:
    """Payment cards: a known network's beginning and length, and the Luhn digit."""
    for match in _DIGITS.finditer(text):
        found = _card_within(match[0])
        if found is None:
            continue
        number, network = found
        end = match.start() + len(number)
        grouped = not number.isdecimal()
        sure = grouped or _before(text, match.start(), _CARD_WORDS)
        confidence = Confidence.SURE if sure else Confidence.LIKELY
        yield Finding(kind="card", start=match.start(), end=end, text=number, confidence=confidence, detail=network)


def _card_within(text: str) -> tuple[str, str] | None:
    """The whole number, or its beginning up to a gap, when that is a card."""
    parts = [text] + [text[: gap.start()] for gap in reversed(list(re.finditer(r"[ -]", text)))]
    for part in parts:
        digits = re.sub(r"[ -]", "", part)
        if len(digits) >= 12 and len(set(digits)) > 2 and checksums.luhn(digits):
            network = next((name for name, pattern in _NETWORKS if pattern.fullmatch(digits)), None)
            if network is not None:
                return part, network
    return None


def ibans(text: str) -> Iterator[Finding]:
    """IBANs, with or without spaces: the country's length and the check digits."""
    for match in _IBAN.finditer(text):
        length = checksums.IBAN_LENGTHS.get(match[0][:2].upper())
        taken = 0 if length is None else _prefix_of(match[0], length)
        compact = match[0][:taken].replace(" ", "").upper()
        if taken and checksums.iban(compact):
            end = match.start() + taken
            yield Finding(kind="iban", start=match.start(), end=end, text=text[match.start() : end], detail=compact[:2])


def _prefix_of(text: str, length: int) -> int:
    """How many characters hold the first `length` ones that are no spaces; 0 when there are fewer."""
    seen = 0
    for place, character in enumerate(text, start=1):
        seen += character != " "
        if seen == length:
            return place
    return 0


def national_ids(text: str) -> Iterator[Finding]:
    """Numbers states know people by: US, UK, Spain, Brazil, France, Poland."""
    for match in _SSN.finditer(text):
        if checksums.ssn(match[1] + match[3] + match[4]):
            sure = match[2] == "-" or _before(text, match.start(), _ID_WORDS)
            yield _id(match, "US", Confidence.SURE if sure else Confidence.POSSIBLE)
    for match in _NINO.finditer(text):
        near = " " in match[0] or _before(text, match.start(), _ID_WORDS)
        yield _id(match, "GB", Confidence.LIKELY if near else Confidence.POSSIBLE)
    for match in _DNI.finditer(text):
        if checksums.dni(match[0].replace("-", "")):
            yield _id(match, "ES", Confidence.SURE)
    for match in _CPF.finditer(text):
        if checksums.cpf(re.sub(r"\D", "", match[0])):
            yield _id(match, "BR", Confidence.SURE)
    for match in _NIR.finditer(text):
        if checksums.nir(match[0].replace(" ", "")):
            yield _id(match, "FR", Confidence.SURE)
    for match in _PESEL.finditer(text):
        if checksums.pesel(match[0]) and _before(text, match.start(), _ID_WORDS):
            yield _id(match, "PL", Confidence.LIKELY)


def _id(match: re.Match[str], country: str, confidence: Confidence) -> Finding:
    return Finding(
        kind="national_id", start=match.start(), end=match.end(), text=match[0], confidence=confidence, detail=country
    )


def ips(text: str) -> Iterator[Finding]:
    """IP addresses that can be somebody's: not loopback, not unspecified, not after the word version."""
    for pattern in (_V4, _V6):
        for match in pattern.finditer(text):
            address = _address(match[0])
            if address is None or address.is_loopback or address.is_unspecified:
                continue
            version = _VERSION_WORDS.search(text[max(0, match.start() - 20) : match.start()])
            confidence = Confidence.POSSIBLE if version or address.is_private else Confidence.SURE
            yield Finding(kind="ip", start=match.start(), end=match.end(), text=match[0], confidence=confidence)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if ":" in text and sum(bool(group) for group in text.split(":")) < 3:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def url_credentials(text: str) -> Iterator[Finding]:
    """User and password within a URL."""
    if "://" not in text:
        return
    for match in _CREDENTIALS.finditer(text):
        if not re.search(r"\$\{|<|\*{3}|\bpassword\b", match[2]):
            yield Finding(kind="url_credentials", start=match.start(2), end=match.end(2), text=match[2])


def phones(text: str) -> Iterator[Finding]:
    """Telephone numbers: international ones, North American ones as they are written, others after words like `call`.

    Toll-free numbers and known helplines belong to nobody in particular and stay.
    """
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if not 7 <= len(digits) <= 15 or digits in HELPLINES or _TOLL_FREE.fullmatch(digits):
            continue
        confidence = _phone_confidence(text, match, digits)
        if confidence is not None:
            start = match.start()
            shown = match[0]
            yield Finding(kind="phone", start=start, end=start + len(shown), text=shown, confidence=confidence)


_NANP = re.compile(r"(?:(?:\+|00)?1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}")
_INTERNATIONAL = re.compile(r"\(?\+|00[1-9]")
_AFTER = re.compile(r"[-\s(]{0,3}(?:office|fax|mobile|cell|home|work|tel)\b", re.IGNORECASE)
_DATE = re.compile(r"\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4}|\d{4} ?[-/] ?\d{4}")


def _phone_confidence(text: str, match: re.Match[str], digits: str) -> Confidence | None:
    shown = match[0]
    if _INTERNATIONAL.match(shown) and len(digits) >= 9:
        return Confidence.SURE
    if _NANP.fullmatch(shown):
        return Confidence.SURE
    if _DATE.fullmatch(shown) or _SSN.fullmatch(shown) or "/" in shown or shown.count(".") > 3:
        return None
    near = _before(text, match.start(), _PHONE_WORDS) or _AFTER.match(text, match.end()) is not None
    grouped = not shown.isdecimal()
    if near and (grouped or digits.startswith("0")) and len(set(digits)) > 2:
        return Confidence.LIKELY
    return Confidence.POSSIBLE if near or (grouped and digits.startswith("0") and len(digits) > 8) else None


def _before(text: str, start: int, words: re.Pattern[str]) -> bool:
    """Whether one of the words stands in the 40 characters before."""
    return words.search(text[max(0, start - 40) : start].rstrip(" :\n\t\"'")) is not None
