"""Buffers of Neovim that are not files or not code: no server is started for them, and nothing is suggested in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.nvim_world import Editor, until

pytestmark = pytest.mark.e2e

SCHEMES = ("oil://{0}/", "fugitive://{0}/.git//0/use.py", "scp://host//books/use.py", "gitsigns://{0}/.git//:0:use.py")
ATTACHED = """
local found = {}
for _, client in ipairs(vim.lsp.get_clients({ name = "codemoat", _uninitialized = true })) do
  for buf in pairs(client.attached_buffers) do
    found[#found + 1] = vim.api.nvim_buf_get_name(buf)
  end
end
return found
"""


@pytest.fixture
def editor(shared_editor: Editor, shared_repository: Path) -> Iterator[Editor]:
    shared_editor.renew(shared_repository / "use.py")
    until(lambda: shared_editor.lua(ATTACHED), "the server")
    yield shared_editor
    shared_editor.lua("require('codemoat.config').options.settings = vim.empty_dict()")


def open_buffer(editor: Editor, name: str, kind: str) -> None:
    """As plugins make theirs: a name, text, a file type."""
    editor.lua(
        """
        local name, kind = ...
        local buf = vim.api.nvim_create_buf(true, false)
        vim.api.nvim_buf_set_name(buf, name)
        vim.api.nvim_buf_set_lines(buf, 0, -1, false, { "from ledger import Ledger", "ledger = Ledger()" })
        vim.api.nvim_set_current_buf(buf)
        vim.bo[buf].filetype = kind
        """,
        name,
        kind,
    )


def sees_nothing(editor: Editor, name: str, other: Path) -> None:
    """A file that is opened afterwards is attached to, and the buffer is not."""
    editor.type("Goledger.rec<Esc>")
    assert editor.ghost() == ""
    editor.nvim.command(f"hide edit {other}")
    attached = until(lambda: (found := editor.lua(ATTACHED)) and str(other) in found and found, "the file")
    assert name not in attached


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nvim_buffers_with_a_scheme(editor: Editor, shared_repository: Path, scheme: str) -> None:
    name = scheme.format(shared_repository)
    open_buffer(editor, name, "python")
    assert editor.nvim.current.buffer.name == name
    editor.type(":Codemoat why<CR>")
    until(lambda: "this buffer is not a file" in editor.message(), "the reason")
    sees_nothing(editor, name, shared_repository / "ledger.py")


def test_nvim_a_folder(editor: Editor, shared_repository: Path) -> None:
    open_buffer(editor, str(shared_repository), "python")
    sees_nothing(editor, str(shared_repository), shared_repository / "ledger.py")


def test_nvim_commit_messages_unless_they_are_turned_on(editor: Editor, shared_repository: Path) -> None:
    message = shared_repository / ".git" / "COMMIT_EDITMSG"
    message.write_text("\n# On branch main\n")
    editor.nvim.command(f"edit {message}")
    assert editor.nvim.eval("&filetype") == "gitcommit"
    editor.type(":Codemoat why<CR>")
    until(lambda: "gitcommit is not code" in editor.message(), "the reason")
    editor.type("a<Cmd>messages clear<CR><Cmd>Codemoat suggest<CR>")
    until(lambda: "gitcommit is not code" in editor.message(), "the reason")
    editor.type("<Esc>:%delete<CR>")
    editor.nvim.command("set nomodified")
    sees_nothing(editor, str(message), shared_repository / "ledger.py")
    editor.nvim.command("bwipeout!")
    editor.lua("require('codemoat').setup(vim.tbl_deep_extend('force', require('codemoat.config').options, ...))",
               {"settings": {"editor": {"languages_on": ["gitcommit"]}}})  # fmt: skip
    editor.nvim.command(f"edit! {message}")
    until(lambda: str(message) in editor.lua(ATTACHED), "the server")
    editor.type("iFix the ")

    def is_on() -> bool:
        # A key may come before the settings have an effect; a later one does not.
        why = editor.ask("codemoat/why")
        if why.get("uri") == message.as_uri() and why["outcome"] != "off":
            return True
        editor.type("x")
        return False

    until(is_on, "a suggestion, or word that there is none")


def test_nvim_starts_no_server_in_a_folder_or_for_a_commit(make_editor: Any, repository: Path) -> None:
    message = repository / ".git" / "COMMIT_EDITMSG"
    message.write_text("\n# On branch main\n")
    for opened in (repository, message):
        editor: Editor = make_editor(opened)
        # The first file type lets the plugin look at all buffers; then there is nothing that it waits for.
        until(lambda e=editor: e.lua("return package.loaded['codemoat.lsp'] ~= nil"), "the plugin")
        editor.lua("vim.wait(0)")
        assert editor.lua("return #vim.lsp.get_clients({ _uninitialized = true })") == 0
        assert editor.server_pid() == 0
        # The first file of the same editor starts it.
        editor.nvim.command(f"edit! {repository / 'use.py'}")
        until(lambda e=editor: e.lua(ATTACHED), "the server")
        assert editor.lua(ATTACHED) == [str(repository / "use.py")]
