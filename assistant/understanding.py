"""A question as typed → what it asks, names, and is searched for; and what of it the repository does not have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.absent import Absent, facts, find_absent, sentence
from assistant.context import CodeIndex, Source
from assistant.conversation import Turn
from assistant.follow_up import Wanted, wanted
from assistant.glossary import translated
from assistant.masking import mask_typed
from assistant.mentions import Mentions, find_mentions
from assistant.names import identifiers, is_compound
from assistant.pasted import Message, take_apart
from assistant.path_names import PathNames
from assistant.pinned import described
from assistant.plain_words import content, is_foreign, is_plain, words
from indexer.terms import stem
from indexer.types import Hit

_LITTLE = 1
"""A question with so few words of its own is searched for with what was pasted."""
_PASTED_NAMES = 8
_PASTED_CHARACTERS = 20_000
"""Of a paste, from its end, that are searched for."""
_MOST_WORDS = 24
_CERTAIN = frozenset({"file", "folder", "project"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question understood, as far as words go."""

    message: Message
    about: Wanted
    query: str
    """What to look for in the code: without what is nowhere, and the words around it."""
    hits: tuple[Hit, ...]
    mentions: Mentions
    opening: str
    """What the answer begins with; empty where all that is named is there."""
    facts: str
    """What the prompt says of that, and of named files and folders."""
    stale: bool
    nowhere: bool = False
    """Whether it is about a name that is nowhere, and names nothing that is there: a model could only invent."""

    @property
    def described(self) -> bool:
        """Whether there is something to say without any snippet, such as the list of a folder."""
        return bool(self.mentions.folders) or (bool(self.facts) and bool(self.mentions.pinned))

    @property
    def searches(self) -> bool:
        """Whether search adds to what is named."""
        named = {mention.kind for mention in self.mentions.pinned}
        return bool(self.query.strip()) and not (self.mentions.alone and named <= _CERTAIN)


def understand(index: CodeIndex, question: str, turns: Sequence[Turn], shown: Sequence[Source], hits: int) -> Asked:
    """Take ``question`` apart, search, and look up what it names. ``shown``: what the editor shows."""
    message = take_apart(question)
    names = PathNames(index.paths())
    about = Wanted(message.asked) if message.paste else wanted(index, message.asked, turns, shown)
    query = _query(index, message, about)
    found = index.search(query, hits)
    favoured = list(dict.fromkeys(hit.chunk.path for hit in found.hits))
    mentions = find_mentions(index, names, message, favoured, fresh=not turns and not shown)
    spelled = [word for meant in found.spellings.values() for word in meant]
    absent = find_absent(index, names.paths, message.asked, mentions, spelled)
    absent = tuple(each for each in absent if not any(each.name.casefold() in s.text.casefold() for s in shown))
    if absent:
        secrets = mask_typed(message.asked).secrets  # of which the index has no trace
        absent = tuple(each for each in absent if not any(each.name in secret for secret in secrets))
    if absent:
        about, query = replace(about, query=_without(about.query, absent)), _without(query, absent)
        found = index.search(query, hits) if content(query) else replace(found, hits=())
    missing = bool(absent or mentions.missing)
    opening = sentence(absent, mentions, len(names.paths), index.skipped() if missing else ())
    told = facts(absent, mentions) + described(index, names, mentions)
    nowhere = any(not each.near for each in absent) and not mentions.pinned and not shown
    return Asked(message, about, query, found.hits, mentions, opening, told, found.stale, nowhere)


def _query(index: CodeIndex, message: Message, about: Wanted) -> str:
    """What to search for: the question; with what was pasted where it says little; in English or names of code."""
    query = about.query
    if message.paste and len(content(message.asked)) <= _LITTLE:
        paste = message.paste[-_PASTED_CHARACTERS:]
        names = [name for name in identifiers(paste) if is_compound(name) and index.symbols(name)]
        query = "\n".join((message.query, *names[-_PASTED_NAMES:])) if message.query or names else paste
    return _in_code(index, query) if is_foreign(query) else query


def _in_code(index: CodeIndex, query: str) -> str:
    """What of a question in another language the code has, as it is or in English; all of it where that is nothing."""
    kept = [word for word in dict.fromkeys(words(query)) if not _drops(word)][:_MOST_WORDS]
    known = [word for word in kept if _occurs(index, word)]
    # Names of code say it all; else the sentence is worth translating.
    if not any(map(is_compound, known)):
        known += [word for word in translated(query) if word not in known and _occurs(index, word)]
    return " ".join(known) or query


def _drops(word: str) -> bool:
    """Whether a word is one of the sentence around; words of other scripts may stand in comments."""
    return len(word) < 2 or (is_plain(word, foreign=True) and any(char < "\u0250" for char in word))


def _occurs(index: CodeIndex, word: str) -> bool:
    if word.isascii():
        root = word if is_compound(word) else stem(word.casefold())
        return len(root) > 2 and index.grep(root, ignore_case=True, limit=1).total > 0
    # Scripts written without spaces: any pair of characters.
    pieces = [word[at : at + 2] for at in range(min(len(word) - 1, 8))] if word > "\u2fff" else [word]
    return any(index.grep(piece, ignore_case=True, limit=1).total for piece in pieces)


def _without(query: str, absent: Sequence[Absent]) -> str:
    """``query`` with the names that are nowhere replaced by similar ones that are there."""
    for each in absent:
        query = re.sub(rf"`?{re.escape(each.name)}`?(?:\(\))?", f" {' '.join(each.near)} ", query, flags=re.I)
    return query
