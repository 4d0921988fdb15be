"""Texts that somebody might give for a name, a path, a tag, a note or a query, to see what happens."""

from __future__ import annotations

import random
from typing import Final

ESCAPE: Final = "\x1b[31mred\x1b[0m\x1b]0;title\x07"
"""What a terminal would obey."""
MARKUP: Final = "<script>alert('hostile')</script>"
"""What a browser would obey."""

PATHS: Final = (
    *("..", ".", "/", "//", "../../etc/passwd", "/etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e", "%00"),
    *(
        "~",
        "~root",
        "C:\\Windows\\win.ini",
        "\\\\host\\share",
        "file:///etc/passwd",
        "/dev/stdin",
        "a/../b",
    ),
    *("....//", "%252e%252e/", "..;/", "/proc/self/environ", "runs/../../x", "./-", "a/./b", "con", "nul"),
)
SIGNS: Final = (
    *("\0", "a\0b", "\n", "a\nb", "\r\n", "\t", "\x7f", "\x9b31m", ESCAPE, "\x08\x08", "\x1bc", "\ufeff"),
    *(
        "\u202e",
        "a\u202egpj.exe",
        "\u2066a\u2069",
        "\u200f",
        "\u200b",
        "\u2028",
        "\ud800",
        "\udcff",
        "\udfff\ud800",
    ),
    *(
        "١٢٣",
        "¼",
        "Ⅷ",
        "1",
        "𝟏",
        "é",
        "e\u0301",
        "ﬀ",
        "ß",
        "İ",
        "ı",
        "日本",
        "👩\u200d👩\u200d👧",
        "\U0010ffff",
        "\ue000",
    ),
)
QUOTES: Final = (
    *(
        "'",
        '"',
        "`",
        "''",
        '""',
        "``",
        "\\",
        "\\'",
        "’",
        "“”",
        "$(id)",
        "`id`",
        "${HOME}",
        "%s%n",
        "{0}",
        "{{7*7}}",
    ),
    *("' or '1'='1", "'; drop table runs; --", '"; --', "') union select * from runs --", "1/**/or/**/1=1"),
    *("%", "_", "a%'", "\\%", "[a-z]*", "(?:a+)+$", "$.a", '$."a"', "x'41'", "0x41", "null", "true"),
)
WORDS: Final = (
    *(
        "",
        " ",
        "   ",
        "-",
        "--",
        "-h",
        "--help",
        "--version",
        "--limit",
        "-rf",
        "--registry=x",
        "=",
        "a=",
        "=b",
        "@",
    ),
    *(
        "a@b",
        "@@",
        "a@",
        "models:/",
        "models:/a",
        "models:/models:/a/1",
        "runs:/",
        "runs:/runs:/x",
        "latest",
        "a/latest",
    ),
    *(
        "a/1/2",
        "a/-1",
        "a/0",
        "a/٣",
        "a/1e3",
        "a/99999999999",
        "a@latest",
        "de-en",
        "de-en/1",
        "de-en@champion",
        "MODELS:/a",
    ),
    *(
        "and",
        "or",
        "not",
        "in",
        "like",
        "order by",
        "limit",
        "is null",
        "config.",
        "tag.",
        "git.",
        "config..",
        "tag.a.b",
    ),
)
MARKED: Final = (
    *(
        MARKUP,
        "<img src=x onerror=alert('hostile')>",
        "&lt;",
        "&#0;",
        "javascript:alert(1)",
        "'><b>",
        "<!--",
        "]]>",
    ),
    *(
        "{% raw %}",
        "[red]a[/red]",
        ":smile:",
        "[link=file:///etc]x[/link]",
        "=cmd|'/c calc'!A0",
        "\n=1+1",
        "a,b",
        'a"b,c',
    ),
)
NUMBERS: Final = (
    *(
        "0",
        "-1",
        "1",
        "9" * 9,
        "9" * 19,
        "9" * 400,
        "-" + "9" * 30,
        "1e400",
        "-1e400",
        "1e-400",
        "nan",
        "inf",
        "0.1" * 9,
    ),
    *(
        str(2**31),
        str(2**31 - 1),
        str(2**63),
        str(2**63 - 1),
        str(-(2**63)),
        str(2**64),
        "1_000",
        "+1",
        "01",
        "1.",
    ),
)
QUERIES: Final = (
    *(
        "task = 'a'",
        "bleu > 30",
        "not not not a = 1",
        "name like '%'",
        "name like '\\'",
        "id in ('a', 'b')",
        "order by bleu",
    ),
    *(
        "limit 0",
        "limit " + "9" * 30,
        "task = 'a' limit -1",
        "at(bleu, " + "9" * 30 + ") > 1",
        "max(bleu) = 1e400",
        "seed = 1e999",
    ),
    *(
        "created > '0000-00-00'",
        "created > '9999-12-31T23:59:59-23:59'",
        "created < '0001-01-01T00:00+14:00'",
        "created = '2026-W01'",
    ),
    *(
        'config."a" = 1',
        '`config."a` = 1',
        "`config.a.-1` is null",
        "config.99999999999999999999 = 1",
        "`tag.'` = 'x'",
        "tag. = 'x'",
    ),
    *(
        "(" * 50 + "task = 'a'" + ")" * 50,
        "not " * 120 + "task = 'a'",
        "(" * 5000,
        "not " * 3000,
        "task = 'a'" + " or task = 'a'" * 300,
    ),
    *(
        "task in (" + ", ".join(["'a'"] * 2000) + ")",
        "`" + "a" * 5000 + "` = 1",
        "task = '" + "a" * 20_000 + "'",
        "data = ''",
    ),
    *(
        "`git.\0` = 'a'",
        "task = '\0'",
        "task = '\ud800'",
        "note like '%\x1b%'",
        "deleted_at is null",
        "event = 'a' order by event",
    ),
    *(
        "seed = " + "1" * 5000,
        "seed = 0." + "1" * 5000,
        "version in (1, 1e19, -1e19)",
        "bleu = -0",
        "task = 'a' order by task desc, task asc",
    ),
)
ALL: Final = (*PATHS, *SIGNS, *QUOTES, *WORDS, *MARKED, *NUMBERS, *QUERIES)


def text(chance: random.Random) -> str:
    """One of them, or made of some."""
    one = chance.choice(ALL)
    match chance.randrange(10):
        case 0:
            return one + chance.choice(ALL)
        case 1:
            return (
                chance.choice(
                    ("a", "de-en", "models:/", "models:/de-en/", "de-en@", "runs:/", "tag.", "config.")
                )
                + one
            )
        case 2:
            return f"{one or 'a'}" * (1 + 300 // max(1, len(one)))
        case 3:
            return "".join(chance.choice(one or " ") for _ in range(chance.randrange(20)))
        case 4:
            return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(1, 12)))
        case _:
            return one


def number(chance: random.Random) -> int:
    """A whole number."""
    return chance.choice(
        (0, -1, 1, 2, 3, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, chance.randrange(10**6))
    )
