"""The llama.cpp library behind a small typed face: one model file, its vocabulary and its metadata.

Nothing here decides anything: prompts are built in ``fim`` and ``templates``, evaluation lives in ``context``. The
library is imported on first use, because loading it costs as much as a whole `codemoat search`.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant.errors import DamagedModelError, HostError, NoModelError, UnsupportedModelError
from assistant.llama.system import give_back

GGUF_MAGIC = b"GGUF"
_LOG_ERROR = 4  # GGML_LOG_LEVEL_ERROR
_MOST_NAME = 200
_SENTINEL = "☺"  # never merges with its neighbours; see Model.tokenise

_complaints: deque[str] = deque(maxlen=50)
"""Error lines of the library while it loads; they name what is wrong with a file and never hold prompts."""


@functools.cache
def library() -> Any:
    """The low-level bindings, silenced: llama.cpp's log goes nowhere but, while loading, to ``_complaints``."""
    from llama_cpp import llama_cpp

    llama_cpp.llama_log_set(_log_callback(), None)
    llama_cpp.llama_backend_init()
    return llama_cpp


def _crashing_amx() -> bool:
    """Whether llama.cpp was compiled with Intel AMX kernels that crash: by gcc, and not by `scripts/setup.sh`.

    They are reached only through the extra buffer types; without these the AVX-512 ones run. Repacked weights go with
    them, which costs half of the speed of such formats.
    """
    from llama_cpp import _ggml

    compiled_in = getattr(_ggml.libggml, "ggml_cpu_has_amx_int8", None)  # absent where back ends load dynamically
    if compiled_in is None or not compiled_in():
        return False
    try:
        return ctypes.c_int.in_dll(_ggml.libggml, "codemoat_amx_is_sound").value != 1
    except ValueError:
        return True


@functools.cache
def _log_callback() -> Any:
    """Keep error lines; cached because the library must never outlive the callback object."""
    from llama_cpp import llama_cpp

    def keep_errors(level: int, text: bytes, _user_data: object) -> None:
        if level == _LOG_ERROR:
            _complaints.append(text.decode("utf-8", "replace").strip())

    return llama_cpp.llama_log_callback(keep_errors)


