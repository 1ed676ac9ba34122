"""The server: what its parts share, and its life from ``initialize`` to ``exit``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from assistant.errors import ModelError, NoModelError
from indexer.errors import CodemoatError
from lsp.chat import Chat
from lsp.commands import Commands
from lsp.convert import Units, language_of, uri_of
from lsp.decisions import Decisions
from lsp.documents import Documents
from lsp.editor_process import EditorProcess
from lsp.fetching import Fetching
from lsp.folders import Folders
from lsp.hello import POPUP, own_capabilities, own_version, wants_popup
from lsp.indexing import Indexing
from lsp.inline import InlineCompletion
from lsp.jobs import Debounce, DroppedError, Jobs, Lane
from lsp.learning import Learning
from lsp.memory import Housekeeping
from lsp.model import ModelRoom
from lsp.notifications import MOST_FOLDERS
from lsp.options import SECTION, Options, Switches
from lsp.protocol import Protocol, sentence
from lsp.salvage import strict
from lsp.status import STATUS_CHANGED, Status
from lsp.symbols import Symbols
from lsp.sync import Synchronisation
from lsp.telling import Telling

if TYPE_CHECKING:
    from cattrs import Converter

    from assistant.config import Config
    from assistant.engine import Engine
    from assistant.learning import Kind
    from lsp.documents import Document
    from lsp.folders import Folder

_STATUS_QUIET = 0.1
_LONGEST_SHOWN = 200
"""Characters of a URI in a sentence."""
_LEAVE = 0.9
"""Seconds that ``shutdown`` takes at most."""
logger = logging.getLogger("codemoat.lsp")


@cache
def _converter() -> Converter:
    """One for the process: what it learns of a type takes milliseconds."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    strict(converter)
    return converter


