"""Scripts beyond ASCII: which characters make a word, and what stands for words where no spaces separate them.

Standard library only, and every pattern is compiled when the first text needs it: 100,000 characters take a
millisecond, which a search in ASCII should not pay.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Combining marks stay with their letters: ``\\w`` alone would cut Thai, Hindi and decomposed text at each of them.
# Ranges of the blocks that hold them, without the punctuation inside, and the joiners of Indic scripts and Persian.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0900-\u0963\u0971-\u0df3"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u0f18\u0f19\u0f35\u0f37\u0f39\u0f3e\u0f3f"
    "\u0f71-\u0f84\u0f86-\u0fbc\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074"
    "\u1082-\u108d\u135d-\u135f\u1712-\u1714\u17b4-\u17d3\u180b-\u180d\u1ab0-\u1aff\u1b00-\u1b04\u1b34-\u1b44"
    "\u1dc0-\u1dff\u200c\u200d\u20d0-\u20f0\u302a-\u302f\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f"
)
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3040-\u3098\u309b-\u30ff\u31f0-\u31ff\u3099\u309a\U0001b000-\U0001b16f"
_BOPOMOFO = "\u3100-\u312f\u31a0-\u31bf"
_HANGUL = "\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\ud7b0-\ud7ff"
_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17d3\ua9e0-\ua9fe\uaa60-\uaa7f"

_MOST_OF_A_RUN = 2_000
"""Characters of one run that are looked at; more without any punctuation are no prose."""

STEMMED = frozenset("абвгґдеёєжзиіїйклмнопрстуўфхцчшщъыьэюя")
"""Last letters of words that ``stem_cyrillic`` may shorten."""
_CYRILLIC_ENDINGS = re.compile(
    "(иями|иях|иям|ями|ами|ией|иею|ого|его|ому|ему|ыми|ими|ия|ие|ии|ий|ию|ья|ье|ьи|ью|ая|яя|ое|ее|ые|ый|ой|ей|их|ых"
    "|ую|юю|ым|им|ах|ях|ам|ям|ом|ем|ов|ев|а|я|о|е|и|ы|у|ю|ь|й)$"
)
_LEAST_STEM = 3


@lru_cache(maxsize=1)
def WORD_WITH_MARKS() -> re.Pattern[str]:  # noqa: N802  (a constant, but for when it is made)
    """A word of any script."""
    return re.compile(f"\\w[\\w{_MARKS}]*")


@lru_cache(maxsize=1)
def RUN() -> re.Pattern[str]:  # noqa: N802
    """A run of one kind of script within a word. Groups: ``cjk``, ``tied`` (no spaces either); none for all others."""
    cjk, tied = _HAN + _KANA + _BOPOMOFO + _HANGUL, _SOUTH_EAST
    return re.compile(f"(?P<cjk>[{cjk}]+)|(?P<tied>[{tied}]+)|[^{cjk}{tied}]+")


@lru_cache(maxsize=1)
def _alone() -> re.Pattern[str]:
    """Characters that can be a word by themselves."""
    return re.compile(f"[{_HAN}\uac00-\ud7a3]")


def endless(run: str, kind: str, *, singly: bool) -> list[str]:
    """Terms of a run (``RUN``) of a script that shows no word boundaries: each pair of neighbours.

    ``singly``: also each Chinese character or Korean syllable, for queries that are no more than that. Korean has
    spaces, but its particles are tied to the word before: pairs make 사용자 and 사용자를 meet.
    """
    run = run[:_MOST_OF_A_RUN]
    if len(run) == 1:
        return [run]
    out = [run[i : i + 2] for i in range(len(run) - 1)]
    if singly and kind == "cjk":
        out += _alone().findall(run)
    return out


def stem_cyrillic(word: str) -> str:
    """A word in Cyrillic without the ending of its case, number or gender, where three letters stay.

    A light stem as in Dolamic & Savoy (2009), Indexing and searching strategies for the Russian language.
    """
    match = _CYRILLIC_ENDINGS.search(word, _LEAST_STEM)
    return word[: match.start()] if match else word
