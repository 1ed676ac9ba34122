"""Completion by chat, for models that were never taught to fill in the middle.

The hole is asked for in words: other files, then the text after the hole, then the text before it, so that typing
changes the prompt at its end only. Chat models find it hard to go on in the middle of a line and easy to write lines
again: so they are asked for the last lines with the unfinished one completed, and what the file has already is taken
off. It is slower and worse than a model made for it, and better than nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.errors import UnsupportedModelError
from assistant.llama.streaming import TextStream
from assistant.llm import (
    LLM,
    Answered,
    Cancel,
    Delta,
    FillRequest,
    Finished,
    Generated,
    Message,
    ModelInfo,
    Sampling,
    Waiting,
)
from assistant.stop import OwnStop
from indexer.reasons import visible

_FENCE = "```"
_SYSTEM = (
    "You complete code at the cursor of a file, so that it goes well with what follows. "
    "Answer with code in a fence, nothing else."
)
_EXAMPLES = (
    (
        FillRequest("price.py", "def total(price, tax):\n    return pr", "\n\n\nprint(total(2, 1))\n"),
        "def total(price, tax):\n    return price + tax",
    ),
    (
        FillRequest("area.py", 'def area(width, height):\n    """Area of a rectangle."""\n', "\n\nprint(area(2, 3))\n"),
        "    return width * height",
    ),
)
_AGAIN_LINES = 3
"""Lines that are written again, so that the model knows where it is."""
_ECHO_LINES = 40
"""Lines before the hole that an answer may repeat."""
_ECHO_CHARACTERS = 3
"""The shortest end of the hole's line that counts as repeated."""
_SPARE_TOKENS = 12
"""For a fence and the name of a language."""
_WORD = re.compile(r"\w+")


class InstructFill:
    """``llm``, with holes filled by chat where it cannot fill and can chat."""

    def __init__(self, llm: LLM) -> None:
        self.llm = llm

    @property
    def info(self) -> ModelInfo:
        """What the model can do with this help; ``fim_layout`` is "chat" where it needs it."""
        info = self.llm.info
        return replace(info, fim=True, fim_layout="chat") if _needs_help(info) else info

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text."""
        return self.llm.count(texts)

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Number of prompt tokens of a conversation."""
        return self.llm.count_chat(messages)

    def count_fill(self, request: FillRequest) -> int:
        """Number of prompt tokens of a fill request."""
        return self.llm.count_chat(ask_for(request)) if _needs_help(self.llm.info) else self.llm.count_fill(request)

    def chat(self, messages: Sequence[Message], sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Answered]:
        """Answer a conversation."""
        return self.llm.chat(messages, sampling, cancel)

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        """Complete the middle. Raises UnsupportedModelError if the model can neither fill nor chat."""
        info = self.llm.info
        if not info.fim and not info.chat:
            raise UnsupportedModelError(
                f"{info.name} can neither fill in the middle nor chat, so that it cannot complete code.",
                "Choose one that can, e.g. `codemoat models use qwen2.5-coder-0.5b`.",
            )
        return (
            self._by_chat(request, sampling, cancel) if _needs_help(info) else self.llm.fill(request, sampling, cancel)
        )

    def close(self) -> None:
        """Leave the model."""
        self.llm.close()

    def _by_chat(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None) -> Iterator[Generated]:
        stop = OwnStop(cancel)
        text = AnswerText(request, sampling.stop)
        most = sampling.max_tokens
        if most > 0:
            most += self.llm.count([_last_lines(request.prefix)])[0] + _SPARE_TOKENS
        for piece in self.llm.chat(ask_for(request), replace(sampling, max_tokens=most, stop=()), stop):
            if isinstance(piece, Waiting):
                continue
            if isinstance(piece, Delta):
                if not stop.cancelled and (shown := text.push(piece.text)):
                    yield Delta(shown)
                if text.stopped:
                    stop.cancel()
                continue
            if not stop.asked and (shown := text.finish()):
                yield Delta(shown)
            ended = piece.stop_reason
            yield Finished("stop" if ended == "cancelled" and not stop.asked else ended, piece.timings)


def ask_for(request: FillRequest) -> list[Message]:
    """The conversation that asks for the hole, with two examples before it: small models follow those best."""
    messages = [Message("system", _SYSTEM)]
    for example, answer in _EXAMPLES:
        messages += [Message("user", _shown(example)), Message("assistant", f"{_FENCE}\n{answer}\n{_FENCE}")]
    return [*messages, Message("user", _shown(request))]


