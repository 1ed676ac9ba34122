"""Chat prompts in a model's own template, as token ids.

The template comes from the GGUF file and is rendered by Jinja in a sandbox with placeholders instead of the messages.
Only the template's own text is tokenised with special tokens on; each message is put in as plain text. So a message (or
a retrieved file in it) that holds ``<|im_end|>`` cannot end its turn.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from assistant.errors import UnsupportedModelError
from assistant.llama.vocabulary import Vocabulary
from assistant.llm import Message

_RECALL = 32
"""Answers whose tokens are remembered: a conversation repeats only its own."""


class ChatTemplate:
    """Renders conversations for one model. Raises UnsupportedModelError if the model has no usable template."""

    def __init__(self, vocabulary: Vocabulary, template: str, *, bos_text: str = "", eos_text: str = "") -> None:
        self._vocabulary = vocabulary
        self._render = _compile(template, bos_text, eos_text)
        self._bos_text = bos_text
        self._answers: dict[str, list[int]] = {}

    def remember(self, answer: str, tokens: Sequence[int]) -> None:
        """Keep the tokens that the model chose for ``answer``.

        Text can be cut into tokens in many ways and a model does not always choose its tokenizer's. With the tokens
        themselves in the next prompt, the evaluated ones stay a prefix of it and only the new turn is evaluated.
        """
        self._answers.pop(answer, None)
        self._answers[answer] = list(tokens)
        while len(self._answers) > _RECALL:
            del self._answers[next(iter(self._answers))]

    def build(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's tokens, up to where the model's answer begins."""
        marker = f"[{secrets.token_hex(12)}:%d]"  # unguessable, so that no message can imitate it
        rendered = self._render([{"role": m.role, "content": marker % i} for i, m in enumerate(messages)])
        pieces = re.split(re.escape(marker).replace("%d", r"(\d+)"), rendered)
        tokens = self._start(pieces[0])
        for i, piece in enumerate(pieces):
            if i % 2 == 0:
                tokens += self._vocabulary.tokenise(piece, special=True)
            else:
                tokens += self._content(messages[int(piece)])
        return tokens

    def _start(self, first: str) -> list[int]:
        bos = self._vocabulary.bos
        written = bool(self._bos_text) and first.startswith(self._bos_text)
        return [] if bos is None or written else [bos]

    def _content(self, message: Message) -> list[int]:
        known = self._answers.get(message.content) if message.role == "assistant" else None
        return list(known) if known is not None else self._vocabulary.tokenise(message.content)


def _compile(template: str, bos_text: str, eos_text: str) -> Callable[[Sequence[Mapping[str, str]]], str]:
    """The template as a function of messages; environment as Hugging Face's ``apply_chat_template`` has it."""
    import jinja2
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if not template:
        raise _unsupported()
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    try:
        compiled = environment.from_string(template)
    except jinja2.TemplateError as exc:
        raise _unsupported() from exc

    def render(messages: Sequence[Mapping[str, str]]) -> str:
        values: dict[str, Any] = {
            "messages": list(messages),
            "add_generation_prompt": True,
            "bos_token": bos_text,
            "eos_token": eos_text,
            "raise_exception": _raise,
            "strftime_now": lambda form: datetime.now().strftime(form),
        }
        try:
            return compiled.render(values)
        except (jinja2.TemplateError, TypeError, ValueError) as exc:
            raise UnsupportedModelError(
                f"The model's chat template refuses this conversation: {exc}.",
                "Some models take no system message or want user and assistant in turns; choose another model.",
            ) from exc

    return render


def _raise(message: str) -> None:
    """What templates call to refuse a conversation."""
    raise ValueError(message)


def _unsupported() -> UnsupportedModelError:
    return UnsupportedModelError(
        "This model cannot chat: its file has no usable chat template.",
        "Choose an instruct model, e.g. `codemoat models use qwen2.5-coder-0.5b`.",
    )
