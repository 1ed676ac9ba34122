"""Fill-in-the-middle prompts in a model's own format, as token ids.

Special tokens are inserted as ids; text of files is tokenised with special parsing off, so that ``<|im_end|>`` in a
file is ten ordinary characters. The text before the cursor goes last where the family was trained for that: then a
typed character changes only the last tokens of the prompt, and everything before stays evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.errors import UnsupportedModelError
from assistant.llama.vocabulary import Vocabulary
from assistant.llm import FillRequest

Slot = Literal["pre", "suf", "mid", "prefix", "suffix"]
"""Three special tokens and the two texts between them."""

PSM: tuple[Slot, ...] = ("pre", "prefix", "suf", "suffix", "mid")
SPM: tuple[Slot, ...] = ("pre", "suf", "suffix", "mid", "prefix")
"""Prefix last, as Qwen2.5-Coder, StarCoder and CodeLlama were trained on half of the time."""
SUFFIX_FIRST: tuple[Slot, ...] = ("suf", "suffix", "pre", "prefix", "mid")
"""Seed-Coder; only the last token moves with the prefix."""
CODESTRAL: tuple[Slot, ...] = ("suf", "suffix", "pre", "prefix")

_DEFAULT_REPOSITORY = "project"


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How a family writes its tokens, and the order that is known to work for it."""

    pre: str
    suf: str
    mid: str
    order: tuple[Slot, ...]
    architecture: str = ""
    """Beginning of the architecture's name where the spelling alone does not tell."""


_FAMILIES: tuple[_Spelling, ...] = (
    # Measured on Qwen2.5-Coder 0.5B: 49 of 80 exact with the prefix last, 29 in the usual order; 1.5B: no difference.
    _Spelling("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", SPM, "qwen"),
    _Spelling("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", PSM),  # CodeGemma, by its model card
    _Spelling("<fim_prefix>", "<fim_suffix>", "<fim_middle>", PSM),  # StarCoder, Granite, Stable Code: their cards
    _Spelling("<fim-prefix>", "<fim-suffix>", "<fim-middle>", PSM),  # SantaCoder
    _Spelling("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", PSM),  # DeepSeek-Coder
    _Spelling("▁<PRE>", "▁<SUF>", "▁<MID>", PSM),  # CodeLlama
    _Spelling("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", SUFFIX_FIRST),  # Seed-Coder
    _Spelling("[PREFIX]", "[SUFFIX]", "[MIDDLE]", CODESTRAL),  # Codestral, as in mistral-common
)


@dataclass(frozen=True, slots=True)
class FimFormat:
    """One model's format: token ids, the order of the parts, and how other files are put in front."""

    order: tuple[Slot, ...]
    pre: int
    suf: int
    mid: int | None
    repository: int | None
    separator: int | None

    @property
    def layout(self) -> Literal["spm", "psm"]:
        """The string "spm" where the text before the cursor comes after the text behind it."""
        return "spm" if self.order.index("suffix") < self.order.index("prefix") else "psm"


def find_format(vocabulary: Vocabulary) -> FimFormat | None:
    """The model's format, or None if its vocabulary has no fill-in-the-middle tokens."""
    for family in _FAMILIES:
        if not vocabulary.architecture.startswith(family.architecture):
            continue
        pre, suf, mid = (vocabulary.special_token(text) for text in (family.pre, family.suf, family.mid))
        if pre is None or suf is None or (mid is None and "mid" in family.order):
            continue
        return FimFormat(family.order, pre, suf, mid, vocabulary.fim_token("rep"), vocabulary.fim_token("sep"))
    pre, suf, mid = (vocabulary.fim_token(role) for role in ("pre", "suf", "mid"))
    if pre is None or suf is None or mid is None:
        return None
    return FimFormat(PSM, pre, suf, mid, vocabulary.fim_token("rep"), vocabulary.fim_token("sep"))


def build(vocabulary: Vocabulary, fim: FimFormat | None, request: FillRequest) -> list[int]:
    """The prompt's tokens. Raises UnsupportedModelError if the model has no format."""
    if fim is None:
        raise UnsupportedModelError(
            "This model cannot fill in the middle: its vocabulary has no tokens for that.",
            "Choose one that can, e.g. `codemoat models use qwen2.5-coder-0.5b`; Qwen2.5-Coder, StarCoder2, "
            "DeepSeek-Coder, CodeLlama, CodeGemma, Granite Code and Codestral all can.",
        )
    tokens = [] if vocabulary.bos is None else [vocabulary.bos]
    tokens += _context(vocabulary, fim, request)
    special = {"pre": fim.pre, "suf": fim.suf, "mid": fim.mid}
    text = {"prefix": request.prefix, "suffix": request.suffix}
    for slot in fim.order:
        if slot in text:
            tokens += vocabulary.tokenise(text[slot])
        elif (token := special[slot]) is not None:
            tokens.append(token)
    return tokens


def _context(vocabulary: Vocabulary, fim: FimFormat, request: FillRequest) -> list[int]:
    """Other files in front, then the name of the file to fill: the repository-level form of Qwen2.5-Coder's paper.

    Without snippets nothing is put in front, which is how the single-file figures were measured. A family without
    separator tokens gets plain text headings, as llama.cpp's own infill endpoint does.
    """
    if not request.context:
        return []
    if fim.separator is None:
        parts = [f"--- {s.path} ---\n{s.text.rstrip()}\n\n" for s in request.context]
        return vocabulary.tokenise("".join([*parts, f"--- {request.path} ---\n"]))
    tokens: list[int] = []
    if fim.repository is not None:
        tokens += [fim.repository, *vocabulary.tokenise(f"{request.repository or _DEFAULT_REPOSITORY}\n")]
    for snippet in request.context:
        tokens += [fim.separator, *vocabulary.tokenise(f"{snippet.path}\n{snippet.text.rstrip()}\n")]
    return [*tokens, fim.separator, *vocabulary.tokenise(f"{request.path}\n")]
