"""Names in a question that occur nowhere in the repository: said before the model, which would invent something.

A small model asked about ``GraphQL`` in a repository without it describes an endpoint and cites a real line. So the key
names of a question are looked for as texts, in whatever case; everyday words are not key names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.context import CodeIndex
from assistant.mentions import Mentions, Token, tokens
from assistant.path_names import has_extension
from assistant.plain_words import ASKING, is_foreign
from indexer.errors import BadInputError
from indexer.reasons import visible
from indexer.reports import Skipped
from indexer.terms import parts, stem

MOST_NAMES = 4
_MOST_NEAR = 2
_NEAR_MATCHES = 40
_LEAST_LETTERS = 3
_STEM_LETTERS = 4

_IDENTIFIER = re.compile(r"[$@]?[^\W\d]\w*")
_WHOLE_NAME = re.compile(r"[$@]?[^\W\d]\w*(?:(?:\.|::|->|#)[$]?[^\W\d]\w*)*")
_SEPARATOR = re.compile(r"\.|::|->|#")
_SNAKE = re.compile(r"[^\W_]_[^\W_]")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2,}|[A-Z][^\Wa-z]*[a-z][^\WA-Z]*[A-Z]")
_ACRONYM = re.compile(r"[A-Z]{3,}\d?")

_COMMON = """
    ai am api apis app apps ascii aws bios bug bugs ceo ci cd cli cpu cpus css csv db dns docker eu faq ftp git
    github gitlab gnu gpu gui html http https ide ides id ids io ip ios it js json jvm lan linux lsp mac macos mvc
    mvp nan null ok oop orm os oss ots pc pdf posix pr prs qa ram readme regex regexp repl rest sdk sql ssh ssl tcp
    tdd tls todo tty ttl ui uk unix uri url urls us usa usb utf utc uuid ux vm vscode wasm wifi windows www xml yaml
    android ubuntu debian python python2 python3 java javascript typescript ts rust go golang c cpp ruby php perl
    kotlin swift scala haskell erlang elixir clojure lua dart zig bash shell powershell csharp fsharp matlab fortran
    cobol pascal lisp scheme ocaml node nodejs deno vim neovim emacs intellij pycharm google microsoft apple amazon
    facebook oracle openai stackoverflow stack overflow english german french spanish italian portuguese russian
    chinese japanese korean dutch polish turkish arabic hindi europe america asia germany france spain italy china
    japan russia deutsch englisch französisch monday tuesday wednesday thursday friday saturday sunday january
    february march april may june july august september october november december christmas internet web unicode
    latin greek true false none nil undefined void int bool string boolean float double char error exception warning
    traceback note hint important thanks sorry
"""
ORDINARY = frozenset(_COMMON.split())
"""Languages, systems, months and abbreviations of everyday: they say in what terms somebody asks, not what is there."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A name that occurs nowhere, and ``near``: how similar ones are spelled that do."""

    name: str
    near: tuple[str, ...] = ()


def find_absent(
    index: CodeIndex, paths: Sequence[str], asked: str, mentions: Mentions, spellings: Iterable[str] = ()
) -> tuple[Absent, ...]:
    """The key names of a question that no text and no path of the repository has, in order.

    ``spellings``: words of the repository that search took for misspelled ones.
    """
    found: dict[str, Absent] = {}
    for name in key_names(index, asked, mentions):
        if len(found) == MOST_NAMES:
            break
        if name.casefold() in (known.casefold() for known in found) or _occurs(index, paths, name):
            continue
        near = _near(index, name, spellings)
        if not _is_word(name) or not (near or _relatives(index, name)):
            found[name] = Absent(name, near)
    return tuple(found.values())


def key_names(index: CodeIndex, asked: str, mentions: Mentions) -> list[str]:
    """Words of a question that can only be meant as names of something."""
    foreign = is_foreign(asked)
    out: dict[str, None] = {}
    for token in tokens(asked):
        text = token.text.removesuffix("()").strip("\\/:")
        if token.text in mentions.said or text in mentions.missing or has_extension(text) or "/" in text:
            continue
        called = token.ticked or token.text.endswith("()")
        names = _SEPARATOR.split(text) if _WHOLE_NAME.fullmatch(text) else []
        for number, part in enumerate(names):
            # A member of something that is defined here: ``Session.frobnicate``.
            member = number > 0 and bool(index.symbols(names[number - 1].lstrip("$@")))
            if _is_key(part, token, called=called or member, foreign=foreign):
                out[part.lstrip("$@")] = None
        if token.ticked and text.startswith("-") and re.fullmatch(r"--?\w[\w-]+", text):
            out[text] = None
    return list(out)


