"""Commands of Neovim that are used before the language server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.nvim_world import Editor, until

pytestmark = pytest.mark.e2e


def clients(editor: Editor) -> int:
    return int(editor.lua("return #vim.lsp.get_clients({ name = 'codemoat' })"))


def test_nvim_a_command_without_a_file_starts_the_server_for_the_current_folder(
    make_editor: Any, repository: Path
) -> None:
    editor: Editor = make_editor()
    editor.nvim.command(f"cd {repository}")
    assert clients(editor) == 0
    editor.type(":Codemoat status<CR>")
    until(lambda: "Suggestions  automatic" in editor.screen.text(), "the status")
    assert "waiting for the server to start" in editor.message()
    editor.type("q")
    editor.wait_for_index()
    editor.type(":Codemoat search record_payment<CR>")
    found = until(lambda: editor.nvim.funcs.getqflist(), "what was found")
    assert Path(editor.nvim.funcs.bufname(found[0]["bufnr"])).name == "ledger.py"
    # A file that is opened later has the same server.
    editor.nvim.command(f"edit {repository / 'use.py'}")
    until(
        lambda: editor.lua("return require('codemoat.lsp').client(vim.api.nvim_get_current_buf()) ~= nil"), "the server"
    )
    assert clients(editor) == 1


def test_nvim_a_question_waits_for_server_and_index_and_has_the_file(make_editor: Any, repository: Path) -> None:
    editor: Editor = make_editor(options="enabled = function() return vim.g.may == 1 end")
    editor.nvim.command(f"edit {repository / 'use.py'}")
    assert clients(editor) == 0
    editor.nvim.command("let g:may = 1")
    editor.type(":1,3Codemoat ask What is ledger here?<CR>")
    assert editor.text[0] == "## What is ledger here?"
    until(lambda: any(line.startswith("- [1] use.py:1-3") for line in editor.text), "the lines as a source")
    assert not any("Waiting" in line for line in editor.text)
    assert any("Waiting: the index of this folder" in line for frame in editor.screen.frames for line in frame)
    until(lambda: not editor.lua("return require('codemoat.chat').busy()"), "the answer")


def test_nvim_a_question_that_waits_is_stopped(make_editor: Any, repository: Path) -> None:
    editor: Editor = make_editor(options='cmd = { "sleep", "1000" }')
    editor.nvim.command(f"cd {repository}")
    editor.type(":Codemoat chat Where is the ledger?<CR>")
    assert editor.text[-1] == "…"
    editor.type("<C-c>")
    assert editor.text[-1] == "*Stopped.*"


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ('{ "sleep", "1000" }', "the server did not start within 1 s"),
        ('{ "false" }', "the server ended while it started"),
        ('{ "no-such-server" }', "no-such-server was not found"),
    ],
)
def test_nvim_a_command_says_why_the_server_does_not_start(
    make_editor: Any, repository: Path, program: str, told: str
) -> None:
    editor: Editor = make_editor(options=f"cmd = {program}")
    editor.nvim.command(f"cd {repository}")
    editor.lua("require('codemoat.ready').patience = 600")
    editor.type(":Codemoat search record_payment<CR>")
    until(lambda: told in editor.message(), "the message")
    editor.type(":Codemoat chat Where is the ledger?<CR>")
    until(lambda: any(told in line for line in editor.text), "the message in the chat")
    assert not editor.lua("return require('codemoat.chat').busy()")


def test_nvim_a_command_after_a_crash_starts_the_server_at_once(make_editor: Any, repository: Path) -> None:
    editor: Editor = make_editor(repository / "use.py")
    editor.wait_for_index()
    editor.nvim.command(f"silent !kill -9 {editor.server_pid()}")
    until(lambda: not editor.status(), "the editor to notice")
    editor.type(":Codemoat search record_payment<CR>")
    until(lambda: editor.nvim.funcs.getqflist(), "what was found")
    assert clients(editor) == 1


def test_nvim_says_what_makes_a_folder_a_project_and_finds_it_then(make_editor: Any, tmp_path: Path) -> None:
    (tmp_path / "prices.py").write_text("def total_price(prices):\n    return sum(prices)\n")
    editor: Editor = make_editor(tmp_path / "prices.py")
    until(editor.status, "the server")
    for command in ("search total_price", "chat list"):
        editor.nvim.command("messages clear")
        editor.type(f":Codemoat {command}<CR>")
        until(lambda: "A folder with .git or .codemoat.toml" in editor.message(), "the message")
    editor.type(":Codemoat chat What is total_price?<CR>")
    until(lambda: "*no project is open. A folder with .git" in editor.text[-1], "the message in the chat")
    assert not editor.lua("return require('codemoat.chat').busy()")
    editor.nvim.command("close")
    (tmp_path / ".codemoat.toml").touch()
    editor.nvim.command("edit")
    editor.wait_for_index()
    editor.type(":Codemoat search total_price<CR>")
    until(lambda: editor.nvim.funcs.getqflist(), "what was found")
    assert clients(editor) == 1
