"""Whether a text that was put into a file broke it, by parsers that share no code with completion's trimming.

Whole files are parsed from nothing, before and after. What is counted: nodes that are errors or missing; brackets
without a partner; what the language's own parser says (Python, JavaScript, JSON, shell), where the file passed before.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from indexer.dialects import known
from indexer.languages import by_name

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

_PAIRS = {"(": ")", "[": "]", "{": "}", "${": "}", "#{": "}", "$(": ")", "[[": "]]", "((": "))"}
_CLOSERS = frozenset(_PAIRS.values())
_LONE_WORDS = {"ruby": ("end", "else", "elsif", "when"), "bash": ("fi", "done", "esac", "else", "then", "do")}
"""Words that a grammar takes for names where they close or go on with nothing."""
_MAY_STAY_OPEN = re.compile(
    r"(?:html|head|body|p|li|d[td]|t[dhr]|thead|tbody|tfoot|option|optgroup|col|colgroup"
    r"|area|base|br|embed|hr|img|input|link|meta|source|track|wbr)$",
    re.I,
)
"""HTML elements that need no end tag."""
_CLOSERS_ONLY = re.compile(r"(?:[\W_]+|\s*(?:end|fi|done|esac|</[\w.:-]+>)[\s;,)]*)$")
_SECONDS = 10


@dataclass(frozen=True)
class Judgement:
    """What accepting a text did to the file."""

    adds_errors: bool
    """More syntax errors than before, or the language's own parser refuses what it took before."""
    left_open: bool
    """Brackets without a partner that were not there before: opened and not closed, or closed once too often."""
    repeats: bool
    """The text ends with what stands after the cursor anyway."""
    exact: bool
    """It is what was taken out."""

    @property
    def harmful(self) -> bool:
        """Whether any of the three must not happen."""
        return self.adds_errors or self.left_open or self.repeats


def judge(language: str, prefix: str, suffix: str, text: str, replaces: int = 0, removed: str = "") -> Judgement:
    """The file with ``text`` at the cursor, in place of ``replaces`` characters of the line's rest, beside without."""
    after = prefix + text + suffix[replaces:]
    before = prefix + suffix
    errors = syntax_errors(after, language) - syntax_errors(before, language)
    lone = unpaired(after, language) - unpaired(before, language)
    taken_in = "\n" not in removed and removed + suffix.split("\n", 1)[0]
    shown_in = "\n" not in text and text + suffix[replaces:].split("\n", 1)[0]
    exact = text.rstrip() == removed.rstrip() if not replaces else shown_in == taken_in
    return Judgement(
        errors > 0 or (refused(after, language) and not refused(before, language)),
        bool(lone),
        repeats(language, prefix, suffix, text, replaces),
        exact,
    )


def repeats(language: str, prefix: str, suffix: str, text: str, replaces: int = 0) -> bool:
    """Whether ``text`` ends with the rest of the cursor's line, or with whole lines that stand next.

    What is nothing but closers may well stand twice: it is repeated only where the file has fewer errors, or fewer
    brackets without a partner, when it is said once.
    """
    rest = suffix[replaces:].split("\n", 1)[0].strip()
    text = text.rstrip()
    if rest:
        return _repeats_rest(language, prefix, suffix, text, rest, replaces)
    own = (prefix.rpartition("\n")[2] + text).split("\n")
    own = [line.rstrip() for line in own if line.strip()]
    below = [line.rstrip() for line in suffix.split("\n")[1:] if line.strip()]
    for count in range(1, min(len(own), len(below)) + 1):
        if own[-count:] != below[:count]:
            continue
        if not all(map(_CLOSERS_ONLY.match, own[-count:])):
            return True
        less = "\n".join(text.split("\n")[: -_lines(text, count)])
        if _better(language, prefix, suffix, text, less, replaces):
            return True
    return False


def _repeats_rest(language: str, prefix: str, suffix: str, text: str, rest: str, replaces: int) -> bool:
    """Whether ``text`` ends with all of ``rest``, or with its first closers."""
    last = text.rpartition("\n")[2]
    if last.endswith(rest) and not _CLOSERS_ONLY.match(rest):
        return True
    for count in range(min(len(rest), len(last)), 0, -1):
        said = rest[:count]
        if not last.endswith(said) or not _CLOSERS_ONLY.match(said):
            continue
        less = text[: -len(said)]
        if _better(language, prefix, suffix, text, less, replaces):
            return True
        if said in (";", ",") and not _better(language, prefix, suffix, less, text, replaces):
            return True  # harmless to a parser, but nobody wants it twice
    return False


def _lines(text: str, count: int) -> int:
    """How many lines of ``text``'s end hold ``count`` lines that are not blank."""
    taken = 0
    for number, line in enumerate(reversed(text.split("\n")), 1):
        taken += bool(line.strip())
        if taken == count:
            return number
    return text.count("\n") + 1


def _better(language: str, prefix: str, suffix: str, long: str, short: str, replaces: int) -> bool:
    """Whether the file is more correct with the shorter text."""
    more, less = (prefix + text + suffix[replaces:] for text in (long, short))
    errors = syntax_errors(more, language) - syntax_errors(less, language)
    return errors > 0 or (errors == 0 and unpaired(more, language).total() > unpaired(less, language).total())


