"""A message with a traceback, a log or compiler output in it → what is asked, and what of the paste matters.

A stack is pasted before or after the question, often longer than any prompt. What counts is the question, wherever it
stands, the line that says what went wrong, and the frames that lie in the repository. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PASTE_CHARACTERS = 1_200
"""Most of a paste that the model is shown: its end."""
ASKED_CHARACTERS = 3_000
"""Most of the rest; of a longer text its beginning and its end."""
_LINE_CHARACTERS = 1_000
"""Of a line that are looked at for what it is."""
_LONG = 1_500
"""Characters from which lines without any frame count as pasted."""

_PATH = r"(?P<path>(?:[A-Za-z]:)?(?:[\w.@~+$%-]*[\\/])*[\w.@+$%-]*\w\.[A-Za-z]\w{0,9})"
_PLACES = (
    re.compile(r'File "(?P<path>[^"\n]+)", line (?P<line>\d+)'),
    re.compile(rf"\((?:file://)?{_PATH}:(?P<line>\d+)(?::\d+)?\)"),
    re.compile(rf"(?<![\w.@~+$%/\\-])(?:file://)?{_PATH}(?::line |:|\(|, line | on line )(?P<line>\d{{1,7}})\b"),
)
_JAVA = re.compile(r"^\s*at (?:[\w.@]+/)?(?P<name>[\w.$<>]+)\((?P<file>\w+\.\w+):(?P<line>\d+)\)")
_FRAME = re.compile(
    r'^\s*(?:File ".*", line \d+|at\s+\S.*|#\d+\s+\S|\d+:\s+\S+|\.\.\. \d+ more|from \S+:\d+:in\b|\S+\.\w+:\d+:in\b'
    r"|\[C\]: |stack traceback:|stack backtrace:|goroutine \d+ \[|created by \S|[\w.*()/-]+\((?:0x|\{|\.\.\.).*\)$"
    r"|exit status \d+|Traceback \(|During handling of|The above exception|Caused by: |[~^][~^\s]*$"
    r"|\[Previous line repeated|note: |help: |warning: |error(?:\[\w+\])?: |npm (?:ERR!|error)|make(?:\[\d+\])?: "
    r"|E\s{2,}|>\s{2,}|\d+ \||\|\s)"
)
_GO_FRAME = re.compile(r"^\s+\S+\.go:\d+")
_MEMBER = re.compile(r"^[\w./@-]+(?:\.\(\*?\w+\)(?:\.\w+)*)?\([^)]*\)$")
_COMPILER = re.compile(r"^\S*\w\.[A-Za-z]\w{0,9}(?::\d+)*:\s")
_LOG = re.compile(
    r"^\[?\d{4}-\d\d-\d\d[T ]|^\d\d:\d\d:\d\d\b|^\[?(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL|TRACE|CRITICAL)\b[\]: ]"
)
_TROUBLE = re.compile(
    r"^\s*(?:Exception in thread \"[^\"]*\" |Caused by: |Uncaught |Unhandled \w+ |fatal |E\s+)?"
    r"(?:[\w$]+[.:]{1,2})*[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Trouble|Fault|Failure|Panic)\b(?::|\s*$)"
    r"|^\s*(?:[\w$]+\.)+[A-Z]\w+: \S|^panic: |^thread '.*' panicked|^(?:PHP )?(?:Fatal|Parse) error:"
    r"|^error(?:\[\w+\])?: "
    r"|^\S+: (?:fatal )?error: |^\s*(?:Error|Exception|Traceback): "
)
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_ASKS = re.compile(r"[?？؟]\s*$")


@dataclass(frozen=True, slots=True)
class Frame:
    """A place that a paste names. ``path`` as written, with ``/``; ``line`` counts from 1."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Message:
    """What a user typed, taken apart."""

    asked: str
    """The question without what was pasted; of a very long one its beginning and its end."""
    paste: str = ""
    trouble: str = ""
    """The last line that says what went wrong."""
    frames: tuple[Frame, ...] = ()
    """Places in the paste, the one where it happened first."""

    @property
    def query(self) -> str:
        """What to search for, where the question alone says little."""
        return f"{self.asked}\n{self.trouble}" if self.trouble else self.asked


