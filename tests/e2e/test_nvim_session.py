"""A session of Neovim (`:mksession`) that was saved with the chat open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.nvim_world import Editor, until

pytestmark = pytest.mark.e2e

QUESTION = "What does outstanding_balance return?"
CHAT = """
for _, win in ipairs(vim.api.nvim_list_wins()) do
  local buf = vim.api.nvim_win_get_buf(win)
  if vim.startswith(vim.api.nvim_buf_get_name(buf), "codemoat://chat") then
    return { win = win, lines = vim.api.nvim_buf_get_lines(buf, 0, -1, false), type = vim.bo[buf].buftype,
      changes = vim.bo[buf].modifiable, bar = vim.wo[win].winbar }
  end
end
return vim.empty_dict()
"""


def answered(editor: Editor) -> bool:
    return bool(editor.lua("return package.loaded['codemoat.chat'] ~= nil and not require('codemoat.chat').busy()"))


def saved_session(editor: Editor, path: Path) -> Path:
    editor.nvim.command("wincmd p")
    editor.nvim.command(f"mksession! {path}")
    editor.close()
    return path


def restored(make_editor: Any, session: Path, *more: str) -> Editor:
    editor: Editor = make_editor(Path("-S"), session)
    for command in more:
        editor.nvim.command(command)
    return editor


def test_nvim_session_brings_the_conversation_back(make_editor: Any, repository: Path, tmp_path: Path) -> None:
    first: Editor = make_editor(repository / "use.py")
    first.wait_for_index()
    first.type(f":Codemoat chat {QUESTION}<CR>")
    until(lambda: answered(first), "the answer")
    text = first.text
    editor = restored(make_editor, saved_session(first, tmp_path / "session.vim"))
    chat = until(lambda: (c := editor.lua(CHAT)) and c["lines"][0] == f"## {QUESTION}" and c, "the conversation")
    assert (chat["type"], chat["changes"]) == ("nofile", False)
    assert "i ask" in chat["bar"]
    assert [line for line in chat["lines"] if line] == [line for line in text if line]
    assert Path(editor.nvim.current.buffer.name) == repository / "use.py"
    assert not [line for line in editor.message().splitlines() if "rror" in line or line.startswith("E")]
    # The chat goes there, and on with the same conversation.
    editor.type(":Codemoat chat<CR>")
    assert editor.lua("return #vim.api.nvim_list_wins()") == 2
    editor.type("iWhere is it used?<CR>")
    until(lambda: answered(editor) and "## Where is it used?" in editor.text, "the answer")
    assert [head["questions"] for head in editor.ask("codemoat/chat/list")["conversations"]] == [2]


def test_nvim_session_with_a_chat_that_was_not_asked_yet(make_editor: Any, repository: Path, tmp_path: Path) -> None:
    first: Editor = make_editor(repository / "use.py")
    first.wait_for_index()
    first.type(":Codemoat chat<CR>")
    editor = restored(make_editor, saved_session(first, tmp_path / "session.vim"))
    chat = until(lambda: editor.lua(CHAT), "the chat")
    assert (chat["type"], chat["lines"]) == ("nofile", [""])
    assert "i ask" in chat["bar"]
    editor.type(f":Codemoat chat {QUESTION}<CR>")
    until(lambda: answered(editor) and len(editor.text) > 2, "the answer")
    assert editor.text[0] == f"## {QUESTION}"
    assert editor.lua("return #vim.api.nvim_list_wins()") == 2


def test_nvim_session_whose_conversation_is_gone(make_editor: Any, repository: Path, tmp_path: Path) -> None:
    first: Editor = make_editor(repository / "use.py")
    first.wait_for_index()
    first.type(f":Codemoat chat {QUESTION}<CR>")
    until(lambda: answered(first), "the answer")
    first.type(":Codemoat chat<CR>")
    session = tmp_path / "session.vim"
    first.nvim.command(f"mksession! {session}")
    first.type(":Codemoat chat delete<CR>")
    until(lambda: first.ask("codemoat/chat/list")["conversations"] == [], "the end of it")
    first.close()
    editor = restored(make_editor, session)
    until(lambda: any("was not opened" in line for line in editor.lua(CHAT)["lines"]), "the reason")
    editor.type(f":Codemoat chat new<CR>:Codemoat chat {QUESTION}<CR>")
    until(lambda: answered(editor) and len(editor.text) > 2, "the answer")
    assert editor.text[0] == f"## {QUESTION}"


def test_nvim_session_takes_the_place_of_a_chat_that_is_open(
    make_editor: Any, repository: Path, tmp_path: Path
) -> None:
    editor: Editor = make_editor(repository / "use.py")
    editor.wait_for_index()
    editor.type(f":Codemoat chat {QUESTION}<CR>")
    until(lambda: answered(editor), "the answer")
    session = tmp_path / "session.vim"
    editor.nvim.command(f"mksession! {session}")
    editor.type(":Codemoat chat new<CR>")
    editor.nvim.command(f"silent source {session}")
    until(lambda: (c := editor.lua(CHAT)) and c["lines"][0] == f"## {QUESTION}", "the conversation")
    names = [b.name for b in editor.nvim.buffers if b.name.startswith("codemoat://")]
    until(lambda: len([b for b in editor.nvim.buffers if b.name.startswith("codemoat://")]) == 1, f"one of {names}")