def sentence(absent: Sequence[Absent], mentions: Mentions, files: int, unread: Sequence[Skipped]) -> str:
    """What the answer begins with; empty where everything that the question names is there."""
    out: list[str] = []
    everything = f"{files:,} file{'' if files == 1 else 's'}"
    for each in absent:
        near = " and ".join(f"`{name}`" for name in each.near)
        but = f", but {near} {'does' if len(each.near) == 1 else 'do'}" if near else ""
        out.append(f"`{each.name}` occurs nowhere in this repository ({everything}){but}.")
    for name in mentions.missing:
        base = name.rpartition("/")[2].casefold()
        known = [skip for skip in unread if skip.path.rpartition("/")[2].casefold() == base]
        if known:
            out.append(f"`{visible(known[0].path)}` is not in the index: {known[0].reason}")
        else:
            out.append(f"There is no file `{name}` in this repository ({everything}).")
    for name, path in mentions.instead:
        out.append(f"There is no file `{name}` in this repository; this is about `{visible(path)}`.")
    if unread and (mentions.missing or any(not each.near for each in absent)):
        count = len(unread)
        out.append(f"{count:,} file{' was' if count == 1 else 's were'} not looked at ({_reasons(unread)}).")
    for name, paths in mentions.alike:
        others = ", ".join(f"`{visible(path)}`" for path in paths[1:4])
        more = f" and {len(paths) - 4} more" if len(paths) > 4 else ""
        out.append(f"{len(paths)} places are named `{name}`; this is about `{visible(paths[0])}`, not {others}{more}.")
    return "\n".join(out)


def facts(absent: Sequence[Absent], mentions: Mentions) -> str:
    """The same for the model, which must not describe what is not there."""
    names = [each.name for each in absent] + list(mentions.missing)
    if not names:
        return ""
    listed = " and ".join(f"`{name}`" for name in names)
    near = [name for each in absent for name in each.near]
    # "The user was told that …" was measured too: the default model then invents what is not there.
    out = f"{listed} {'does' if len(names) == 1 else 'do'} not exist in this repository. Do not describe it. "
    return out + (f"Similar names are {', '.join(f'`{name}`' for name in near)}. " if near else "")


def _is_key(name: str, token: Token, *, called: bool, foreign: bool) -> bool:
    bare = name.lstrip("$@").strip("_")
    low = bare.casefold()
    if len(bare) < _LEAST_LETTERS or low in ORDINARY or not name.isascii():
        return False
    if called or _SNAKE.search(name) or _CAMEL.search(name):
        return bool(_IDENTIFIER.fullmatch(name))
    if low in ASKING or low.rstrip("s") in ORDINARY or low.rstrip("s") in ASKING:
        return False
    if _ACRONYM.fullmatch(bare):
        return True
    # German writes every noun like this, and a sentence its first word.
    return not foreign and not token.first and bare[0].isupper() and bare[1:].islower() and bare.isalpha()


def _is_word(name: str) -> bool:
    """Whether ``name`` may be an ordinary word with a capital."""
    return name.isalpha() and name[1:].islower()


def _occurs(index: CodeIndex, paths: Sequence[str], name: str) -> bool:
    low = name.casefold()
    if any(low in path.casefold() for path in paths):
        return True
    return index.grep(name, ignore_case=True, limit=1).total > 0


def _relatives(index: CodeIndex, name: str) -> bool:
    """Whether another form of an ordinary word occurs: ``Routing`` where there is ``router``."""
    root = stem(name.casefold())
    least = min(root, name.casefold()[: max(_STEM_LETTERS, len(root) - 1)], key=len)
    return len(least) >= _STEM_LETTERS and index.grep(least, ignore_case=True, limit=1).total > 0


def _near(index: CodeIndex, name: str, spellings: Iterable[str]) -> tuple[str, ...]:
    """How the same words are spelled elsewhere (``graph_ql``), or what a typo means."""
    pieces = parts(name.strip("-"))
    wanted = ["[_-]?".join(map(re.escape, pieces))] if len(pieces) > 1 else []
    joined = re.sub(r"[\W_]", "", name).casefold()
    wanted += ["[_-]?".join(map(re.escape, word)) for word in spellings if _alike(joined, word)][:_MOST_NEAR]
    out: dict[str, None] = {}
    for pattern in wanted:
        try:
            found = index.grep(rf"\w*{pattern}\w*", regex=True, ignore_case=True, limit=_NEAR_MATCHES)
        except BadInputError:
            continue
        for match in found.matches:
            raw = match.text.encode()
            out.update(dict.fromkeys(raw[start:end].decode("utf-8", "replace") for start, end in match.spans))
    return tuple(sorted(out, key=lambda near: (len(near), near))[:_MOST_NEAR])


def _alike(name: str, word: str) -> bool:
    from difflib import SequenceMatcher

    return len(word) >= 5 and SequenceMatcher(None, name, word).ratio() >= 0.8


def _reasons(unread: Sequence[Skipped]) -> str:
    """The most frequent reasons, in few words."""
    from collections import Counter

    counts = Counter(skip.reason.rstrip(".").partition(",")[0].partition(":")[0] for skip in unread)
    found = counts.most_common(3)
    said = (f"{reason[:1].lower()}{reason[1:]}{f': {count:,}' if len(counts) > 1 else ''}" for reason, count in found)
    return "; ".join(said)