def take_apart(text: str) -> Message:
    """Find the paste in ``text``; a text without one is all question."""
    text = text.replace("\r\n", "\n").strip("\n")
    lines = text.split("\n")
    pasted = _pasted(lines)
    if not any(pasted):
        return Message(_middle_cut(text.strip()))
    asked = "\n".join(line for line, inside in zip(lines, pasted, strict=True) if not inside and not _FENCE.match(line))
    inside = [line for line, own in zip(lines, pasted, strict=True) if own]
    trouble = [line.strip() for line in inside if _TROUBLE.search(line[:_LINE_CHARACTERS])]
    return Message(_middle_cut(asked.strip()), "\n".join(inside), trouble[-1] if trouble else "", _frames(inside))


def shown(text: str) -> str:
    """A message as the model gets it: a long paste cut to its end, and the question last."""
    message = take_apart(text)
    if not message.paste:
        return f"Question: {message.asked}"
    return f"The user pasted:\n{_end(message)}\n\nQuestion: {message.asked or 'What does this mean?'}"


def _end(message: Message) -> str:
    """The end of a paste, from the beginning of a line; with what went wrong, should that stand before."""
    paste = message.paste.strip("\n")
    if len(paste) <= PASTE_CHARACTERS:
        return paste
    kept = paste[-PASTE_CHARACTERS:].partition("\n")[2] or paste[-PASTE_CHARACTERS:]
    trouble = message.trouble[:300]
    return f"{trouble}\n…\n{kept}" if trouble and trouble not in kept else f"…\n{kept}"


def _middle_cut(text: str) -> str:
    if len(text) <= ASKED_CHARACTERS:
        return text
    half = ASKED_CHARACTERS // 2
    return f"{text[:half]}\n…\n{text[-half:]}"


def _pasted(lines: list[str]) -> list[bool]:
    """Which lines belong to a paste."""
    fenced = _fenced(lines)
    several = len(lines) > 1
    marks = [
        inside or _is_output(line) or (several and _says_trouble(line))
        for line, inside in zip(lines, fenced, strict=True)
    ]
    if any(marks):
        for number, line in enumerate(lines):
            # The code below a frame, and what stands in the middle of output.
            near = (number > 0 and marks[number - 1]) or (number + 1 < len(lines) and marks[number + 1])
            indented = line[:1] in (" ", "\t")
            marks[number] = marks[number] or indented or _says_trouble(line) or bool(near and _is_member(line))
        return [mark and bool(line.strip()) for mark, line in zip(marks, lines, strict=True)]
    if len(lines) < 4 or sum(map(len, lines)) < _LONG:
        return marks
    asking = [number for number, line in enumerate(lines) if _ASKS.search(line) and not line.startswith((" ", "\t"))]
    edges = [number for number in asking if number < 3 or number >= len(lines) - 3]
    keep = set(edges) or {0}
    return [number not in keep and bool(line.strip()) for number, line in enumerate(lines)]


def _says_trouble(line: str) -> bool:
    """Whether a line says what went wrong, and does not ask."""
    return bool(_TROUBLE.search(line[:_LINE_CHARACTERS])) and not _ASKS.search(line)


def _is_member(line: str) -> bool:
    return len(line) <= _LINE_CHARACTERS and bool(_MEMBER.match(line))


def _fenced(lines: list[str]) -> list[bool]:
    inside, out = False, []
    for line in lines:
        fence = bool(_FENCE.match(line))
        out.append(inside or fence)
        if fence:
            inside = not inside
    return out if any(out) else [False] * len(lines)


def _is_output(line: str) -> bool:
    if _ASKS.search(line) and not line.startswith((" ", "\t")):
        return False
    line = line[:_LINE_CHARACTERS]
    return bool(_FRAME.match(line) or _GO_FRAME.match(line) or _LOG.match(line) or _COMPILER.match(line))


def _frames(lines: list[str]) -> tuple[Frame, ...]:
    found: list[Frame] = []
    python: list[Frame] = []
    for line in (line[:_LINE_CHARACTERS] for line in lines):
        java = _JAVA.match(line)
        if java:
            package = java["name"].split("$")[0].split(".")
            # com.acme.Shop.open(Shop.java:3): the file lies in the package's folder.
            folders = [part for part in package if part[:1].islower()][: max(0, len(package) - 1)]
            found.append(Frame("/".join((*folders, java["file"])), int(java["line"])))
            continue
        for pattern in _PLACES:
            places = [Frame(m["path"].replace("\\", "/"), int(m["line"])) for m in pattern.finditer(line)]
            (python if pattern is _PLACES[0] else found).extend(places)
            if places:
                break
    # Python has the innermost call last; others have it first.
    return tuple(dict.fromkeys((*reversed(python), *found)))
