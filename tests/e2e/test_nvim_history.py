"""What the user types for codemoat is in no history that Neovim writes to its shada file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nvim_world import Editor, until

pytestmark = pytest.mark.e2e
TYPED = "why is API_KEY=a8F3kd92LmZx71QpWv04 refused"


@pytest.fixture
def editor() -> Iterator[Editor]:
    """An editor without a file, so without a server."""
    home = Path(tempfile.mkdtemp(prefix="cmn"))
    made = Editor(home, environment={})
    yield made
    made.close()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize("call", ['require("codemoat.chat").ask("")', 'require("codemoat.search").run("")'])
def test_nvim_forgets_what_was_typed(editor: Editor, call: str) -> None:
    editor.lua('vim.fn.histadd("@", "of another plugin")')
    editor.lua(
        f'local lsp = require("codemoat.lsp"); _G.asked = 0; lsp.any = function() _G.asked = _G.asked + 1 end; '
        f"lsp.ask = function() _G.asked = _G.asked + 1 end; vim.schedule(function() {call} end)"
    )
    until(lambda: editor.nvim.api.get_mode()["mode"] == "c", "the prompt")
    editor.nvim.input(TYPED + "<CR>")
    until(lambda: editor.lua("return _G.asked") > 0, "the question")
    assert editor.nvim.funcs.histget("@", -1) == "of another plugin"
    shada = editor.home / "written.shada"
    editor.nvim.command(f"set shada='100 | wshada! {shada}")
    assert b"of another plugin" in shada.read_bytes()
    assert b"a8F3kd92" not in shada.read_bytes()
