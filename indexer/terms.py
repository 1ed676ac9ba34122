"""Text → the terms that lexical search counts; standard library only, because parse workers import it.

A term is an identifier as a whole, lowercased and without underscores (``getUserByID`` → ``getuserbyid``), or one of
its parts, stemmed (``get``, ``user``, ``id``): so ``get user by id``, ``get_user_by_id`` and ``getUserByID`` meet.
Words of comments go the same way. Text beyond ASCII is normalised first (NFKC), and what a script writes without
spaces becomes pairs of characters (``scripts.py``). English function words are no terms at all: in code they are
keywords, in comments they are everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import chain

from indexer.scripts import RUN, STEMMED, WORD_WITH_MARKS, endless, stem_cyrillic

WORD = re.compile(r"\w+")
"""A word of ASCII text; ``split_words`` finds those of any text."""
# A run of capitals ends before the capital that starts a word (HTTPServer → HTTP, Server) but keeps a plural (URLs).
_PART = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z][a-z]+|[A-Z]|[a-z]+|[0-9]+")
_VOWEL = re.compile(r"[aeiouy]")

# Everything else of ASCII becomes a space: splitting at those is four times as fast as searching for words.
_ONLY_WORDS = bytes(n if chr(n).isalnum() or n == ord("_") else ord(" ") for n in range(128)).ljust(256)

MAX_TOKEN = 80
"""Longer words are data (base64, hashes), not something anybody searches."""
_MEMO_LIMIT = 200_000

_FUNCTION_WORDS = """
a an and are as at be been but by can could did do does for from had has have if in into is it its itself may might must
no nor not of off on onto or our out over shall should so some such than that the their them then there these they this
those to too under until up upon was we were when while will with would you your
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
QUESTION_WORDS = frozenset({"how", "what", "where", "which", "who", "whom", "whose", "why"})
"""Words of questions, dropped from queries only; code does define ``which`` and ``where``."""


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """A light stem: plural, -ing, -ed, -er, -or, -ion and a silent e go where at least a short word stays.

    It is for matching only and errs on the side of leaving words alone; the rules are a subset of Porter (1980),
    An algorithm for suffix stripping, chosen so that the verb and the noun of code meet (parse, parser, parsing;
    validate, validation, validator).
    """
    n = len(word)
    if n <= 3 or not word.isascii():
        if word[-1:] in STEMMED:
            return stem_cyrillic(word)
        return word[:2] if n == 3 and word[2] == "s" and word[1] != "s" and _VOWEL.search(word[:2]) else word
    if word.endswith("ies") and n > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix, least in _SUFFIXES_BY_END.get(word[-1], ()):
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            if len(rest) >= least and _VOWEL.search(rest):
                word = rest
                if word[-1] == word[-2] and word[-1] not in "lsz" and suffix in ("ing", "ed", "er"):
                    word = word[:-1]
                break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word


_SUFFIXES = (
    ("ations", 4),
    ("ation", 4),
    ("ators", 4),
    ("ator", 4),
    ("ate", 4),
    ("ating", 4),
    ("ated", 4),
    ("ing", 3),
    ("ed", 3),
    ("er", 4),
    ("or", 4),
    ("ion", 4),
)
"""Suffix and the fewest letters that must stay before it; the first that fits is taken."""
_SUFFIXES_BY_END = {end: tuple(s for s in _SUFFIXES if s[0][-1] == end) for end in "degnrs"}


def parts(identifier: str) -> list[str]:
    """Parts of an identifier, lowercased: ``HTTPServer2`` → ``http``, ``server``, ``2``.

    Where a script without spaces begins or ends a part does too: ``json数据`` → ``json``, ``数据``.
    """
    if identifier.isascii():
        if identifier.islower() and identifier.isalpha():
            return [identifier]
        return [p.lower() for p in _PART.findall(identifier)]
    return [part for run in RUN().finditer(identifier) for part in _parts_of_run(run[0], spaced=run.lastgroup is None)]


def _parts_of_run(run: str, *, spaced: bool) -> list[str]:
    if run.isascii():
        return parts(run)
    if not spaced or (run.isalpha() and not any(map(str.isupper, run[1:]))):
        return [run.casefold()]
    out: list[str] = []
    last = "_"
    for char in run:
        kind = _kind(char)
        if kind == "m":  # a mark belongs to the letter before it
            if out:
                out[-1] += char
            continue
        if kind != "_":
            if kind != _kind(last) and not (kind == "a" and _kind(last) == "A"):
                out.append("")
            out[-1] += char
        last = char
    return [p.casefold() for p in out]