class Model:
    """The weights and vocabulary of one GGUF file. Its read-only methods may be called from any thread.

    Raises NoModelError, DamagedModelError, UnsupportedModelError (an architecture that the library does not know) or
    HostError (not enough memory).
    """

    def __init__(
        self,
        path: Path,
        *,
        gpu_layers: int = 0,
        vocabulary_only: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        check_file(path)
        lib = library()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.load_mode = lib.LLAMA_LOAD_MODE_MMAP
        params.use_extra_bufts = not _crashing_amx()
        params.vocab_only = vocabulary_only
        callback = lib.llama_progress_callback(_reporter(progress))
        params.progress_callback = callback
        _complaints.clear()
        self.handle: Any = lib.llama_model_load_from_file(os.fsencode(path), params)
        if not self.handle:
            raise load_error(path, " ".join(_complaints))
        if params.use_extra_bufts and not vocabulary_only:
            give_back(path)  # weights that were repacked are not read from the file again
        self.path = path
        self._lib = lib
        self._vocab = lib.llama_model_get_vocab(self.handle)
        self._fim_tokens: frozenset[int | None] | None = None
        self._spm_spaces = (
            lib.llama_vocab_type(self._vocab) == lib.LLAMA_VOCAB_TYPE_SPM
            and self.metadata("tokenizer.ggml.add_space_prefix") != "false"
        )

    def metadata(self, key: str) -> str:
        """The value of a metadata key as text, empty if it is not there."""
        size = 256
        while True:
            buffer = ctypes.create_string_buffer(size)
            needed = int(self._lib.llama_model_meta_val_str(self.handle, key.encode(), buffer, size))
            if needed < size:
                return buffer.value.decode("utf-8", "replace") if needed >= 0 else ""
            size = needed + 1

    @property
    def name(self) -> str:
        """The name in the metadata on one line, cut where it is very long; else the file's."""
        return " ".join(self.metadata("general.name").split())[:_MOST_NAME] or self.path.stem

    @property
    def architecture(self) -> str:
        """For example "qwen2"."""
        return self.metadata("general.architecture")

    @property
    def trained_context(self) -> int:
        """Longest context that the model was trained for, in tokens."""
        return int(self._lib.llama_model_n_ctx_train(self.handle))

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens."""
        return int(self._lib.llama_vocab_n_tokens(self._vocab))

    @property
    def chat_template(self) -> str:
        """The Jinja template of the metadata, empty if the model has none."""
        return (self._lib.llama_model_chat_template(self.handle, None) or b"").decode("utf-8", "replace")

    @property
    def bos(self) -> int | None:
        """The token that every prompt starts with, if this model wants one."""
        return self._token("llama_vocab_bos") if self._lib.llama_vocab_get_add_bos(self._vocab) else None

    @property
    def bos_text(self) -> str:
        """Text of the begin-of-text token, as chat templates ask for it."""
        return self._text(self._token("llama_vocab_bos"))

    @property
    def eos_text(self) -> str:
        """Text of the end-of-text token, as chat templates ask for it."""
        return self._text(self._token("llama_vocab_eos"))

    def fim_token(self, role: str) -> int | None:
        """Fill-in-the-middle token: role "pre", "suf", "mid", "rep" (repository), "sep" (file separator) or "pad".

        llama.cpp reads the ``tokenizer.ggml.fim_*`` ids and otherwise knows the usual spellings in the vocabulary.
        """
        return self._token(f"llama_vocab_fim_{role}")

    def special_token(self, text: str) -> int | None:
        """The one special token that is written ``text``, if the vocabulary has it."""
        tokens = self._tokenise(text, special=True)
        return tokens[-1] if tokens and self._text(tokens[-1]) == text else None

    def token_text(self, token: int) -> str:
        """How the vocabulary writes a token."""
        return self._text(token)

    def tokenise(self, text: str, *, special: bool = False) -> list[int]:
        """Tokens of ``text``. Only with ``special`` does text such as ``<|im_end|>`` become a special token.

        Sentencepiece vocabularies put a space before every text; prompts are built of pieces, so the piece is
        tokenised behind a sentinel whose tokens are dropped (the way of CodeLlama's reference code for the suffix).
        """
        if not text:
            return []
        if not self._spm_spaces:
            return self._tokenise(text, special=special)
        return self._tokenise(_SENTINEL + text, special=special)[len(self._tokenise(_SENTINEL, special=False)) :]

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; empty for control tokens. May be part of a UTF-8 character."""
        buffer = ctypes.create_string_buffer(64)
        size = int(self._lib.llama_token_to_piece(self._vocab, token, buffer, 64, 0, False))
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = int(self._lib.llama_token_to_piece(self._vocab, token, buffer, -size, 0, False))
        return buffer.raw[:size]

    def ends(self, token: int) -> bool:
        """Whether generation ends here. Any control token ends it: none may leak into text or start a new turn."""
        lib = self._lib
        if self._fim_tokens is None:  # some files mark them as ordinary text
            self._fim_tokens = frozenset(map(self.fim_token, ("pre", "suf", "mid", "rep", "sep", "pad")))
        if lib.llama_vocab_is_eog(self._vocab, token) or lib.llama_vocab_is_control(self._vocab, token):
            return True
        return token in self._fim_tokens

    def close(self) -> None:
        """Free the weights. Safe to call twice; contexts must be closed before."""
        if self.handle:
            self._lib.llama_model_free(self.handle)
            self.handle = None

    def _token(self, function: str) -> int | None:
        token = int(getattr(self._lib, function)(self._vocab))
        return token if token >= 0 else None

    def _text(self, token: int | None) -> str:
        if token is None:
            return ""
        return (self._lib.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")

    def _tokenise(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        size = len(data) + 16
        buffer = (self._lib.llama_token * size)()
        count = int(self._lib.llama_tokenize(self._vocab, data, len(data), buffer, size, False, special))
        if count < 0:  # never seen: a token stands for at least one byte
            raise HostError("The model's tokenizer refused a text.", "Please report the model's name.")
        return list(buffer[:count])


def check_file(path: Path) -> None:
    """Refuse what is not a readable GGUF file, before the library sees it."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise NoModelError(
            f"The model file {path} is not there.", "Fetch it with `codemoat models pull`, or name another model."
        ) from exc
    except OSError as exc:
        raise NoModelError(
            f"The model file {path} cannot be read: {exc.strerror}.", "Check its owner and mode."
        ) from exc
    if magic != GGUF_MAGIC:
        raise DamagedModelError(
            f"{path} is not a GGUF model file.", "Check it with `codemoat models verify`, or pull the model again."
        )


def requantise(source: Path, target: Path, form: str, threads: int = 0) -> None:
    """Write ``source`` to ``target`` in another format ("Q4_0", "Q8_0"), whole or not at all.

    Raises HostError if the library fails (a full disk, a kind of model that it cannot requantise).
    """
    lib = library()
    params = lib.llama_model_quantize_default_params()
    params.ftype = getattr(lib, f"LLAMA_FTYPE_MOSTLY_{form}")
    params.allow_requantize = True
    params.nthread = threads
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    try:
        failed = lib.llama_model_quantize(os.fsencode(source), os.fsencode(draft), ctypes.byref(params))
        if failed:
            raise HostError(
                f"{source.name} could not be written in {form}.", f"Is there room in {target.parent}? Run it again."
            )
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def load_error(path: Path, complaints: str) -> DamagedModelError | UnsupportedModelError | HostError:
    """What the library's error lines mean for a user."""
    text = complaints.lower()
    if "unknown model architecture" in text or "unknown pre-tokenizer" in text:
        return UnsupportedModelError(
            f"The installed llama.cpp does not know the kind of model in {path.name}.",
            "Update llama-cpp-python, or choose another model with `codemoat models list`.",
        )
    if "alloc" in text or "out of memory" in text:
        return HostError(
            f"There is not enough memory to load {path.name}.", "Close other programs or choose a smaller model."
        )
    return DamagedModelError(
        f"The model file {path} is damaged or incomplete.",
        "Check it with `codemoat models verify`, or pull the model again.",
    )


def _reporter(progress: Callable[[float], None] | None) -> Callable[[float, object], bool]:
    """The library's progress callback: it goes on loading while this returns True."""

    def report(fraction: float, _user_data: object) -> bool:
        if progress is not None:
            progress(fraction)
        return True

    return report
