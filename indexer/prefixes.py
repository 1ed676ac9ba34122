"""The beginning of a name → the names that begin so. Imported only when a query holds a word that no text holds.

As editors complete names: each part of what was typed begins the part of the name in the same place, so that ``getUs``
and ``get_us`` find ``getUserName``, and ``sess_st`` finds ``session_store``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from indexer.query import Name, Query, is_identifier
from indexer.terms import expand, parts, split_words, stem

if TYPE_CHECKING:
    from indexer.corpus import Corpus, Lookups

_SHORTEST = 3
_SHORTEST_BESIDE = 4
"""Letters of a plain word among others; whoever types a word alone may be in the middle of it."""
_MOST = 6
"""Names that one beginning may stand for."""
_SHARE = 0.9
"""What the likeliest counts beside a name that was typed whole; each further one counts a little less."""
_STEP = 0.04
_PRIVATE = ("", "_", "__")


def completed(
    corpus: Corpus, query: Query, text: str, known: Iterable[str]
) -> tuple[Query, dict[str, float], dict[str, tuple[str, ...]]]:
    """The query with the names, and other words, that its unknown words are the beginnings of.

    ``known``: terms of the query that occur. A word that occurs is taken as it is. Returned beside the query are what
    each new term counts (0 … 1), and the words as typed with what was taken for them.
    """
    held = set(known)
    lookups = corpus.lookups()
    names, meant, taken = [*query.names], dict[str, float](), dict[str, tuple[str, ...]]()
    strengths = {name.name: name for name in query.names}
    for word in dict.fromkeys(split_words(text)):
        if not _may_begin(word, corpus, query, held):
            continue
        found = _names(corpus, lookups, word)
        scope, strength = strengths[word][1:] if word in strengths else ((), 1.0)
        names += (
            Name(other, scope, strength * (_SHARE - _STEP * number)) for number, other in enumerate(found) if other
        )
        whole = _folded(word)
        terms = [_folded(other) for other in found] or _terms(corpus, lookups, whole)
        if not terms:
            continue
        taken[word] = tuple(found or terms)
        for number, term in enumerate(terms):
            meant[term] = max(meant.get(term, 0.0), _SHARE - _STEP * number)
    kept = [term for term in query.terms if term in held or term not in {_folded(word) for word in taken}]
    return query._replace(terms=tuple(dict.fromkeys((*kept, *meant))), names=tuple(names)), meant, taken


def _folded(word: str) -> str:
    """The term of a word as a whole."""
    found = expand(word)
    return found[0] if found else ""


def _may_begin(word: str, corpus: Corpus, query: Query, held: set[str]) -> bool:
    """Whether a word may be the beginning of another: no text holds it, and it is no word by itself."""
    from indexer.embed import is_word

    if len(word) < (_SHORTEST if query.whole else _SHORTEST_BESIDE) or word.isdigit() or _folded(word) in held:
        return False
    if corpus.definitions(word).total or len(corpus.files_with_path_term(_folded(word))):
        return False
    return query.whole or is_identifier(word) or not is_word(word.lower())


def _names(corpus: Corpus, lookups: Lookups, word: str) -> list[str]:
    """The likeliest names that begin as ``word`` does: those that end soonest, the shortest, the most often defined."""
    typed = word.strip("_").lower()
    humps = parts(word)
    if not humps or not typed:
        return []
    found: dict[str, tuple[bool, int, int, int]] = {}
    for private in _PRIVATE:
        for name in lookups.names_beginning(private + humps[0]):
            literal = name.lower().lstrip("_").startswith(typed)
            own = parts(name)
            if (literal or _fits(humps, own)) and (count := corpus.definitions(name).total):
                found[name] = (not literal, len(own) - len(humps), len(name), -count)
    return sorted(found, key=lambda name: (*found[name], name))[:_MOST]


def _fits(humps: Sequence[str], own: Sequence[str]) -> bool:
    """Whether each part that was typed begins the part of the name in its place."""
    return len(humps) <= len(own) and all(mine.startswith(typed) for typed, mine in zip(humps, own, strict=False))


def _terms(corpus: Corpus, lookups: Lookups, whole: str) -> list[str]:
    """The commonest terms that begin with ``whole``: words that nothing is defined by."""
    counted = {term: len(corpus.postings(term)[0]) for term in lookups.terms_beginning(stem(whole)) if term != whole}
    return sorted((t for t in counted if counted[t]), key=lambda term: (-counted[term], len(term), term))[:_MOST]