def syntax_errors(text: str, language: str) -> int:
    """Nodes of the file's tree that are errors, or missing; and what its grammar lets pass although nobody may."""
    tree = _tree(text, language)
    return _count(tree) + _lone_words(tree, language)


def unpaired(text: str, language: str) -> Counter[str]:
    """Brackets of the file without a partner, outside strings and comments; in HTML, tags too. How many of each.

    Where the tree has no error, brackets are paired, or are none (a pattern of ``case`` in a shell ends with one).
    """
    tree = _tree(text, language)
    found = _unpaired(tree) if tree.root_node.has_error else Counter[str]()
    return found + (_open_elements(tree) if language == "html" else Counter[str]())


def comment_lines(text: str, language: str) -> frozenset[int]:
    """Lines that belong to a comment, from 0."""
    out: set[int] = set()
    stack = [_tree(text, language).root_node]
    while stack:
        node = stack.pop()
        if "comment" in node.type:
            # A trailing comment's line is code.
            first = node.start_point.row + bool(_before(text, node).strip())
            last = node.end_point.row - (node.end_point.column == 0 and node.end_point.row > node.start_point.row)
            out.update(range(first, last + 1))
        else:
            stack += node.children
    return frozenset(out)


def text_lines(text: str, language: str) -> frozenset[int]:
    """Lines of docstrings, documentation comments and strings of several lines, from 0."""
    out: set[int] = set()
    stack = [_tree(text, language).root_node]
    while stack:
        node = stack.pop()
        said = node.text or b""
        docstring = language == "python" and node.type == "string" and node.parent is not None
        docstring = docstring and node.parent.type in ("module", "block", "expression_statement")
        documents = "comment" in node.type and said.startswith((b"/**", b"///", b"//!"))
        string = "string" in node.type and b"\n" in said
        if docstring or documents or string:
            out.update(range(node.start_point.row, node.end_point.row + (node.end_point.column > 0)))
        else:
            stack += node.children
    return frozenset(out)


def _before(text: str, node: Node) -> str:
    """The line of ``node`` up to it."""
    data = text.encode()
    return data[data.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte].decode()


@cache
def _parser(language: str) -> Parser:
    from tree_sitter import Parser
    from tree_sitter_language_pack import get_language

    grammar = by_name(language).grammar
    assert grammar is not None
    return Parser(get_language(grammar))


def _tree(text: str, language: str) -> Tree:
    return _parser(language).parse(known(text.encode(), language))


def _count(tree: Tree) -> int:
    count, stack = 0, [tree.root_node]
    while stack:
        node = stack.pop()
        count += node.is_error or node.is_missing
        if node.has_error:
            stack += node.children
    return count


def _nodes(tree: Tree) -> Iterator[Node]:
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(node.children)


def _lone_words(tree: Tree, language: str) -> int:
    words = _LONE_WORDS.get(language, ())
    kinds = ("identifier", "command_name")
    return sum(node.type in kinds and (node.text or b"").decode() in words for node in _nodes(tree)) if words else 0


def _open_elements(tree: Tree) -> Counter[str]:
    """Elements without an end tag that need one, and end tags that end nothing."""
    found: Counter[str] = Counter()
    for node in _nodes(tree):
        kinds = [child.type for child in node.children]
        if node.type == "element" and kinds[:1] == ["start_tag"] and "end_tag" not in kinds:
            name = node.children[0].named_children[:1]
            found["<>"] += bool(name) and _MAY_STAY_OPEN.match((name[0].text or b"").decode()) is None
        found["</>"] += node.type == "erroneous_end_tag"
    return +found


def _unpaired(tree: Tree) -> Counter[str]:
    owed: list[str] = []
    lone: Counter[str] = Counter()
    for token in _tokens(tree):
        if token in _PAIRS:
            owed.append(token)
        elif token in _CLOSERS:
            closes = [_PAIRS[opener] for opener in owed]
            if token not in closes:
                lone[token] += 1
                continue
            # What was opened further in was never closed.
            while _PAIRS[owed[-1]] != token:
                lone[owed.pop()] += 1
            owed.pop()
    return lone + Counter(owed)


def _tokens(tree: Tree) -> Iterator[str]:
    """Types of the tokens that are in the text, in order."""
    for node in _nodes(tree):
        pattern = node.parent is not None and node.parent.type == "case_item"
        if not (node.child_count or node.is_named or node.is_missing or pattern):
            yield node.type


def refused(text: str, language: str) -> bool:
    """Whether the language's own parser refuses the file; False for languages without one on this machine."""
    if language == "python":
        return not _python(text)
    if language == "json":
        return not _json(text)
    command = {"javascript": _node, "bash": _bash}.get(language)
    return command is not None and not command(text)


def _python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _node(text: str) -> bool:
    node = which("node")
    suffix = ".mjs" if re.search(r"^(?:import|export)\b", text, re.M) else ".cjs"
    return node is None or _passes([node, "--check"], text, suffix)


def _bash(text: str) -> bool:
    bash = which("bash")
    return bash is None or _passes([bash, "-n"], text, ".sh")


def _passes(command: list[str], text: str, suffix: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"hole{suffix}"
        path.write_text(text, encoding="utf-8")
        ended = subprocess.run([*command, str(path)], capture_output=True, timeout=_SECONDS)
    return ended.returncode == 0
