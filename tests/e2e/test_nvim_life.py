"""The server's life under a real Neovim: killed, without a model, without itself; and what the health check says."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from assistant.llama.hosts import host_status
from tests.nvim_world import WHOLE, Editor, until

pytestmark = pytest.mark.e2e

HEALTH = "checkhealth codemoat"


def test_nvim_starts_a_killed_server_again(make_editor: Any, repository: Path) -> None:
    editor: Editor = make_editor(repository / "use.py")
    editor.wait_for_index()
    first = editor.server_pid()
    os.kill(first, signal.SIGKILL)
    until(lambda: not editor.status(), "the editor to notice")
    until(lambda: editor.status() and editor.server_pid() not in (0, first), "another server")
    editor.wait_for_index()
    editor.type("Goledger.rec")
    assert editor.wait_for_ghost().startswith("ord_payment(")


def test_nvim_goes_on_when_the_model_dies_in_mid_completion(
    make_editor: Any, repository: Path, runtime_dir: Path
) -> None:
    editor: Editor = make_editor(repository / "use.py")
    editor.wait_for_index()
    editor.type("Goledger.rec")
    until(editor.ghost, "the first words")
    for host in host_status(runtime_dir):
        os.kill(host.pid, signal.SIGKILL)
    editor.type("<Esc>oledger.outsta")
    assert editor.text[-1] == "ledger.outsta"
    place = len(editor.text) - 1, len("ledger.outsta")

    def suggested() -> str:
        """What is typed before another host is there may be answered with nothing, so a letter is typed once more."""
        before = editor.ask("codemoat/why").get("id")
        editor.type("<BS>a")

        def answered() -> bool:
            if editor.lua(WHOLE):
                return True
            why = editor.ask("codemoat/why")
            here = (why.get("line"), why.get("character")) == place
            return here and why["id"] != before and why["outcome"] in ("failed", "nothing")

        until(answered, "an answer")
        return str(editor.lua(WHOLE))

    assert until(suggested, "a suggestion of another host").startswith("nding_balance")


def test_nvim_starts_anew_with_the_index_that_is_there(make_editor: Any, repository: Path) -> None:
    first: Editor = make_editor(repository / "use.py")
    first.wait_for_index()
    generation = first.status()["folders"][0]["generation"]
    first.close()
    again: Editor = make_editor(repository / "use.py")
    again.wait_for_index()
    folder = again.status()["folders"][0]
    assert (folder["files"], folder["generation"]) == (2, generation)


def test_nvim_offers_a_missing_model_and_lets_typing_go_on(make_editor: Any, repository: Path, tmp_path: Path) -> None:
    editor: Editor = make_editor(
        repository / "use.py",
        model="qwen2.5-coder-0.5b",
        environment={"CODEMOAT_DATA_DIR": str(tmp_path / "none")},
    )
    editor.type("Goledger.")
    until(lambda: ":Codemoat fetch" in editor.message(), "the offer")
    assert "is not on this machine" in editor.message()
    editor.type("rec")
    assert editor.text[-1] == "ledger.rec"
    until(lambda: editor.lua("return require('codemoat').statusline()") == "codemoat: no model", "the statusline")
    editor.lua("""
        vim.ui.select = function(items, options, choose)
          vim.g.asked = { options.prompt, options.format_item(items[1]), options.format_item(items[2]) }
          choose(items[2])
        end
    """)
    editor.type("<Esc>:Codemoat fetch<CR>")
    prompt, fetch, later = until(lambda: editor.nvim.vars.get("asked"), "the question")
    assert "qwen2.5-coder-0.5b" in prompt
    assert fetch.startswith("Fetch it (")
    assert later == "Not now"
    editor.nvim.command(HEALTH)
    assert "codemoat models pull qwen2.5-coder-0.5b" in "\n".join(editor.text)


def test_nvim_health_tells_what_is_there(make_editor: Any, repository: Path) -> None:
    editor: Editor = make_editor(repository / "use.py")
    editor.wait_for_index()
    editor.nvim.command(HEALTH)
    text = "\n".join(editor.text)
    assert "ERROR" not in text
    assert "WARNING" not in text
    for part in ("It runs for 1 buffers", ".gguf: ", f"{repository}: ready, 2 files", "drawn by the plugin"):
        assert part in text


def test_nvim_tells_once_where_there_is_no_server(make_editor: Any, repository: Path) -> None:
    editor: Editor = make_editor(repository / "use.py", options='cmd = { "no-such-server" }')
    until(lambda: "no-such-server was not found" in editor.message(), "the message")
    editor.nvim.command(f"edit {repository / 'ledger.py'}")
    assert editor.message().count("was not found") == 1
    editor.nvim.command(HEALTH)
    assert "make install" in "\n".join(editor.text)


def test_nvim_uses_one_server_for_two_repositories(make_editor: Any, repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    (other / "more.py").write_text("def more():\n    return 1\n")
    editor: Editor = make_editor(repository / "use.py")
    editor.wait_for_index()
    editor.nvim.command(f"edit {other / 'more.py'}")
    until(lambda: len(editor.status().get("folders", ())) == 2, "the second folder")
    assert editor.lua("return #vim.lsp.get_clients({ name = 'codemoat' })") == 1


def test_nvim_commands_of_the_server(make_editor: Any, repository: Path) -> None:
    editor: Editor = make_editor(repository / "use.py")
    editor.wait_for_index()
    assert {"ask", "chat", "search", "why", "status", "toggle"} <= set(
        editor.nvim.funcs.getcompletion("Codemoat ", "cmdline")
    )
    assert editor.nvim.funcs.getcompletion("Codemoat index re", "cmdline") == ["rebuild"]
    editor.type(":Codemoat snooze 5<CR>")
    until(lambda: editor.lua("return require('codemoat').statusline()") == "codemoat: snoozed", "the statusline")
    editor.type(":Codemoat snooze 0<CR>")
    until(lambda: editor.lua("return require('codemoat').statusline()") != "codemoat: snoozed", "the statusline")
    editor.type(":Codemoat toggle<CR>")
    until(lambda: "suggestions in python are off" in editor.message(), "the message")
    editor.type(":Codemoat toggle<CR>")
    until(lambda: "suggestions in python are on" in editor.message(), "the message")
    editor.type(":Codemoat status<CR>")
    until(lambda: "Suggestions  automatic" in editor.screen.text(), "the status")
    editor.type("qGoledger.rec")
    editor.wait_for_ghost()
    editor.type("<Esc>:Codemoat why<CR>")
    until(lambda: "suggested: The model completed" in editor.screen.text(), "why")
    editor.type("q:Codemoat nonsense<CR>")
    until(lambda: "there is no :Codemoat nonsense" in editor.message(), "the message")