class Server(Telling, LanguageServer):
    """One client's server. Its attributes are the rooms that handlers use; all on the event loop but ``jobs``' work."""

    protocol: Protocol

    def __init__(self, *, make_engine: Callable[[Config], Engine] | None = None) -> None:
        """``make_engine`` stands in for the engine that the model comes from."""
        super().__init__("codemoat", own_version(), protocol_cls=Protocol, converter_factory=_converter, max_workers=1)
        self.done = asyncio.Event()
        """Set by ``exit``."""
        self.exit_code = 1
        self.documents = Documents()
        self.options = Options(self.warn)
        self.switches = Switches()
        self.decisions = Decisions()
        self.jobs = Jobs()
        self.folders = Folders(self.options.config)
        self.model = ModelRoom(
            self.options.config,
            lambda request: self.folders.completer(request.root, self.model.llm),
            self.changed,
            lost=self.model_failed,
            make_engine=make_engine,
        )
        self.client_tells_shown = False
        self.client_hears_status = False
        """Whether it knows our notification ``codemoat/statusChanged``; others log an error for each."""
        self.client_takes_words = False
        """Whether it shows the first words of a suggestion and asks again for the rest."""
        self.inline = InlineCompletion(self)
        self.sync = Synchronisation(self)
        self.symbols = Symbols(self)
        self.indexing = Indexing(self)
        self.status = Status(self)
        self.chat = Chat(self)
        self.learning = Learning(self)
        self.commands = Commands(self)
        self.fetching = Fetching(self)
        self.housekeeping = Housekeeping(self.jobs.reading)
        self.protocol.heard, self.protocol.left_out = self.housekeeping.heard, self.left_out
        self._status_quiet = Debounce(_STATUS_QUIET)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last_status: dict[str, Any] = {}
        self.editor_process = EditorProcess(self._editor_gone)
        self._popup_announced = False
        self._initial_options: Any = None
        self.settled = False
        """Whether the client's settings are known."""
        self._leaving: asyncio.Task[None] | None = None
        for method, handler in (
            (types.INITIALIZE, self._initialize),
            (types.INITIALIZED, self._initialized),
            (types.SHUTDOWN, self.leave),
            (types.EXIT, self._exit),
            (types.WORKSPACE_DID_CHANGE_CONFIGURATION, self._did_change_configuration),
            (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, self._did_change_folders),
        ):
            self.handle(method, handler)

    def handle(self, method: str, handler: Callable[..., Any]) -> None:
        """Let ``handler`` take a method's parameters; pygls's own decorators take plain functions only."""
        self.protocol.fm.features[method] = handler

    # --- life ------------------------------------------------------------------------------------------------------

    def _initialize(self, params: types.InitializeParams, encoding: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.documents.units = Units(encoding)
        ours = own_capabilities(params.capabilities.experimental)
        self.client_tells_shown = ours is not None and ours.get("didShow") is True
        self.client_takes_words = ours is not None and ours.get("firstWords") is True
        self.client_hears_status = ours is not None and ours.get("statusChanged") is not False
        self.editor_process.watch(params.process_id)
        options = params.initialization_options
        self._popup_announced = wants_popup({"initializationOptions": options})
        folders = params.workspace_folders or []
        uris = [(folder.uri, folder.name) for folder in folders]
        if not uris and params.root_uri:
            uris = [(params.root_uri, "")]
        elif not uris and params.root_path and Path(params.root_path).is_absolute():
            uris = [(uri_of(Path(params.root_path)), "")]
        for uri, name in uris:
            self._add_folder(uri, name)
        self._initial_options = options

    def _initialized(self, _params: Any) -> None:
        self.options.initialize(self._initial_options)
        self.tell_what_waits()
        self.task(self._attach())

    async def _attach(self) -> None:
        """What comes after ``initialize``: settings, then indexes."""
        await self._read_configuration()
        self.settled = True
        for document in list(self.documents.open.values()):
            self.use_model(document)
        workspace = self.client_capabilities.workspace
        registrations = []
        changing = workspace.did_change_configuration if workspace is not None else None
        if changing is not None and changing.dynamic_registration:
            method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
            registrations.append(types.Registration("settings", method, {"section": SECTION}))
        text = self.client_capabilities.text_document
        dynamic = text is not None and text.completion is not None and text.completion.dynamic_registration
        if self.options.config().editor.popup and not self._popup_announced and dynamic:
            registrations.append(types.Registration("popup", types.TEXT_DOCUMENT_COMPLETION, POPUP))
        if registrations:
            asked = types.RegistrationParams(registrations)
            self.protocol.send_request(types.CLIENT_REGISTER_CAPABILITY, asked)
        for folder in self.folders:
            self.indexing.start(folder)
        self.changed()

    async def leave(self, *_: Any) -> None:
        """Leave everything behind in order, within a second; asking twice is no error."""
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._leave())
        await asyncio.shield(self._leaving)

    async def _leave(self) -> None:
        self.editor_process.close()
        self.sync.close()
        self._status_quiet.close()
        self.housekeeping.close()
        self.jobs.close()
        for task in self._tasks:
            task.cancel()
        leaving = Lane("leaving", threads=2)
        parts = [leaving.submit(self.model.reset), leaving.submit(self._close_readers)]
        await asyncio.wait(
            [asyncio.ensure_future(work) for work in (self.indexing.close(), self.learning.close())]
            + [*(asyncio.wrap_future(part) for part in parts)],
            timeout=_LEAVE,
        )
        leaving.close()

    def _editor_gone(self) -> None:
        logger.warning("The editor's process has ended, so the server leaves.")
        self.done.set()

    def _close_readers(self) -> None:
        self.symbols.close()
        for folder in self.folders:
            folder.close(for_good=True)

    async def _exit(self, *_: Any) -> None:
        # A client may say both in one breath.
        self.exit_code = 0 if self._leaving is not None else 1
        await self.leave()
        self.done.set()

    # --- settings and folders --------------------------------------------------------------------------------------

    async def _read_configuration(self) -> None:
        """Ask the client for its section of the settings, if it has any."""
        workspace = self.client_capabilities.workspace
        if workspace is None or not workspace.configuration:
            return
        asked = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
        try:
            answer = await asyncio.wait_for(
                self.protocol.send_request_async(types.WORKSPACE_CONFIGURATION, asked), timeout=5
            )
        except Exception:  # noqa: BLE001
            # Whatever a client answers that is no answer: there are settings without it.
            logger.warning("The client did not answer workspace/configuration")
            return
        if isinstance(answer, list | tuple) and answer and self.options.change(answer[0]):
            self.settings_changed()

    async def _did_change_configuration(self, params: types.DidChangeConfigurationParams) -> None:
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.configuration:
            await self._read_configuration()
        elif self.options.change(params.settings):
            self.settings_changed()

    def settings_changed(self) -> None:
        """Let new settings hold at once; only what they touch is opened or started anew."""
        before = {folder.key: folder.config for folder in self.folders}
        self.options.forget()
        model_before = self.options.previous.model if self.options.previous is not None else None
        for folder in self.folders:
            after, old = folder.config, before[folder.key]
            started = folder.key in self.indexing.states
            if started and (after.index != old.index or after.editor.index != old.editor.index):
                self.task(self._index_anew(folder))
        if model_before is not None and model_before != self.options.config().model:
            self.run(self.jobs.model, self.model.reset)
        self.run(self.jobs.reading, self.folders.forget_settings)
        self.changed()

    async def _index_anew(self, folder: Any) -> None:
        await self.indexing.stop(folder)
        self.indexing.start(folder)

    def _did_change_folders(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        for gone in params.event.removed:
            folder = self.folders.remove(gone.uri)
            if folder is not None:
                self.task(self.indexing.stop(folder, state="off"))
                self.run(self.jobs.reading, partial(folder.close, for_good=True))
        for added in params.event.added:
            folder = self._add_folder(added.uri, added.name)
            if folder is not None:
                self.indexing.start(folder)
        self.changed()

    def _add_folder(self, uri: str, name: str) -> Folder | None:
        if len(self.folders) >= MOST_FOLDERS and self.folders.by_uri(uri) is None:
            self.tell_once("folders", f"More than {MOST_FOLDERS} folders are open; the others are not indexed.")
            return None
        folder = self.folders.add(uri, name)
        if folder is None and uri.startswith("file:"):
            shown = uri if len(uri) <= _LONGEST_SHOWN else f"{uri[:_LONGEST_SHOWN]}…"
            self.tell_once("no folder", f"This system can have no folder {shown}; it is left out.")
        return folder

    def renew(self) -> None:
        """Files or rules changed: what was remembered of them is asked anew."""
        for folder in self.folders:
            folder.renew()

    # --- the model -------------------------------------------------------------------------------------------------

    def use_model(self, document: Document) -> None:
        """Load the model if this document may want it and it was not tried yet."""
        if not self.settled:
            # Documents are opened before the client says which model it wants; then they are looked at again.
            return
        language = language_of(document.uri, document.language_id)
        config = self.options.config()
        if self.model.state != "unused" or self.switches.refuse(config, language, document.language_id, automatic=True):
            return
        self.run(self.jobs.model, self.fetching.load, "load")

    def model_failed(self, error: CodemoatError) -> None:
        """The model did not answer, found out in any thread: say so once, offer what helps."""
        news = self.model.failed(error) if isinstance(error, ModelError) else False
        if isinstance(error, NoModelError):
            self.on_loop(self.fetching.offer)
        elif news:
            self.warn(sentence(error))
        else:
            self.log(sentence(error))

    def feedback(self, id_: str, fate: Kind, characters: int = 0, *, inferred: bool = False) -> None:
        """What became of a suggestion; ``inferred``: the client did not tell."""
        known = self.decisions.tell(id_, fate, characters)
        decision = self.decisions.find(id_)
        if known and decision is not None:
            self.learning.told(decision, fate, characters, inferred=inferred)
        if fate == "shown" and not inferred:
            self.client_tells_shown = True
            self.inline.shown(id_)

    # --- telling ---------------------------------------------------------------------------------------------------

    def task(self, work: Coroutine[Any, Any, object]) -> None:
        """Let ``work`` go on by itself; its errors are logged."""
        self.keep(asyncio.ensure_future(work))

    def keep(self, task: asyncio.Task[Any]) -> None:
        """The same for work that goes on already."""
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def run(self, lane: Lane, work: Callable[[], object], key: object = None) -> None:
        """Let ``work`` go on in a lane that nobody waits for; errors of ours are told in the log."""
        lane.submit(work, key).add_done_callback(self._ended)

    def changed(self) -> None:
        """Something that ``codemoat/status`` tells has changed; from any thread."""
        if self.client_hears_status:
            self.on_loop(lambda: self._status_quiet.call("status", self._tell_status))

    def _tell_status(self) -> None:
        status = self.status.current()
        if status != self._last_status and not self.protocol._shutdown:
            self._last_status = status
            self.protocol.notify(STATUS_CHANGED, status)

    def _ended(self, future: Any) -> None:
        self._tasks.discard(future)
        exc = None if future.cancelled() else future.exception()
        if isinstance(exc, CodemoatError):
            self.log(sentence(exc))
        elif exc is not None and not isinstance(exc, DroppedError):
            logger.error("Work in the background failed", exc_info=exc)
