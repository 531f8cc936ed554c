"""Draws values that a careful program must refuse, or take, without falling over."""

from random import Random

NUMBERS: tuple[object, ...] = (
    0, 1, -1, 2, 7, 255, 2**31, 2**32, 2**63, 2**64, -(2**63), 10**30, 10**4000,
    0.5, -0.0, 1e-300, 1e308, -1e308,
)  # fmt: skip
TEXTS = (
    "", " ", "a", "0", "-1", "00", "1e400", "NaN", "Infinity", "0x10", "1_000", " 7 ", "٣", "²", "\U0001d7d8",
    "9" * 5000, "-" + "9" * 5000, "a" * 300, "a" * 70000, "a\0b", "a\nb", "\x1b[31mred", "\r", "\t",
    "\x7f", "\u202e", "\ufeff", "é", "日本", "\ud800", "\udcff", "\U0001f600",
    "..", ".", "../../x", "a/../b", "a//b", "-", "--", "-x", "--x=y", "=", ",", ":", ";", "'", '"',
    "%s%n", "%00", "${HOME}", "$(x)", "`x`", "*", "[", "[a", "(", "{", "}", "\\", "#", "@", "!",
    "Domain-0", "Domain-00", "busy", "true", "null", "None", "all", "default", "none",
)  # fmt: skip


def text(random: Random) -> str:
    """Return a hostile text, now and then two of them joined."""
    first = random.choice(TEXTS)
    return first + random.choice(TEXTS) if random.random() < 0.1 else first


def value(random: Random, depth: int = 0) -> object:
    """Return a hostile JSON value."""
    kinds = 5 if depth < 3 else 3
    match random.randrange(kinds):
        case 0:
            return random.choice(NUMBERS)
        case 1:
            return text(random)
        case 2:
            return random.choice((None, True, False))
        case 3:
            return [value(random, depth + 1) for _ in range(random.choice((0, 1, 2, 50)))]
        case _:
            return {text(random)[:50]: value(random, depth + 1) for _ in range(random.randrange(3))}


def data(random: Random) -> bytes:
    """Return bytes that are no file of any kind, or one that is too deep, too long, cut off."""
    return random.choice(
        (
            lambda: b"",
            lambda: b"\0" * 100,
            lambda: random.randbytes(random.choice((1, 7, 300, 5000))),
            lambda: b"[" * 100_000,
            lambda: b'{"a":' * 100_000,
            lambda: b"[[" * 2000 + b"]]" * 2000,
            lambda: b"- " * 5000,
            lambda: b"a: " + b"9" * 5000,
            lambda: b"a = " + b"9" * 5000,
            lambda: b'{"a": ' + b"9" * 5000 + b"}",
            lambda: b"a = " + b"[" * 5000,
            lambda: b"\xef\xbb\xbf{}",
            lambda: b"\xff\xfe{}",
            lambda: b"NaN",
            lambda: b'{"a": Infinity}',
            lambda: b'{"a": 1e400}',
            lambda: b'{"a": "\\ud800"}',
            lambda: text(random).encode(errors="surrogatepass"),
            lambda: b"\n".join(text(random).encode(errors="surrogatepass") for _ in range(20)),
        )
    )()
