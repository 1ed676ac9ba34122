"""Workspace folders: each with its settings, its index for reading, and the unsaved buffers over it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import CodemoatError, NoIndexError, StorageError
from indexer.location import is_huge
from indexer.probing import is_folder
from indexer.reasons import encodable, printable
from lsp.convert import path_of, uri_of

if TYPE_CHECKING:
    from assistant.chat import ChatSession
    from assistant.completion.completer import Completer
    from assistant.config import Config
    from assistant.conversation import Conversation
    from assistant.engine import Engine
    from assistant.llm import LLM
    from assistant.saved_chats import SavedChats
    from indexer.index import Index

_REFUSALS_KEPT = 500
_LOCATED_KEPT = 5_000


class Folder:
    """One workspace folder. Usable from any thread; the index is opened when first needed."""

    def __init__(self, uri: str, root: Path, name: str, config: Callable[[], Config]) -> None:
        self.uri = uri
        """The client's own address, which may lead through symbolic links."""
        self.root = root
        """The folder's real path."""
        self.name = name
        self._config = config
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._completer: tuple[LLM, Index | None, Completer] | None = None
        self._refusals: dict[str, str | None] = {}
        self._left = False
        self.problem = ""
        """Why the index cannot be read, as a sentence."""

    @property
    def key(self) -> str:
        """What tells its files from those of other folders (``CompletionRequest.root``)."""
        return str(self.root)

    @property
    def config(self) -> Config:
        """The settings that hold in it."""
        return self._config()

    @property
    def unwanted(self) -> str | None:
        """Why it is not indexed, as a sentence; None if it is."""
        if not is_folder(self.root):
            return f"There is no folder {self.root}."
        if not self.config.editor.index:
            return "Indexing is off: editor.index."
        if is_huge(self.root):
            return f"{self.root} is no project, so it is not indexed; open the folder of a project."
        return None

    @property
    def index(self) -> Index:
        """The index, for reading.

        Raises NoIndexError while there is none, StorageError if it cannot be reached, and what ``Index.open`` raises.
        """
        with self._lock:
            if self._left:
                raise NoIndexError(f"{self.root} was left.", "Open it again.")
            if self._engine is None:
                from assistant.engine import Engine

                self._engine = Engine(self.config, self.root)
            try:
                return self._engine.index
            except OSError as exc:
                # A path in the folder may be longer than the system takes.
                raise StorageError.from_os_error(exc, "opening the index", self.root) from exc

    @property
    def readable(self) -> Index | None:
        """The index if it can be read; ``problem`` says why not."""
        try:
            index = self.index
        except NoIndexError:
            self.problem = ""
            return None
        except CodemoatError as exc:
            self.problem = exc.message
            return None
        self.problem = ""
        return index

    def completer(self, llm: LLM) -> Completer:
        """Completion with what can be read of the index; the same one as long as that and the settings stay."""
        index = self.readable
        with self._lock:
            if self._completer is None or self._completer[0] is not llm or self._completer[1] is not index:
                from assistant.engine import Engine

                engine = self._engine or Engine(self.config, self.root)
                self._completer = (llm, index, engine.completer(with_index=index is not None, llm=llm))
            return self._completer[2]

    def chat(self, llm: LLM, *, resume: str | None = None, conversation: Conversation | None = None) -> ChatSession:
        """A conversation about the folder, a new, a saved or a given one. Raises what ``index`` and ``load`` raise."""
        _ = self.index
        with self._lock:
            engine = self._engine
        if engine is None:
            raise NoIndexError(f"{self.root} was left.", "Open it again.")
        return engine.chat(keep=True, resume=resume, conversation=conversation, llm=llm)

    @property
    def chats(self) -> SavedChats:
        """The saved conversations about the folder; needs no index."""
        from assistant.engine import Engine

        return Engine(self.config, self.root).chats

    def refuses(self, path: str) -> str | None:
        """Why a file gets no suggestions, as a sentence: it is left out by a rule of codemoat or may hold secrets.

        What only git ignores is completed like any other.
        """
        if not encodable(path):
            return "Its name is not valid UTF-8."
        if path not in self._refusals:
            from indexer.ignore import IgnoreRules
            from indexer.secrets import refuse_secret_name

            rules = IgnoreRules(self.root, self.config.index.exclude, gitignore=False)
            rule = rules.folder(path.rpartition("/")[0] or ".") or rules.file(path)
            if len(self._refusals) >= _REFUSALS_KEPT:
                self._refusals.clear()
            self._refusals[path] = refuse_secret_name(path) or (f"Excluded by {rule}." if rule is not None else None)
        return self._refusals[path]

    def put(self, path: str, text: str) -> None:
        """Let unsaved text stand for a file in what is read; where there is no index, nothing is."""
        index = self.readable
        if index is not None:
            index.put_buffer(path, text)

    def drop(self, path: str) -> None:
        """Let the file stand for itself again."""
        with self._lock:
            engine = self._engine
        if engine is not None and self.readable is not None:
            self.index.drop_buffer(path)

    def renew(self) -> None:
        """The index has a new generation, or rules changed: what was refused may be different."""
        self._refusals.clear()

    def close(self, *, for_good: bool = False) -> None:
        """Close what was opened; it opens again when needed, unless it is left ``for_good``."""
        with self._lock:
            self._left = self._left or for_good
            engine, self._engine, self._completer = self._engine, None, None
        if engine is not None:
            engine.close()
        self._refusals.clear()