class AnswerText:
    """The answer of a chat model → the missing text: without fence, without what the file says already.

    ``stop`` strings end the text, as in a fill; the beginning is held back until it is clear what it repeats.
    """

    def __init__(self, request: FillRequest, stop: Sequence[str]) -> None:
        self._line = _line(request.prefix)
        self._echoes = _echoes(request.prefix)
        self._rest = request.suffix.partition("\n")[0].rstrip()
        self._single = "\n" in stop
        self._text = TextStream((*stop, _FENCE, *_next_line(request.suffix)))
        self._head: str | None = ""
        self._held = ""

    @property
    def stopped(self) -> bool:
        """Whether more of the answer would change nothing."""
        return self._text.stopped

    def push(self, piece: str) -> str:
        """Text that became certain with ``piece``; may be empty."""
        if self._head is not None:
            self._head += piece
            begun = self._begun(self._head, final=False)
            if begun is None:
                return ""
            self._head, piece = None, begun
        return self._hold(self._text.push(piece.encode("utf-8", "surrogatepass")))

    def finish(self) -> str:
        """What was held back and is missing text."""
        shown = ""
        if self._head is not None:
            begun, self._head = self._begun(self._head, final=True) or "", None
            shown = self._text.push(begun.encode("utf-8", "surrogatepass"))
        shown = self._held + shown + self._text.finish()
        self._held = ""
        if any(c.isalnum() for c in self._rest) and shown.rstrip().endswith(self._rest):
            shown = shown.rstrip()[: -len(self._rest)]
        return shown

    def _hold(self, text: str) -> str:
        """Keep as much back as the rest of the hole's line has: the answer may end with repeating it."""
        text = self._held + text
        at = max(0, len(text) - len(self._rest))
        self._held = text[at:]
        return text[:at]

    def _begun(self, head: str, *, final: bool) -> str | None:
        """The answer without what it only repeats; None while that is not clear."""
        text = head
        fenced = text.lstrip()
        if fenced.startswith(_FENCE) or (not final and _FENCE.startswith(fenced)):
            opening, newline, text = fenced.partition("\n")
            if not newline:
                return "" if final and opening.startswith(_FENCE) else None if not final else opening
        if self._single:
            text = text.lstrip("\r\n")
        bare = text.lstrip(" \t\r\n")
        if not final and (not bare or any(len(e) > len(bare) and e.startswith(bare) for e in self._echoes)):
            return None
        for echo in self._echoes:
            if bare.startswith(echo):
                return bare[len(echo) :]
        indented = len(text) - len(text.lstrip(" \t"))
        if not self._single and self._line.strip() and indented > len(self._line) - len(self._line.lstrip(" \t")):
            return "\n" + text  # it goes on in the next line
        return text


def _needs_help(info: ModelInfo) -> bool:
    return info.chat and not info.fim


def _shown(request: FillRequest) -> str:
    parts = [f"--- {visible(s.path)} ---\n{s.text.rstrip()}\n\n" for s in request.context]
    after = request.suffix.strip("\n")
    parts.append(f"File {visible(request.path)}. What follows the cursor:\n{_FENCE}\n{after}\n{_FENCE}\n")
    parts.append(f"What precedes the cursor:\n{_FENCE}\n{request.prefix}\n{_FENCE}\n")
    if _line(request.prefix).strip():
        parts.append(
            "The line at the cursor is unfinished. Write the last lines again, with that line completed:\n"
            f"{_FENCE}\n{_last_lines(request.prefix)}\n{_FENCE}"
        )
    else:
        parts.append("Write the lines that are missing at the cursor, before what follows:")
    return "".join(parts)


def _last_lines(prefix: str) -> str:
    """The hole's line and those before it, as many as are written again."""
    lines = prefix.split("\n")
    said = [number for number, line in enumerate(lines) if line.strip()]
    return "\n".join(lines[said[-_AGAIN_LINES:][0] :]) if said else ""


def _line(prefix: str) -> str:
    """The hole's line up to the hole."""
    return prefix.rpartition("\n")[2]


def _echoes(prefix: str) -> list[str]:
    """What an answer may begin with although the file has it: the last lines, the hole's line, its last words."""
    lines = prefix.split("\n")[-_ECHO_LINES:]
    found = ["\n".join(lines[start:]).lstrip(" \t") for start in range(len(lines)) if lines[start].strip()]
    line = lines[-1]
    found += [line[m.start() :] for m in _WORD.finditer(line) if len(line) - m.start() >= _ECHO_CHARACTERS]
    return sorted({echo for echo in found if echo.strip()}, key=len, reverse=True)


def _next_line(suffix: str) -> list[str]:
    """A line's end and the next line that says something, where an answer that reaches it repeats the file."""
    below = next((line for line in suffix.split("\n")[1:] if line.strip()), "")
    return ["\n" + below] if sum(c.isalnum() for c in below) > _ECHO_CHARACTERS else []
