"""Fill-in-the-middle prompts in a model's own format, as token ids.

Special tokens are inserted as ids; text of files is tokenised with special parsing off, so that ``<|im_end|>`` in a
file is ten ordinary characters. The text before the cursor goes last where the family was trained for that: then a
typed character changes only the last tokens of the prompt, and everything before stays evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from assistant.errors import UnsupportedModelError
from assistant.llama.vocabulary import Vocabulary
from assistant.llm import FillRequest
from indexer.reasons import visible

Slot = Literal["pre", "suf", "mid", "prefix", "suffix"]
"""Three special tokens and the two texts between them."""

PSM: tuple[Slot, ...] = ("pre", "prefix", "suf", "suffix", "mid")
SPM: tuple[Slot, ...] = ("pre", "suf", "suffix", "mid", "prefix")
"""Prefix last, as Qwen2.5-Coder, StarCoder and CodeLlama were trained on half of the time."""
SUFFIX_FIRST: tuple[Slot, ...] = ("suf", "suffix", "pre", "prefix", "mid")
"""Seed-Coder; only the last token moves with the prefix."""
CODESTRAL: tuple[Slot, ...] = ("suf", "suffix", "pre", "prefix")

_ENDS = frozenset({"<|endoftext|>", "<|im_end|>", "<|fim_pad|>", "<|endoffile|>", "</s>", "<EOT>"})
"""How families write the end of a text."""
_DEFAULT_REPOSITORY = "project"


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a family writes its tokens, and the order that is known to work for it."""

    pre: str
    suf: str
    mid: str
    order: tuple[Slot, ...]
    architecture: str = ""
    """Beginning of the architecture's name where the spelling alone does not tell."""
    name: str = ""
    """Part of the model's name, in small letters, where the architecture does not tell either."""
    repository: str = ""
    separator: str = ""
    """How other files are put in front, where the family was trained with that."""

    def fits(self, architecture: str, name: str) -> bool:
        """Whether a model of this architecture and name may be of the family."""
        return architecture.startswith(self.architecture) and self.name in name.lower()


_PIPED = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_PLAIN = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")

FAMILIES: tuple[Spelling, ...] = (
    # Measured on Qwen2.5-Coder 0.5B: 49 of 80 exact with the prefix last, 29 in the usual order; 1.5B: no difference.
    Spelling(*_PIPED, SPM, "qwen2", "", "<|repo_name|>", "<|file_sep|>"),
    Spelling(*_PIPED, PSM, "qwen", "", "<|repo_name|>", "<|file_sep|>"),  # Qwen3-Coder, by its model card
    Spelling(*_PIPED, PSM),  # CodeGemma and later Granite, by their cards
    Spelling(*_PLAIN, SUFFIX_FIRST, name="mellum"),  # by its paper
    Spelling(*_PLAIN, PSM),  # StarCoder, Granite Code, Stable Code: their cards
    Spelling("<fim-prefix>", "<fim-suffix>", "<fim-middle>", PSM),  # SantaCoder
    Spelling("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", PSM),  # DeepSeek-Coder
    Spelling("▁<PRE>", "▁<SUF>", "▁<MID>", PSM),  # CodeLlama
    Spelling("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", SUFFIX_FIRST),  # Seed-Coder
    Spelling("[PREFIX]", "[SUFFIX]", "[MIDDLE]", CODESTRAL),  # Codestral, as in mistral-common
)
"""The first that fits holds. Only Qwen2.5-Coder's order was measured by this project (``docs/models.md``)."""


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
    """The model's format, or None if its vocabulary has no fill-in-the-middle tokens.

    Which tokens they are, the model's metadata say first; how they are written tells the family and so the order.
    """
    rep, sep = vocabulary.fim_token("rep"), vocabulary.fim_token("sep")
    pre, suf, mid = (vocabulary.fim_token(role) for role in ("pre", "suf", "mid"))
    written = vocabulary.token_text(pre) if pre is not None and suf is not None else ""
    for family in FAMILIES:
        if not family.fits(vocabulary.architecture, vocabulary.name):
            continue
        if not written:
            pre, suf, mid = (vocabulary.special_token(text) for text in (family.pre, family.suf, family.mid))
        elif written != family.pre:
            continue
        if pre is None or suf is None or (mid is None and "mid" in family.order):
            continue
        return FimFormat(family.order, pre, suf, mid, rep, sep)
    if not written or pre is None or suf is None or mid is None:
        return None
    return FimFormat(PSM, pre, suf, mid, rep, sep)


def find_spelling(text: str, architecture: str, name: str) -> Spelling | None:
    """The family whose tokens all occur in ``text``, a server's prompt template; None if there is none."""
    for family in FAMILIES:
        used = [getattr(family, slot) for slot in ("pre", "suf", "mid") if slot in family.order]
        # Templates of servers write a space where a sentencepiece vocabulary has a mark for it.
        if family.fits(architecture, name) and all(token.strip("▁") in text for token in used):
            return family
    return None


def write(family: Spelling, request: FillRequest, clean: Callable[[str], str]) -> str:
    """The prompt as text, for servers that take no tokens. ``clean`` takes special tokens out of the files' text."""
    head = ""
    if request.context and family.separator:
        head = f"{family.repository}{clean(request.repository or _DEFAULT_REPOSITORY)}\n"
        for snippet in request.context:
            head += f"{family.separator}{clean(f'{visible(snippet.path)}{chr(10)}{snippet.text.rstrip()}')}\n"
        head += f"{family.separator}{clean(visible(request.path))}\n"
    elif request.context:
        head = clean(_headings(request))
    text = {"prefix": clean(request.prefix), "suffix": clean(request.suffix)}
    special = {"pre": family.pre, "suf": family.suf, "mid": family.mid}
    return head + "".join(text[slot] if slot in text else special[slot].replace("▁", " ") for slot in family.order)


def may_leak(request: FillRequest) -> tuple[str, ...]:
    """Special tokens that text of a server's model may hold by mistake, as text; none that the file itself has.

    A model of this process ends its text at such a token, known by its id, and needs none of this.
    """
    known = {token.strip("▁") for f in FAMILIES for token in (f.pre, f.suf, f.mid, f.repository, f.separator) if token}
    own = request.prefix + request.suffix
    return tuple(sorted(token for token in known | _ENDS if token not in own))


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
        return vocabulary.tokenise(_headings(request))
    tokens: list[int] = []
    if fim.repository is not None:
        tokens += [fim.repository, *vocabulary.tokenise(f"{request.repository or _DEFAULT_REPOSITORY}\n")]
    for snippet in request.context:
        tokens += [fim.separator, *vocabulary.tokenise(f"{visible(snippet.path)}\n{snippet.text.rstrip()}\n")]
    return [*tokens, fim.separator, *vocabulary.tokenise(f"{visible(request.path)}\n")]


def _headings(request: FillRequest) -> str:
    """Other files as plain text, then the name of the file to fill."""
    parts = [f"--- {visible(s.path)} ---\n{s.text.rstrip()}\n\n" for s in request.context]
    return "".join([*parts, f"--- {visible(request.path)} ---\n"])
