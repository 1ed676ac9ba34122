"""Conversations and search in a real Neovim, with the real server and model."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from assistant.llama.hosts import host_status
from tests.nvim_world import Editor, until

LONG = "What does the class Ledger do, what does record_payment note and what does outstanding_balance say?"

pytestmark = pytest.mark.e2e


@pytest.fixture
def editor(shared_editor: Editor, shared_repository: Path) -> Editor:
    shared_editor.renew(shared_repository / "use.py")
    shared_editor.nvim.command("Codemoat chat new")
    shared_editor.nvim.command("close")
    return shared_editor


def answered(editor: Editor) -> bool:
    return bool(editor.lua("return package.loaded['codemoat.chat'] ~= nil and not require('codemoat.chat').busy()"))


def test_nvim_chat_streams_an_answer_and_jumps_to_its_source(editor: Editor) -> None:
    editor.type(":Codemoat chat What does outstanding_balance return?<CR>")
    until(lambda: "ledger.py:" in editor.screen.text(), "sources")
    source = until(lambda: next((x for x in editor.text if x.startswith("- [1] ")), ""), "a source")
    before = len(editor.text[-1])
    until(lambda: len(editor.text[-1]) > before or answered(editor), "the first words")
    until(lambda: answered(editor), "the answer")
    first = "\n".join(editor.text)
    assert first.startswith("## What does outstanding_balance return?\n")
    assert len(first.split(source)[1].strip()) > 20
    # It came in pieces: the screen grew.
    lengths = {len("".join(frame)) for frame in editor.screen.frames if source[2:] in "\n".join(frame)}
    assert len(lengths) > 3

    editor.type("gg/\\[1\\]<CR><CR>")
    assert Path(editor.nvim.current.buffer.name).name == source.split("] ")[1].split(":")[0]
    line = int(source.split(":")[1].split("-")[0])
    assert editor.nvim.current.window.cursor[0] == line

    # A follow-up goes on with the same conversation.
    editor.type(":Codemoat chat<CR>iWhere is it used?<CR>")
    until(lambda: any("Where is it used?" in line for line in editor.text), "the second question")
    until(lambda: answered(editor), "the second answer")
    found = editor.ask("codemoat/chat/list")
    assert [head["questions"] for head in found["conversations"]] == [2]


def test_nvim_chat_cites_and_goes_where_it_cites(editor: Editor) -> None:
    editor.type(":Codemoat chat What does record_payment do?<CR>")
    until(lambda: answered(editor), "the answer")
    assert any(re.search(r"\[(\d+|ledger.py:\d+-\d+)\]", line) for line in editor.text if line[:3] != "- ["), (
        editor.text
    )
    # A number goes to that source from anywhere in the buffer.
    editor.type("gg1<CR>")
    assert Path(editor.nvim.current.buffer.name).suffix == ".py"


def test_nvim_chat_is_stopped_and_keeps_what_was_said(editor: Editor) -> None:
    editor.type(f":Codemoat chat {LONG}<CR>")
    until(lambda: any(line.startswith("- [1] ") for line in editor.text), "the sources")
    said = len("\n".join(editor.text))
    until(lambda: len("\n".join(editor.text)) > said + 10, "the first words")
    editor.type("<C-c>")
    until(lambda: answered(editor), "the end")
    assert editor.text[-1] == "*Stopped.*"
    # The conversation goes on.
    editor.type(":Codemoat chat And in one word?<CR>")
    until(lambda: answered(editor) and "And in one word?" in editor.screen.text(), "the next answer")
    assert "*Stopped.*" in editor.text[: editor.text.index("## And in one word?")]


RECORD = """
local chat = require("codemoat.chat")
Events, Handle = {}, Handle or chat.on_event
chat.on_event = function(event)
  Events[#Events + 1] = event
  Handle(event)
end
"""
NEW_TEXT = """
local all = ""
for _, event in ipairs(Events) do
  all = all .. (event.token > ... and event.text or "")
end
return all
"""
LATE = "for _, event in ipairs(Events) do if event.token == ... then Handle(event) end end"


def begin_long_answer(editor: Editor) -> int:
    """Ask, wait for the first words, and return the token of the answer's events."""
    editor.lua(RECORD)
    editor.type(f":Codemoat chat {LONG}<CR>")
    until(lambda: any(line.startswith("- [1] ") for line in editor.text), "the sources")
    said = len("\n".join(editor.text))
    until(lambda: len("\n".join(editor.text)) > said + 10, "the first words")
    return int(editor.lua("return Events[#Events].token"))


def test_nvim_chat_new_stops_the_answer_and_nothing_of_it_comes_later(editor: Editor) -> None:
    saved = len(editor.ask("codemoat/chat/list")["conversations"])
    old = begin_long_answer(editor)
    editor.type(":Codemoat chat new<CR>")
    assert editor.text == [""]
    assert answered(editor)
    editor.lua(LATE, old)
    assert editor.text == [""]
    editor.type(":Codemoat chat What does record_payment do?<CR>")
    editor.lua(LATE, old)
    until(lambda: answered(editor), "the answer")
    editor.lua(LATE, old)
    assert editor.text[0] == "## What does record_payment do?"
    assert len([line for line in editor.text if line.startswith("## ")]) == 1
    assert LONG not in "\n".join(editor.text)
    answer = editor.lua(NEW_TEXT, old)
    assert "\n".join(editor.text).endswith(answer)
    # Two conversations of one question; the server ended the old answer.
    found = until(lambda: (heads := editor.ask("codemoat/chat/list")["conversations"])[saved + 1 :] and heads, "both")
    assert [head["questions"] for head in found[:2]] == [1, 1]
    editor.type(":Codemoat chat And in one word?<CR>")
    until(lambda: answered(editor), "the follow-up")
    assert editor.ask("codemoat/chat/list")["conversations"][0]["title"].startswith("What does record_payment do?")


def test_nvim_chat_an_earlier_conversation_takes_the_place_of_an_answer(editor: Editor) -> None:
    editor.type(":Codemoat chat Where is rent?<CR>")
    until(lambda: answered(editor), "the first conversation")
    editor.type(":Codemoat chat new<CR>")
    old = begin_long_answer(editor)
    editor.lua("""
        vim.ui.select = function(items, options, choose)
          for _, item in ipairs(items) do
            if item.title == "Where is rent?" then
              return choose(item)
            end
          end
        end
    """)
    editor.type(":Codemoat chat list<CR>")
    until(lambda: editor.text[0] == "## Where is rent?", "the first conversation")
    shown = editor.text
    editor.lua(LATE, old)
    assert editor.text == shown
    assert LONG not in "\n".join(shown)
    # The conversation that was left keeps what was said.
    editor.lua("""
        vim.ui.select = function(items, options, choose)
          for _, item in ipairs(items) do
            if vim.startswith(item.title, "What does the class Ledger do") then
              return choose(item)
            end
          end
        end
    """)
    editor.type(":Codemoat chat list<CR>")
    until(lambda: editor.text[0] == f"## {LONG}", "the conversation that was left")
    assert editor.text[-1] == "*Stopped.*"


def test_nvim_chat_buffer_may_be_wiped_out_while_it_is_answered(editor: Editor) -> None:
    begin_long_answer(editor)
    editor.type(":bwipeout!<CR>:messages clear<CR>")
    until(lambda: answered(editor), "the answer")
    assert editor.message() == ""
    editor.type(":Codemoat chat<CR>")
    until(lambda: editor.text[0] == f"## {LONG}", "the conversation")


def test_nvim_chat_tells_when_the_model_dies_and_answers_the_next_question(editor: Editor, runtime_dir: Path) -> None:
    editor.type(f":Codemoat chat {LONG}<CR>")
    until(lambda: any(line.startswith("- [1] ") for line in editor.text), "the sources")
    said = len("\n".join(editor.text))
    until(lambda: len("\n".join(editor.text)) > said + 10, "the first words")
    for host in host_status(runtime_dir):
        os.kill(host.pid, signal.SIGKILL)
    until(lambda: answered(editor), "the end")
    last = next(line for line in reversed(editor.text) if line)
    assert "model" in last
    assert last.endswith("*")
    editor.type(":Codemoat chat What does record_payment do?<CR>")
    until(lambda: answered(editor) and "\n".join(editor.text).count("- [1] ") == 2, "the next answer")
    assert not editor.text[-1].endswith("*")


def test_nvim_asks_about_a_range(editor: Editor) -> None:
    editor.type(":1,3Codemoat ask What is ledger here?<CR>")
    until(lambda: any("use.py:1-3" in line for line in editor.text), "the question")
    until(lambda: answered(editor), "the answer")
    assert any(line.startswith("- [") and "use.py:1-3" in line for line in editor.text), editor.text


def test_nvim_puts_what_it_finds_into_the_quickfix_list(editor: Editor, shared_repository: Path) -> None:
    editor.type(":Codemoat search what is still owed<CR>")
    until(lambda: editor.nvim.funcs.getqflist(), "the list")
    assert editor.nvim.funcs.getqflist({"title": 1})["title"] == "codemoat: what is still owed"
    until(lambda: "ledger.py|" in editor.screen.text(), "the window")
    editor.type("<CR>")
    assert Path(editor.nvim.current.buffer.name) == shared_repository / "ledger.py"


def test_nvim_search_lets_choose(editor: Editor) -> None:
    editor.lua("""
        require("codemoat.config").options.picker = "select"
        vim.ui.select = function(items, options, choose)
          vim.g.shown = options.format_item(items[1])
          choose(items[1])
        end
    """)
    editor.type(":Codemoat search record_payment<CR>")
    shown = until(lambda: editor.nvim.vars.get("shown"), "the choice")
    until(lambda: Path(editor.nvim.current.buffer.name).name == shown.split(":")[0], "the jump")
