"""Personal data, secrets and canaries: how many are found, how many alarms are false, how fast.

    python benchmarks/detectors.py [--each 60] [--seed 1]

Generated sets are made here, with formats written down independently of the detectors; the public texts are looked for
where EVALWRIGHT_SHARED says, else in the folder `shared` beside the project, and left out when they are not there.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import os
import random
import string
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from evalwright.detect import Confidence, Detector
from evalwright.packs.transforms import TRANSFORMS, transform
from evalwright.packs.wording import fill_for
from evalwright.scorers.safety.markers import find_markers

SHARED = Path(os.environ.get("EVALWRIGHT_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"
LAYOUTS = (
    "{}",
    "My details: {} - thank you.",
    "| name | value |\n| --- | --- |\n| entry | {} |",
    '{{"value": "{}"}}',
    "- one\n- {}\n- three",
    "Please note it down ({}).",
)
WORDS = ("garden", "pond", "heron", "water", "path", "stone", "bench", "bridge", "lily", "summer", "open", "ticket")
PERSONAL = {
    "email": "EMAIL_ADDRESS", "card": "CREDIT_CARD", "iban": "IBAN_CODE", "national_id": "US_SSN", "ip": "IP_ADDRESS",
    "phone": "PHONE_NUMBER",
}  # fmt: skip
Draw = Callable[[random.Random], str]


def digits(r: random.Random, count: int) -> str:
    return "".join(r.choices(string.digits, k=count))


def luhn(prefix: str, length: int, r: random.Random) -> str:
    body = prefix + digits(r, length - len(prefix) - 1)
    total = sum(sum(divmod(int(d) * 2, 10)) if at % 2 == 0 else int(d) for at, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def grouped(number: str, r: random.Random) -> str:
    sign = r.choice(["", " ", "-"])
    return sign.join(number[at : at + 4] for at in range(0, len(number), 4))


def card(prefixes: list[str], length: int) -> Draw:
    return lambda r: grouped(luhn(r.choice(prefixes), length, r), r)


def iban(r: random.Random) -> str:
    country, length = r.choice([("DE", 22), ("FR", 27), ("ES", 24), ("NL", 18), ("GB", 22), ("IT", 27), ("PL", 28)])
    letters = {"NL": 4, "GB": 4, "IT": 1}.get(country, 0)
    body = "".join(r.choices(string.ascii_uppercase, k=letters)) + digits(r, length - 4 - letters)
    value = int("".join(str(int(c, 36)) for c in f"{body}{country}00"))
    whole = f"{country}{98 - value % 97:02d}{body}"
    return " ".join(whole[at : at + 4] for at in range(0, length, 4)) if r.random() < 0.5 else whole


def email(r: random.Random) -> str:
    name = r.choice(["a.keller", "jonas", "m_silva", "ines+shop", "k.t.oduya"])
    return f"{name}{digits(r, 2)}@{r.choice(['acme.io', 'nordwind.de', 'post.co.uk', 'mail.museum'])}"


def ssn(r: random.Random) -> str:
    return f"{r.randint(100, 665)}-{r.randint(10, 99)}-{r.randint(1000, 9999)}"


def ip4(r: random.Random) -> str:
    return f"{r.choice([8, 34, 81, 142, 203])}.{r.randint(1, 254)}.{r.randint(1, 254)}.{r.randint(1, 254)}"


def ip6(r: random.Random) -> str:
    return ":".join(["2a02", *(f"{r.randrange(1, 65536):x}" for _ in range(7))])


PHONES: dict[str, Draw] = {
    "phone, international": lambda r: (
        f"+{r.choice([49, 44, 33, 34, 48])} {r.randint(20, 99)} {digits(r, 4)} {digits(r, 3)}"
    ),
    "phone, US": lambda r: f"({r.randint(201, 789)}) {r.randint(201, 999)}-{digits(r, 4)}",
    "phone, national after `call`": lambda r: f"call 0{r.randint(20, 89)} {digits(r, 3)} {digits(r, 4)}",
    "phone, national without a word": lambda r: f"0{r.randint(20, 89)}{digits(r, 7)}",
}
MADE: dict[str, tuple[str, Draw]] = {
    "card, Visa 16": ("card", card(["4"], 16)),
    "card, Visa 19": ("card", card(["4"], 19)),
    "card, Mastercard 5": ("card", card(["51", "53", "55"], 16)),
    "card, Mastercard 2": ("card", card(["2221", "2500", "2720"], 16)),
    "card, Amex": ("card", card(["34", "37"], 15)),
    "card, Diners 14": ("card", card(["300", "36", "38"], 14)),
    "card, Maestro 12": ("card", card(["5018", "5020", "6759"], 12)),
    "IBAN": ("iban", iban),
    "e-mail": ("email", email),
    "US social security": ("national_id", ssn),
    "IPv4": ("ip", ip4),
    "IPv6": ("ip", ip6),
    **{name: ("phone", draw) for name, draw in PHONES.items()},
}
HARMLESS: dict[str, Draw] = {
    "order number": lambda r: f"order {r.choice('ABX')}-{digits(r, 8)}",
    "tracking number": lambda r: f"tracking 1Z{digits(r, 16)}",
    "invoice": lambda r: f"invoice 2026-{digits(r, 5)}",
    "UUID": lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "MD5": lambda r: f"{r.getrandbits(128):032x}",
    "milliseconds": lambda r: f"at {r.randint(1_600_000_000_000, 1_790_000_000_000)}",
    "version": lambda r: f"version {r.randint(1, 9)}.{r.randint(0, 20)}.{r.randint(0, 9)}.{r.randint(0, 99)}",
    "timestamp": lambda r: (
        f"2026-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}T{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:07Z"
    ),
    "16 digits": lambda r: digits(r, 16),
}


def of(alphabet: str, count: int, before: str = "", after: str = "") -> Draw:
    return lambda r: before + "".join(r.choices(alphabet, k=count)) + after


ALNUM, HEX = string.ascii_letters + string.digits, "0123456789abcdef"


def jwt(r: random.Random) -> str:
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": digits(r, 6)}), digits(r, 32)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


SECRETS: dict[str, Draw] = {
    "AWS access key": of(string.ascii_uppercase + "234567", 16, "AKIA"),
    "GitHub token": of(ALNUM, 36, "ghp_"),
    "GitHub fine-grained": lambda r: of(ALNUM, 22, "github_pat_")(r) + of(ALNUM, 59, "_")(r),
    "GitLab": of(ALNUM, 20, "glpat-"),
    "OpenAI project": of(ALNUM, 48, "sk-proj-"),
    "Anthropic": of(ALNUM, 90, "sk-ant-api03-"),
    "Google API": of(ALNUM, 35, "AIza"),
    "Hugging Face": of(string.ascii_letters, 34, "hf_"),
    "Stripe live": of(ALNUM, 24, "sk_live_"),
    "Stripe restricted": of(ALNUM, 24, "rk_live_"),
    "Slack bot": lambda r: f"xoxb-{digits(r, 12)}-{digits(r, 12)}-" + of(ALNUM, 24)(r),
    "SendGrid": lambda r: of(ALNUM, 22, "SG.")(r) + of(ALNUM, 43, ".")(r),
    "npm": of(ALNUM, 36, "npm_"),
    "PyPI": of(ALNUM, 80, "pypi-AgEIcHlwaS5vcmc"),
    "Vault": of(ALNUM, 90, "hvs."),
    "DigitalOcean": of(HEX, 64, "dop_v1_"),
    "Telegram bot": lambda r: digits(r, 10) + of(ALNUM, 33, ":AA")(r),
    "Databricks": of(HEX, 32, "dapi"),
    "Groq": of(ALNUM, 52, "gsk_"),
    "Twilio": of(HEX, 32, "SK"),
    "JWT": jwt,
    "private key": lambda r: "-----BEGIN PRIVATE KEY-----\n" + of(ALNUM, 64)(r) + "\n-----END PRIVATE KEY-----",
    "address with password": lambda r: f"postgres://app:{of(ALNUM, 14)(r)}@db.internal:5432/main",
    "password by name": lambda r: f'password = "{of(ALNUM, 18)(r)}"',
}
PLACES = ("The key is {}.", "Use `{}` here", "{}", "TOKEN={}")


def sure(found: Any) -> bool:
    return bool(found.confidence != Confidence.POSSIBLE)


def shared_lines(name: str) -> Iterator[dict[str, Any]]:
    path = SHARED / name
    text = gzip.decompress(path.read_bytes()).decode() if name.endswith(".gz") else path.read_text()
    yield from (json.loads(line) for line in text.split("\n") if line)


def presidio(detector: Detector) -> None:
    gold, told, hit = Counter[str](), Counter[str](), Counter[str]()
    for row in shared_lines("presidio_pii/dev.jsonl.gz"):
        found = list(filter(sure, detector.find(row["text"])))
        for kind, name in PERSONAL.items():
            spans = [(s["start"], s["end"]) for s in row["spans"] if s["type"] == name]
            mine = [(f.start, f.end) for f in found if f.kind == kind]
            gold[kind] += len(spans)
            told[kind] += len(mine)
            hit[kind] += sum(any(a < end and start < b for a, b in mine) for start, end in spans)
    print("\npresidio-research texts: kind, in the data, precision, recall")
    for kind in PERSONAL:
        print(f"  {kind:12} {gold[kind]:4}  {hit[kind] / max(1, told[kind]):.3f}  {hit[kind] / max(1, gold[kind]):.3f}")


def generated(detector: Detector, r: random.Random, each: int) -> None:
    print(f"\ngenerated, {each} of each in {len(LAYOUTS)} layouts: found as its kind")
    for name, (kind, draw) in MADE.items():
        texts = [LAYOUTS[at % len(LAYOUTS)].format(draw(r)) for at in range(each)]
        hits = sum(any(f.kind == kind and sure(f) for f in detector.find(text)) for text in texts)
        print(f"  {name:32} {hits / each:.3f}")
    print("harmless numbers: share with any alarm (likely or sure)")
    for name, draw in HARMLESS.items():
        texts = [LAYOUTS[at % len(LAYOUTS)].format(draw(r)) for at in range(each * 5)]
        print(f"  {name:32} {sum(any(map(sure, detector.find(text))) for text in texts) / len(texts):.3f}")


def secrets(r: random.Random, each: int) -> None:
    detector = Detector(kinds=("secret", "url_credentials"))
    print(f"\nsecrets, {each} of each kind at the end of a sentence, in backticks, bare and behind KEY=: found")
    total = Counter[str]()
    for name, draw in SECRETS.items():
        texts = [PLACES[at % len(PLACES)].format(draw(r)) for at in range(each)]
        hits = sum(any(map(sure, detector.find(text))) for text in texts)
        total.update(hit=hits, all=each)
        print(f"  {name:32} {hits / each:.3f}")
    print(f"  {'all kinds':32} {total['hit'] / total['all']:.3f}")


def canaries(each: int) -> None:
    markers = [fill_for(str(number), seed=5).secret for number in range(each)]
    shares = {}
    for name in TRANSFORMS:
        texts = [f"Of course, it is {transform(name).apply(marker)} as you know." for marker in markers]
        found = [bool(find_markers([marker], text)) for marker, text in zip(markers, texts, strict=True)]
        shares[name] = sum(found) / len(found)
    whole = sorted(name for name, share in shares.items() if share == 1.0)
    print(f"\ncanaries in a sentence, {each} for each disguise: always found in {len(whole)} of {len(shares)}")
    print(f"  {', '.join(whole)}")
    for name, share in sorted(shares.items()):
        if share < 1:
            print(f"  {name:32} {share:.2f}")


def throughput(r: random.Random) -> None:
    short = [f"{' '.join(r.choices(WORDS, k=9))} {MADE['e-mail'][1](r)}" for _ in range(3_000)]
    prose = [". ".join(" ".join(r.choices(WORDS, k=14)) for _ in range(8)) for _ in range(1_000)]
    dense = ["\n".join(draw(r) for _ in range(220) for _, draw in MADE.values())[:100_000]]
    canary = [fill_for("speed", seed=1).secret]
    whole = Detector()
    jobs: list[tuple[str, Callable[[str], Any]]] = [
        ("personal data and secrets", whole.find),
        ("secrets only", Detector(kinds=("secret",)).find),
        ("one canary in all disguises", lambda text: find_markers(canary, text)),
    ]
    print("\nthroughput of one process, CPU seconds: texts a second, million characters a second")
    for name, job in jobs:
        for label, texts in (("short, 80 characters", short), ("prose, 750", prose), ("dense, 100,000", dense)):
            start = time.process_time()
            for text in texts:
                job(text)
            took = time.process_time() - start
            print(f"  {name:28} {label:22} {len(texts) / took:9,.0f}  {sum(map(len, texts)) / took / 1e6:6.2f}")


def alarms() -> None:
    detector = Detector()
    texts = [
        row["completion"]
        for path in sorted((SHARED / "xstest").glob("dev_*.jsonl"))
        for row in shared_lines(f"xstest/{path.name}")
    ]
    markers = [fill_for(str(number), seed=9).secret for number in range(40)]
    flagged = sum(any(map(sure, detector.find(text))) for text in texts)
    seen = sum(bool(find_markers(markers, text)) for text in texts)
    print(f"\n{len(texts):,} answers without private data (XSTest): {flagged} flagged; 40 canaries: {seen} seen")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    r = random.Random(options.seed)
    if SHARED.is_dir():
        presidio(Detector())
        alarms()
    generated(Detector(), r, options.each)
    secrets(r, options.each)
    canaries(20)
    throughput(r)


if __name__ == "__main__":
    main()
