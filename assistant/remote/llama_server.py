"""llama.cpp's own server: prompts are built here, in the model's formats, and sent as token ids.

So fill-in-the-middle has our order (the text before the cursor last, where the family can), what the server evaluated
for the last prompt is reused (``cache_prompt``), a token that the cursor cuts is written again (under a grammar), and
text of files cannot pose as special tokens. Its ``/infill`` is
not used: its order puts the text before the cursor first, or needs a flag at its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from assistant.errors import HostError, UnsupportedModelError
from assistant.llama import fim
from assistant.llama.templates import ChatTemplate
from assistant.llm import FillRequest, Message, ModelInfo, Sampling, StopReason, Timings
from assistant.remote.backend import Call, Piece, asked, estimate_chat, number, text_of, unsupported
from assistant.remote.events import Json, garbage
from assistant.remote.openai import chat_payload, read_chat
from assistant.remote.wire import Wire

_CACHED = 512
"""Pieces of prompts whose tokens are remembered: all but the text around the cursor come again."""
_CACHED_CHARACTERS = 20_000
_SPARE_TOKENS = 2
"""For writing the prompt's last token again."""
_BATCH = 256
"""Texts counted with one request."""
_ROLES = {
    "pre": ("<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "▁<PRE>", "<|code_prefix|>"),
    "suf": ("<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "▁<SUF>", "<|code_suffix|>"),
    "mid": ("<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "▁<MID>", "<|code_middle|>"),
    "rep": ("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"),
    "sep": ("<|file_sep|>",),
}
"""The spellings that llama.cpp looks for where the metadata name no token; the server does not tell those."""


class ServerVocabulary:
    """The vocabulary of a model that a llama-server holds, by its ``/tokenize``."""

    def __init__(self, wire: Wire, name: str, bos_text: str, eos_text: str) -> None:
        self._wire = wire
        self._known: dict[tuple[str, bool], list[int]] = {}
        self._specials: dict[str, int | None] = {}
        self._texts: dict[int, str] = {}
        self.name = name
        self.bos = self._bos()
        self._mark = self.special_token(eos_text) or self.special_token(bos_text)
        # Sentencepiece puts a space before a text: then texts are tokenised behind a line's end, which is dropped.
        self._behind = [] if self._ask("x", special=False) == self._ask(["\n", "x"], special=False)[-1:] else ["\n"]

    @property
    def architecture(self) -> str:
        """The server does not tell; what decides about formats shows in the vocabulary and the name."""
        if self.special_token("<|fim_prefix|>") is None or self.special_token("<|repo_name|>") is None:
            return ""
        return "qwen3" if "qwen3" in self.name.lower().replace("-", "") else "qwen2"

    def tokenise(self, text: str, *, special: bool = False) -> list[int]:
        """Tokens of a text; special ones only with ``special``."""
        if not text:
            return []
        key = text, special
        if key not in self._known:
            tokens = self._ask([*self._behind, text] if self._behind else text, special=special)
            tokens = tokens[len(self._ask(self._behind, special=False)) :] if self._behind else tokens
            if len(text) > _CACHED_CHARACTERS:
                return tokens
            while len(self._known) >= _CACHED:
                del self._known[next(iter(self._known))]
            self._known[key] = tokens
        return list(self._known[key])

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text. Many texts go in one request, with a special token between them to tell them apart."""
        if self._mark is None or self._behind:
            return [len(self.tokenise(text)) for text in texts]
        counts: list[int] = []
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            content: list[str | int] = [self._mark]
            for text in batch:
                content += [text, self._mark] if text else [self._mark]
            marks = [i for i, token in enumerate(self._ask(content, special=False)) if token == self._mark]
            if len(marks) != len(batch) + 1:
                raise garbage()
            counts += [after - before - 1 for before, after in pairwise(marks)]
        return counts

    def fim_token(self, role: str) -> int | None:
        """Fill-in-the-middle token by role, by the spellings that llama.cpp knows."""
        return next((token for text in _ROLES[role] if (token := self.special_token(text)) is not None), None)

    def special_token(self, text: str) -> int | None:
        """The special token that is written ``text``."""
        if not text:
            return None
        if text not in self._specials:
            # All that may be asked for, with one request.
            known = {t for family in fim.FAMILIES for t in (family.pre, family.suf, family.mid)}
            wanted = [text, *known, *(t for texts in _ROLES.values() for t in texts)] if not self._specials else [text]
            found = {_plain(piece): token for token, piece in self._pieces("\n".join(wanted))}
            self._specials |= {spelling: found.get(_plain(spelling)) for spelling in wanted}
        return self._specials[text]

    def token_text(self, token: int) -> str:
        """How a token is written."""
        known = next((text for text, found in self._specials.items() if found == token), None)
        if known is not None:
            return known
        if token not in self._texts:
            answer = asked(self._wire, "POST", "/detokenize", {"tokens": [token]})
            self._texts[token] = text_of(answer.get("content"))
        return self._texts[token]

    def _bos(self) -> int | None:
        with_start = self._tokens({"content": "x", "add_special": True, "parse_special": False})
        without = self._ask("x", special=False)
        return with_start[0] if len(with_start) > len(without) and with_start[1 : 1 + len(without)] == without else None

    def _ask(self, content: Any, *, special: bool) -> list[int]:
        return self._tokens({"content": content, "add_special": False, "parse_special": special})

    def _tokens(self, payload: Json) -> list[int]:
        tokens = asked(self._wire, "POST", "/tokenize", payload).get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, int) for token in tokens):
            raise garbage()
        return tokens

    def _pieces(self, text: str) -> list[tuple[int, str]]:
        payload = {"content": text, "add_special": False, "parse_special": True, "with_pieces": True}
        tokens = asked(self._wire, "POST", "/tokenize", payload).get("tokens")
        if not isinstance(tokens, list):
            raise garbage()
        return [
            (t["id"], text_of(t.get("piece"))) for t in tokens if isinstance(t, dict) and isinstance(t.get("id"), int)
        ]


class LlamaServer:
    """A llama-server with one model. ``props`` is what its ``/props`` said."""

    kind = "llama-server"

    def __init__(self, wire: Wire, props: Json, context_tokens: int) -> None:
        self._wire = wire
        name = wire.endpoint.name or text_of(props.get("model_alias")) or _stem(text_of(props.get("model_path")))
        bos, eos = text_of(props.get("bos_token")), text_of(props.get("eos_token"))
        # The format is told by the file's name rather than by an alias that somebody chose.
        self._vocabulary = ServerVocabulary(wire, _stem(text_of(props.get("model_path"))) or name, bos, eos)
        self._format = fim.find_format(self._vocabulary)
        self._texts = text_of(props.get("chat_template")), bos, eos
        self._template: ChatTemplate | None = None
        self._renders_itself = False
        """The server's template does not work here: its own chat interface renders it."""
        settings = props.get("default_generation_settings")
        size = int(number(settings.get("n_ctx"))) if isinstance(settings, dict) else 0
        self.info = ModelInfo(
            name or "model",
            size or context_tokens,
            fim=self._format is not None,
            chat=True,
            fim_layout=self._format.layout if self._format else "",
        )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, by the model's own tokenizer."""
        return self._vocabulary.count(texts)

    def chat(self, messages: Sequence[Message], sampling: Sampling) -> Call:
        """The template's prompt as tokens; where the server tells none that works here, its own chat interface."""
        prompt = self._prompt(messages)
        if prompt is None:
            payload = chat_payload(self._wire.endpoint.name, messages, sampling)
            return Call("/v1/chat/completions", payload, "sse", read_chat, estimate_chat(messages))
        return self._completion(prompt, sampling)

    def fill(self, request: FillRequest, sampling: Sampling) -> Call:
        """The model's own format as tokens."""
        if self._format is None:
            raise unsupported(self.kind, self.info.name)
        prompt = fim.build(self._vocabulary, self._format, request)
        whole = self._completion(prompt, sampling)
        opening = self._opening(prompt, request) if self._format.order[-1] == "prefix" else ""
        if not opening:
            return whole
        payload = whole.payload | {"prompt": prompt[:-1]}
        if sampling.max_tokens > 0:
            payload |= {"grammar": beginning_with(opening), "n_predict": sampling.max_tokens + _SPARE_TOKENS}
        return replace(whole, payload=payload, read=Behind(opening), otherwise=whole)

    def _opening(self, prompt: list[int], request: FillRequest) -> str:
        """The last token's text, which is left out and has to be written again (``assistant.llama.healing`` says why).

        Empty where that cannot be: at a line's end, and where the token is not a whole text of its own.
        """
        text = self._vocabulary.token_text(prompt[-1]) if request.prefix else ""
        return text if text and "\n" not in text and request.prefix.endswith(text) else ""

    def _completion(self, prompt: list[int], sampling: Sampling) -> Call:
        payload = {
            "prompt": prompt,
            "stream": True,
            "cache_prompt": True,
            "n_predict": max(0, sampling.max_tokens),
            "temperature": sampling.temperature,
            "seed": sampling.seed,
            "repeat_penalty": sampling.repeat_penalty,
            "stop": list(sampling.stop),
        }
        if self._wire.endpoint.name:
            payload["model"] = self._wire.endpoint.name  # a server that routes among several
        return Call("/completion", payload, "sse", read_completion, len(prompt))

    def _prompt(self, messages: Sequence[Message]) -> list[int] | None:
        """The conversation in the model's template; None if the server has to render it.

        A format is never guessed: the server can do better. Raises UnsupportedModelError if the template refuses this
        conversation and not every one.
        """
        if self._renders_itself:
            return None
        try:
            template = self._template = self._template or self._chat_template()
            return template.build(messages)
        except HostError:
            return None  # this time only
        except UnsupportedModelError:
            if self._template is not None and not self._template.failed:
                raise
            self._renders_itself = True
            return None

    def _chat_template(self) -> ChatTemplate:
        """Made when the first conversation needs it. Raises UnsupportedModelError if it does not work here."""
        template, bos, eos = self._texts
        made = ChatTemplate(self._vocabulary, template, bos_text=bos, eos_text=eos, guess=False)
        made.build([Message("user", "x")])
        return made


def beginning_with(opening: str) -> str:
    """A grammar in llama.cpp's notation: any text that begins with ``opening``."""
    return 'root ::= "' + "".join(f"\\U{ord(character):08X}" for character in opening) + '" [^\\x01]*'


class Behind:
    """Reads a stream whose text begins with ``opening``, which is not shown; ends it where the server left that out."""

    def __init__(self, opening: str) -> None:
        self._opening = opening

    def __call__(self, event: Json) -> Piece:
        """One event of ``/completion``."""
        piece = read_completion(event)
        size = min(len(piece.text), len(self._opening))
        if piece.text[:size] != self._opening[:size]:
            return Piece("", "stop", piece.timings)
        self._opening = self._opening[size:]
        return replace(piece, text=piece.text[size:])


def read_completion(event: Json) -> Piece:
    """One event of ``/completion``."""
    text = text_of(event.get("content"))
    if event.get("stop") is not True:
        return Piece(text)
    limit = event.get("stop_type") == "limit" or event.get("stopped_limit") is True
    reason: StopReason = "length" if limit else "stop"
    cost = event.get("timings")
    cost = cost if isinstance(cost, dict) else {}
    evaluated = int(number(cost.get("prompt_n")))
    timings = Timings(
        int(number(event.get("tokens_evaluated"))) or evaluated + int(number(cost.get("cache_n"))),
        evaluated,
        int(number(cost.get("predicted_n"))),
        float(number(cost.get("prompt_ms"))),
        float(number(cost.get("predicted_ms"))),
    )
    return Piece(text, reason, timings)


def _plain(text: str) -> str:
    """A token's spelling without the mark that sentencepiece writes for a space."""
    return text.replace("▁", " ").strip()


def _stem(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].removesuffix(".gguf")