@dataclass(frozen=True, slots=True)
class Located:
    """Where a document lies. ``folder``: None outside of all; ``path`` is relative to it, else the bare name."""

    folder: Folder | None
    path: str


class Folders:
    """The workspace's folders. Changed on the event loop, read from any thread."""

    def __init__(self, config: Callable[[Path | None], Config]) -> None:
        self._config = config
        self._folders: dict[Path, Folder] = {}
        self._addresses: dict[Path, list[tuple[str, str]]] = {}
        """URIs and names under which each is open; through a link it may be open twice."""
        self._located: dict[str, Located] = {}
        self._loose: tuple[LLM, Completer] | None = None

    def __iter__(self) -> Iterator[Folder]:
        return iter(list(self._folders.values()))

    def __len__(self) -> int:
        return len(self._folders)

    def add(self, uri: str, name: str = "") -> Folder | None:
        """A folder of the workspace; None if it is none of the file system's."""
        path = path_of(uri)
        if path is None:
            return None
        root = Path(os.path.realpath(path))
        self._located = {}
        name = name or path.name or root.name
        addresses = self._addresses.setdefault(root, [])
        if (uri, name) not in addresses:
            addresses.append((uri, name))
        if root not in self._folders:
            self._folders[root] = Folder(uri, root, name, lambda: self._config(root))
        return self._folders[root]

    def remove(self, uri: str) -> Folder | None:
        """Take a folder out; the caller closes it. None if there is none, or it is open under another address too."""
        path = path_of(uri)
        folder = self.by_uri(uri)
        if path is None or folder is None:
            return None
        self._located = {}
        addresses = self._addresses[folder.root]
        given = next((each for each in addresses if path_of(each[0]) == path), addresses[0])
        addresses.remove(given)
        if addresses:
            folder.uri, folder.name = addresses[0]
            return None
        del self._addresses[folder.root]
        return self._folders.pop(folder.root)

    def label(self, folder: Folder) -> str:
        """What tells a folder from the others that are open: its name, with its parent's where two have the same."""
        if sum(other.name == folder.name for other in self) < 2:
            return folder.name
        path = path_of(folder.uri) or folder.root
        return "/".join(path.parts[-2:]) if len(path.parts) > 2 else folder.name

    def by_uri(self, uri: str) -> Folder | None:
        """The folder of that URI."""
        for root, addresses in self._addresses.items():  # a link may lead elsewhere by now
            if any(uri == address for address, _ in addresses):
                return self._folders.get(root)
        path = path_of(uri)
        return self._folders.get(Path(os.path.realpath(path))) if path is not None else None

    def by_key(self, key: str) -> Folder | None:
        """The folder that a request's ``root`` names."""
        return self._folders.get(Path(key)) if key else None

    def locate(self, uri: str) -> Located:
        """Where a document lies: in the innermost folder around it."""
        found = self._located.get(uri)
        if found is None:
            if len(self._located) >= _LOCATED_KEPT:
                self._located = {}
            found = self._located[uri] = self._locate(uri)
        return found

    def completer(self, root: str, llm: LLM) -> Completer:
        """Completion for a request's ``root``; without an index outside of all folders."""
        folder = self.by_key(root)
        if folder is not None:
            return folder.completer(llm)
        if self._loose is None or self._loose[0] is not llm:
            from assistant.engine import Engine

            self._loose = llm, Engine(self._config(None), Path.cwd()).completer(with_index=False, llm=llm)
        return self._loose[1]

    def forget_settings(self) -> None:
        """The settings changed: open everything anew."""
        self._loose = None
        for folder in self:
            folder.close()

    def _locate(self, uri: str) -> Located:
        path = path_of(uri)
        if path is None:
            # An untitled document, or one of an editor's own file systems.
            name = uri.partition("#")[0].rstrip("/").replace(":", "/").rpartition("/")[2]
            return Located(None, printable(name) or "untitled")
        real = Path(os.path.realpath(path))
        around = [root for root in self._folders if real.is_relative_to(root) and real != root]
        if not around:
            return Located(None, printable(real.name))
        root = max(around, key=lambda each: len(each.parts))
        return Located(self._folders[root], real.relative_to(root).as_posix())


def uri_in(folder: Folder, path: str) -> str:
    """The URI of a file of a folder, below the address that the client opened the folder by."""
    if "?" in folder.uri or "#" in folder.uri or folder.root == folder.root.parent:
        return uri_of((path_of(folder.uri) or folder.root) / path)
    return f"{folder.uri.rstrip('/')}/{uri_of(Path('/') / path).removeprefix('file:///')}"
