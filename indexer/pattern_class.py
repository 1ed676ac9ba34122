"""Classes of characters as ripgrep means them, spelled so that RE2 and ``regex`` both take them within brackets."""

from __future__ import annotations

from functools import cache

WORD = r"\p{L}\p{M}\p{Nl}\p{Nd}\p{Pc}" + "ⓐ-ⓩⒶ-Ⓩ🄰-🅉🅐-🅩🅰-🆉\u200c\u200d"
"""Unicode's word characters (UTS 18): alphabetic, mark, decimal number, connector, join control. What is alphabetic is
letters, letter numbers and marks, and the circled letters."""
DIGIT = r"\p{Nd}"
SPACE = "\\x09\\x0b-\\x0d \\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000".replace("\\x85", "\x85")
SPACE_NOT = (
    "\\x00-\\x08\\x0e-\\x1f!-\x84\x86-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e"
    "\u2030-\u205e\u2060-\u2fff\u3001-\U0010ffff"
)
POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\x09 ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~",
    "space": r"\x09\x0b-\x0d ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
"""ASCII, as Rust has them."""

_CATEGORIES = {
    "letter": "L", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt", "modifierletter": "Lm",
    "otherletter": "Lo", "mark": "M", "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me",
    "number": "N", "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No", "punctuation": "P",
    "connectorpunctuation": "Pc", "dashpunctuation": "Pd", "openpunctuation": "Ps", "closepunctuation": "Pe",
    "initialpunctuation": "Pi", "finalpunctuation": "Pf", "otherpunctuation": "Po", "symbol": "S", "mathsymbol": "Sm",
    "currencysymbol": "Sc", "modifiersymbol": "Sk", "othersymbol": "So", "separator": "Z", "spaceseparator": "Zs",
    "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C", "control": "Cc", "format": "Cf", "any": "Any",
}  # fmt: skip


def class_char(char: str) -> str:
    """A character within brackets."""
    return "\\" + char if char in r"\]^-[&~|" else char


def property_class(name: str, *, negated: bool) -> str | None:
    r"""``\p{…}`` of a general category or script by any of its usual spellings; None if it is neither."""
    import re2

    plain = name.rpartition("=")[2].strip()
    if plain.startswith("^"):
        plain, negated = plain[1:], not negated
    loose = plain.lower().replace("_", "").replace(" ", "").replace("-", "")
    short = {own.lower(): own for own in _CATEGORIES.values()}
    spelled = _CATEGORIES.get(loose) or short.get(loose) or "_".join(part.capitalize() for part in plain.split("_"))
    if not spelled.replace("_", "").isalpha():
        return None
    found = rf"\{'P' if negated else 'p'}{{{spelled}}}"
    try:
        options = re2.Options()
        options.log_errors = False
        re2.compile(found, options)
    except re2.error:
        return None
    return found


@cache
def complement_of_word() -> str:
    """What is no word character, as ranges: RE2 cannot negate a part of a class."""
    import re2

    # Every character but the halves of surrogate pairs, which no UTF-8 text holds.
    every = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    return "".join(
        f"{class_char(match[0][0])}-{class_char(match[0][-1])}" if len(match[0]) > 1 else class_char(match[0])
        for match in re2.finditer(f"[^{WORD}]+", every)
    ).replace("\n", "\\x0a")
