"""The composition root: builds index, model, chat and completion from settings. Command line and servers start here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from indexer.errors import NoIndexError
from indexer.location import runtime_dir

if TYPE_CHECKING:
    from assistant.chat import ChatSession
    from assistant.completion.completer import Completer
    from assistant.config import Config
    from assistant.conversation import Conversation
    from assistant.llm import LLM, Cancel, ModelInfo
    from assistant.models import ModelEntry
    from assistant.saved_chats import SavedChats
    from indexer.errors import CodemoatError
    from indexer.index import Index
    from indexer.reports import Progress, UpdateReport
    from indexer.watch import Watcher

_PARSE_SECONDS = 1.0
"""Processor time for the parser that a completion must pass, where nobody types."""


class Engine:
    """Everything codemoat can do in one folder. Parts are built when first asked for.

    ``close`` (or ``with``) ends them; ``llm`` and ``index`` may be given instead of being built and are closed too.
    """

    def __init__(self, config: Config, root: Path, *, llm: LLM | None = None, index: Index | None = None) -> None:
        self.config = config
        self.root = root
        self._llm = llm
        self._index = index
        self._loading: Callable[[float], None] | None = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def index(self) -> Index:
        """The index of the folder. Raises NoIndexError before it was made, and what ``Index.open`` does."""
        if self._index is None:
            from indexer.index import Index

            self._index = Index.open(self.root, self.config.index_config())
        return self._index

    @property
    def has_index(self) -> bool:
        """Whether there is an index to open. Raises the other errors of ``Index.open``."""
        try:
            return self.index is not None
        except NoIndexError:
            return False

    def update_index(
        self, progress: Callable[[Progress], None] | None = None, cancel: Cancel | None = None, *, rebuild: bool = False
    ) -> UpdateReport:
        """Bring the index up to date; makes it if there is none. ``rebuild``: from nothing, even if it is damaged.

        Raises what ``Index.open`` and ``Index.update`` raise.
        """
        if self._index is None:
            from indexer.index import Index

            self._index = Index.open(self.root, self.config.index_config(), create=True, rebuild=rebuild)
        if rebuild:
            return self._index.rebuild(progress, cancel)
        return self._index.update(progress, cancel)

    def watch(
        self,
        on_update: Callable[[UpdateReport], None],
        *,
        on_mode: Callable[[str, str], None] | None = None,
        on_error: Callable[[CodemoatError], None] | None = None,
    ) -> Watcher:
        """Bring the index up to date whenever files change, until the result is stopped.

        Everything is called from the watcher's thread: ``on_update`` after each update, ``on_mode`` with ``events`` or
        ``polling`` and why, ``on_error`` for an update that failed. Raises what ``index`` does.
        """
        from indexer.control import Control
        from indexer.watch import Watcher

        index, control = self.index, Control()
        index.keep_workers()
        watcher = Watcher(
            self.root,
            index.config,
            lambda paths: on_update(index.update(cancel=control, paths=paths)),
            on_mode=on_mode,
            on_error=on_error,
            control=control,
        )
        watcher.start()
        return watcher

    @property
    def missing_model(self) -> ModelEntry | None:
        """What to fetch: the configured model's entry, if it is in the catalogue and not on this machine."""
        if self._llm is not None or self.config.model.url:
            return None
        from assistant.models import find_model, is_installed

        name = self.config.model.name
        return None if is_installed(name) else find_model(name)

    @property
    def llm(self) -> LLM:
        """The language model; its host process starts, or its server is asked, with the first request.

        A model that can only chat fills holes by chat, unless ``model.fill_by_chat`` is off. A server's gets every text
        masked. Raises NoModelError or DamagedModelError if its file is not as it should be.
        """
        if self._llm is None:
            remote = self._remote()
            llm = remote or self._hosted()
            if self.config.model.fill_by_chat:
                from assistant.completion.instruct import InstructFill

                llm = InstructFill(llm)
            if remote is not None:
                from assistant.remote.masked import MaskedLLM

                llm = MaskedLLM(llm)
            self._llm = llm
        return self._llm

    def start_model(self, progress: Callable[[float], None] | None = None) -> ModelInfo:
        """Load the model if no host has it; ``progress`` gets the loaded fraction (0 to 1). Raises ModelError."""
        self._loading = progress
        try:
            return self.llm.info
        finally:
            self._loading = None

    def chat(
        self,
        *,
        keep: bool = False,
        resume: str | None = None,
        conversation: Conversation | None = None,
        llm: LLM | None = None,
    ) -> ChatSession:
        """A conversation about the folder.

        ``keep``: saved after each turn, unless ``chat.save`` is off. ``resume``: go on with a saved one by its id or
        the beginning of it, empty for the last; it is kept. ``conversation``: go on with this one. ``llm``: a model
        that is another's. Raises what ``index``, ``llm`` and ``SavedChats.load`` do.
        """
        from assistant.chat import AskSettings, ChatSession

        settings = AskSettings(**msgspec.structs.asdict(self.config.ask))
        if resume is not None:
            conversation = self.chats.load(resume)
        kept = (keep or resume is not None) and self.config.chat.save
        save = self.chats.save if kept else None
        return ChatSession(self.index, llm or self.llm, settings, conversation=conversation, keep=save)

    @property
    def chats(self) -> SavedChats:
        """The saved conversations about the folder; needs neither index nor model."""
        from assistant.saved_chats import SavedChats

        return SavedChats(self.root)

    def completer(self, *, with_index: bool = True, llm: LLM | None = None, typing: bool = True) -> Completer:
        """Inline completion; ``with_index``: with context from other files; ``llm``: by a model that is another's.

        ``typing``: somebody types, so the parser that suggestions must pass has milliseconds, otherwise seconds.
        Raises what ``index`` and ``llm`` raise.
        """
        from assistant.completion.completer import Completer
        from assistant.completion.gate import Gate
        from assistant.completion.request import CompletionSettings

        settings = CompletionSettings(**msgspec.structs.asdict(self.config.complete))
        gate = Gate() if typing else Gate(seconds=_PARSE_SECONDS, patience=10 * _PARSE_SECONDS)
        return Completer(self.index if with_index else None, llm or self.llm, settings, gate=gate)

    def _remote(self) -> LLM | None:
        """The model behind ``model.url``; nothing is asked of any network where that is not set."""
        endpoint = self.config.model.endpoint
        if endpoint is None:
            return None
        from assistant.remote.client import RemoteLLM

        return RemoteLLM(endpoint, context_tokens=self.config.model.context_tokens)

    def _hosted(self) -> LLM:
        from assistant.llama.client import HostedLLM, HostSettings
        from assistant.llama.settings import DRAFT_TOKENS, MICRO_BATCH
        from assistant.models import resolve
        from assistant.models.tuned import tuned_for

        model, path = self.config.model, resolve(self.config.model.name)
        # What was set by hand comes before what was measured; flash attention can only be switched off by hand. On CPUs
        # it makes a token behind 1,000 others a quarter slower and a step over four twice as slow.
        tuned = tuned_for(path) if model.tuned and not model.gpu_layers else None
        settings = HostSettings(
            runtime_dir=runtime_dir(),
            context_tokens=model.context_tokens,
            threads=model.threads or (tuned.threads if tuned else 0),
            gpu_layers=model.gpu_layers,
            flash_attention=model.flash_attention and (tuned.flash_attention if tuned else model.gpu_layers != 0),
            micro_batch=tuned.micro_batch if tuned else MICRO_BATCH,
            draft_tokens=tuned.draft_tokens if tuned else DRAFT_TOKENS,
            idle_seconds=model.idle_seconds,
        )
        return HostedLLM(tuned.path if tuned else path, settings, progress=self._show_loading)

    def _show_loading(self, fraction: float) -> None:
        if self._loading is not None:
            self._loading(fraction)

    def close(self) -> None:
        """Close what was opened. The model host stays for the next caller until it is idle. Safe to call twice."""
        for part in (self._llm, self._index):
            if part is not None:
                part.close()
        self._llm = self._index = None
