"""Check digits of numbers people are known by."""

from __future__ import annotations

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
"""Length of the IBANs of each country (SWIFT's IBAN registry)."""


def luhn(digits: str) -> bool:
    """Whether the last digit is right by ISO/IEC 7812-1, annex B.

    Example:
        >>> luhn("4539578763621486"), luhn("4539578763621487")
        (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def iban(text: str) -> bool:
    """Whether a text without spaces is an IBAN: the country's length, and remainder 1 modulo 97 (ISO 13616).

    Example:
        >>> iban("GB82WEST12345698765432"), iban("GB82WEST12345698765433")
        (True, False)
    """
    if IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def ssn(digits: str) -> bool:
    """Whether nine digits can be a US social security number (never 000, 666 or 9xx; 00; 0000)."""
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def cpf(digits: str) -> bool:
    """Whether eleven digits are a Brazilian CPF.

    Example:
        >>> cpf("52998224725"), cpf("52998224724")
        (True, False)
    """
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        total = sum(int(d) * (length + 1 - n) for n, d in enumerate(digits[:length]))
        if (total * 10 % 11) % 10 != int(digits[length]):
            return False
    return True


def dni(text: str) -> bool:
    """Whether a text is a Spanish DNI or NIE: the letter is the remainder modulo 23.

    Example:
        >>> dni("12345678Z"), dni("X1234567L"), dni("12345678A")
        (True, True, False)
    """
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1]


def nir(text: str) -> bool:
    """Whether fifteen characters are a French NIR: the key is 97 less the remainder (2A and 2B count as 19 and 18)."""
    number = text[:13].replace("2A", "19").replace("2B", "18")
    return number.isdecimal() and 97 - int(number) % 97 == int(text[13:])


def pesel(digits: str) -> bool:
    """Whether eleven digits are a Polish PESEL.

    Example:
        >>> pesel("44051401359"), pesel("44051401358")
        (True, False)
    """
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    return (10 - sum(w * int(d) for w, d in zip(weights, digits, strict=False)) % 10) % 10 == int(digits[10])