def _kind(char: str) -> str:
    """A for capitals, a for other letters, 0 for digits, m for marks on them, _ between words."""
    if char.isdigit():
        return "0"
    if char.isalpha():
        return "A" if char.isupper() else "a"
    return "m" if unicodedata.category(char)[0] == "M" else "_"


def words(text: bytes) -> list[str]:
    """The words of UTF-8 text in order: letters of any script with their marks, digits, underscores."""
    if text.isascii():
        return text.translate(_ONLY_WORDS).decode("ascii").split()
    return split_words(text.decode("utf-8", "replace"))


def split_words(text: str) -> list[str]:
    """The same of a text: composed, decomposed, full-width and half-width forms of a word are one (NFKC)."""
    if text.isascii():
        return WORD.findall(text)
    return WORD_WITH_MARKS().findall(unicodedata.normalize("NFKC", text))


def expand(token: str, pieces: list[str] | None = None) -> tuple[str, ...]:
    """All terms of one word of the text, the whole first. ``pieces``: its parts, if they are known already."""
    if not token.isascii():
        return _expand_unicode(token, singly=True)
    if len(token) > MAX_TOKEN:
        return ()
    if token.islower() and token.isalpha():
        return () if token in STOP_WORDS or len(token) < 2 else (stem(token),)
    if token[0].isdigit():
        return (token.lower(),)
    pieces = pieces or parts(token)
    if len(pieces) == 1:
        word = pieces[0]
        return () if word in STOP_WORDS or len(word) < 2 else (stem(word),)
    whole = token.replace("_", "").lower()
    kept = [stem(p) for p in pieces if (len(p) > 1 or p.isdigit()) and p not in STOP_WORDS]
    return (whole, *kept) if whole else ()


def _expand_unicode(token: str, *, singly: bool) -> tuple[str, ...]:
    """Terms of a word with letters beyond ASCII, run by run of its scripts. ``singly``: see ``endless``."""
    out: list[str] = []
    for run in RUN().finditer(unicodedata.normalize("NFKC", token)):
        text = run[0]
        if run.lastgroup is not None:
            out += endless(text, run.lastgroup, singly=singly)
        elif text.isascii():
            if text.strip("_"):
                out += expand(text.strip("_"))
        elif len(text) <= MAX_TOKEN and (pieces := _parts_of_run(text, spaced=True)):
            if len(pieces) > 1:
                out.append("".join(pieces))
            out += [stem(p) for p in pieces if p not in STOP_WORDS and (len(p) > 1 or not p.isascii() or p.isdigit())]
    return tuple(out)


class _Memo(dict[str, tuple[str, ...]]):
    """Word → its terms. A repository has few distinct words, so nearly every look-up is one dictionary access."""

    def __missing__(self, token: str) -> tuple[str, ...]:
        if len(self) >= _MEMO_LIMIT:
            self.clear()
        found = self[token] = expand(token)
        return found


_MEMO = _Memo()


_QUESTION_STEMS = frozenset(map(stem, QUESTION_WORDS))


def terms(text: str) -> list[str]:
    """Every term of ``text`` in order, repeated as often as it occurs."""
    return list(chain.from_iterable(map(_MEMO.__getitem__, split_words(text))))


def count_terms(text: str) -> Counter[str]:
    """How often each term occurs in ``text``; the same counts as ``Counter(terms(text))``."""
    return Counter(chain.from_iterable(map(_MEMO.__getitem__, split_words(text))))


def query_terms(query: str) -> list[str]:
    """The distinct terms of a query in order, without question words unless it has nothing else."""
    found = list(dict.fromkeys(term for word in split_words(query) for term in word_terms(word)))
    return [t for t in found if t not in _QUESTION_STEMS] or found


def word_terms(word: str) -> tuple[str, ...]:
    """The terms of one word of a query: single characters only where a script's run has no more."""
    return _MEMO[word] if word.isascii() else _expand_unicode(word, singly=False)


def path_terms(path: str) -> list[str]:
    """The distinct terms of a path's folders and of its name without the extension."""
    folders, _, name = path.rpartition("/")
    base = name.rpartition(".")[0] or name
    return list(dict.fromkeys(terms(f"{folders} {base}")))
