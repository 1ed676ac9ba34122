"""Chat prompts in a model's own template, as token ids.

The template comes from the GGUF file and is rendered with placeholders instead of the messages, in a process that can
be killed (``sandbox``). Only the template's own text is tokenised with special tokens on; each message is put in as
plain text. So a message (or a retrieved file in it) that holds ``<|im_end|>`` cannot end its turn. Where the template
fails, the format of the model's family stands in for it, if its vocabulary shows one (``families``).
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.errors import UnsupportedModelError
from assistant.llama.families import ChatFormat, find_chat_format
from assistant.llama.sandbox import Rendered, sandbox_of
from assistant.llama.vocabulary import Vocabulary
from assistant.llm import Message

_RECALL = 32
"""Answers whose tokens are remembered: a conversation repeats only its own."""
_PROBES = (("user",), ("system", "user"))
"""What a template must not fail at; it may refuse one of them."""


class ChatTemplate:
    """Writes conversations for one model. Raises UnsupportedModelError if the model has no usable template."""

    def __init__(self, vocabulary: Vocabulary, template: str, *, bos_text: str = "", eos_text: str = "") -> None:
        if not template:
            raise _unsupported("its file has no chat template")
        self._vocabulary = vocabulary
        self._sandbox = sandbox_of(template, bos_text, eos_text)
        self._bos_text = bos_text
        self._answers: dict[str, list[int]] = {}
        self._format: ChatFormat | None = None
        for roles in _PROBES:
            self._pieces(roles)

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
        """The prompt's tokens, up to where the model's answer begins.

        Raises UnsupportedModelError if the template refuses these roles, or fails and no format is known instead.
        """
        rendered = self._pieces([message.role for message in messages])
        if rendered.refusal:
            raise UnsupportedModelError(
                f"The model's chat template refuses this conversation: {rendered.refusal}.",
                "Some models take no system message or want user and assistant in turns; choose another model.",
            )
        tokens = self._start(str(rendered.pieces[0]))
        for piece in rendered.pieces:
            if isinstance(piece, str):
                tokens += self._vocabulary.tokenise(piece, special=True)
            else:
                tokens += self._content(messages[piece])
        return tokens

    def _pieces(self, roles: Sequence[str]) -> Rendered:
        rendered = self._sandbox.render(roles)
        if not rendered.fault:
            return rendered
        self._format = self._format or find_chat_format(self._vocabulary)
        if self._format is None:
            raise _unsupported(f"its chat template fails ({rendered.fault})")
        return Rendered(self._format.pieces(roles))

    def _start(self, first: str) -> list[int]:
        bos = self._vocabulary.bos
        written = bool(self._bos_text) and first.startswith(self._bos_text)
        return [] if bos is None or written else [bos]

    def _content(self, message: Message) -> list[int]:
        known = self._answers.get(message.content) if message.role == "assistant" else None
        return list(known) if known is not None else self._vocabulary.tokenise(message.content)


def _unsupported(why: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"This model cannot chat: {why}.",
        "Choose an instruct model, e.g. `codemoat models use qwen2.5-coder-0.5b`.",
    )
