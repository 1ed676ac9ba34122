"""Names in code and prose: what looks like an identifier, and which words say nothing."""

from __future__ import annotations

import re

IDENTIFIER = re.compile(r"[^\W\d]\w*")
_COMPOUND = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2,}[a-z]|\w_\w|^_+\w|\w\d")

_KEYWORDS = """
    abstract and any as assert async auto await base bool boolean break byte case catch char class cls const constexpr
    continue def default defer del delete dict do double echo elif else elseif end endif enum except export extends
    extern false False final finally float fn for foreach from func function get global go goto if impl implements
    import in include inline instanceof int interface internal is lambda let list local long loop map match mod module
    move mut namespace native new nil none None nonlocal not null object operator or override package pass print private
    protected protocol pub public raise range ref require require_once return self Self sealed set short signed sizeof
    static str string struct super switch template then this throw throws trait true True try tuple type typedef typeof
    union unless unsigned until use using val var virtual void volatile when where while with yield
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""Keywords and built-in types of the common languages: never worth a look-up."""


def identifiers(text: str) -> list[str]:
    """Distinct identifiers of ``text`` in order, keywords and names shorter than three characters left out."""
    return [n for n in dict.fromkeys(IDENTIFIER.findall(text)) if len(n) > 2 and n not in KEYWORDS]


def is_compound(name: str) -> bool:
    """Whether ``name`` can only be code: ``snake_case``, ``camelCase``, ``HTTPServer``, ``utf8``; not ``request``."""
    return _COMPOUND.search(name) is not None
