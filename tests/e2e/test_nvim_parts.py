"""Around the Neovim plugin: its help, its installation, pickers of others, the drawing of Neovim 0.12, settings."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.editor_section import NOT_CODE
from tests.nvim_world import PLUGIN, ROOT, Editor, until

pytestmark = pytest.mark.e2e


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder with a short path."""
    folder = Path(tempfile.mkdtemp(prefix="cmn"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def plain(home: Path) -> Iterator[Editor]:
    """An editor without a file, so without a server."""
    made = Editor(home, environment={})
    yield made
    made.close()


def test_nvim_help_has_a_tag_for_everything_it_names(plain: Editor, tmp_path: Path) -> None:
    shutil.copytree(PLUGIN / "doc", tmp_path / "doc", ignore=shutil.ignore_patterns("tags"))
    plain.nvim.command(f"set rtp^={tmp_path}")
    plain.nvim.command(f"helptags {tmp_path / 'doc'}")
    help_text = (PLUGIN / "doc" / "codemoat.txt").read_text()
    made = (tmp_path / "doc" / "tags").read_text()
    # No way to install it needs `:helptags`.
    assert (PLUGIN / "doc" / "tags").read_text() == made, "Run nvim +'helptags editors/nvim/doc' +qa."
    tags = [line.split("\t")[0] for line in made.splitlines()]
    for tag in (*tags, *re.findall(r"\|(codemoat[^|]*)\|", help_text)):
        plain.nvim.command(f"help {tag}")
        assert plain.text[0].startswith("*codemoat.txt*")
    # What can be typed stands in it.
    commands = plain.nvim.funcs.getcompletion("Codemoat ", "cmdline")
    assert [name for name in commands if f"Codemoat {name}" not in help_text] == []
    mappings = plain.lua("return vim.tbl_map(function(m) return m.lhs end, vim.api.nvim_get_keymap('i'))")
    ours = [name for name in mappings if "codemoat" in name]
    assert len(ours) == 7
    assert [name for name in ours if name not in help_text] == []
    assert all(len(line) <= 78 for line in help_text.splitlines())


def test_nvim_leaves_out_only_what_the_server_does() -> None:
    source = (PLUGIN / "lua" / "codemoat" / "buffers.lua").read_text()
    listed = re.search(r"local NOT_CODE = \{(.*?)\}", source, re.DOTALL)
    assert listed is not None
    names = set(re.findall(r'"([^"]+)"', listed[1]))
    assert "gitcommit" in names
    assert names <= NOT_CODE


CHAT_STUB = """
package.loaded['codemoat.ready'] = { run = function(go) go({ id = 1, workspace_folders = { {} } }) end }
require('codemoat.lsp').request = function() end
"""


def test_nvim_chat_shows_why_an_answer_waits_until_it_begins(plain: Editor) -> None:
    def told(conversation: str | None = "c", **event: Any) -> list[str]:
        event = {"token": 1, "conversation": conversation, **event}
        found: list[str] = plain.lua("require('codemoat.chat').on_event(...) return vim.fn.getline(1, '$')", event)
        return found

    plain.lua(CHAT_STUB)
    plain.lua("require('codemoat.chat').ask('Q')")
    # A new conversation has no id while the index is built for the first time.
    assert told(None, kind="waiting", reason="index", text="Waiting: the index…")[-1] == "Waiting: the index…"
    assert plain.nvim.current.buffer.name.endswith("codemoat://chat")
    assert told(None, kind="waiting", reason="", text="")[-1] == "…"
    assert told(kind="sources", sources=[])[-1] == "…"
    for text in ("Waiting: completions are being written…", "Waiting: another question…"):
        assert told(kind="waiting", reason="x", text=text)[-1] == text
    assert told(kind="waiting", reason="", text="")[-1] == "…"
    told(kind="waiting", reason="x", text="Waiting: x…")
    assert told(kind="of a later version") == ["## Q", "", "Waiting: x…"]
    # What comes of another answer is dropped.
    assert told(kind="delta", text="No.", token=2) == ["## Q", "", "Waiting: x…"]
    assert told(kind="delta", text="Yes.") == ["## Q", "", "Yes."]


def test_nvim_chat_may_be_wiped_out_while_an_answer_waits(plain: Editor) -> None:
    plain.lua(CHAT_STUB)
    plain.lua("require('codemoat.chat').ask('Q')")
    plain.nvim.command("bwipeout!")
    for kind, text in (("waiting", "Waiting: x…"), ("waiting", ""), ("delta", "Yes.")):
        event = {"token": 1, "conversation": "c", "kind": kind, "text": text}
        plain.lua("require('codemoat.chat').on_event(...)", event)
    plain.lua("require('codemoat.chat_view').open()")
    assert plain.text == [""]


STUB_SERVER = """
local lsp, client = require('codemoat.lsp'), { id = 1, name = 'codemoat', offset_encoding = 'utf-8' }
asked = {}
lsp.client = function() return client end
lsp.notify, lsp.cancel = function() end, function() end
lsp.request = function(_, _, params)
  local trigger = params.context.triggerKind == 1 and 'invoked' or 'automatic'
  asked[#asked + 1] = ('%s at %d:%d'):format(trigger, params.position.line, params.position.character)
  return #asked
end
require('codemoat.events').attach(0, client)
"""
SCHEDULED = "local d vim.schedule(function() d = true end) vim.wait(5000, function() return d end) return asked"


@pytest.mark.parametrize(("keys", "end"), [("ix", "0:1"), ("Axy", "0:6"), ("cwab", "0:2"), ("ox", "1:1")])
def test_nvim_asks_once_for_one_place_where_somebody_types_at_once(plain: Editor, keys: str, end: str) -> None:
    plain.nvim.current.buffer[:] = ["alph"]
    plain.lua(STUB_SERVER)
    plain.type(keys)
    until(lambda: plain.lua("return asked[#asked]") == f"automatic at {end}", "the request")
    found = plain.lua(SCHEDULED)
    assert len(set(found)) == len(found)
    # By hand it is another request, and that one again is not.
    for _ in range(2):
        plain.lua("require('codemoat.ghost').request(true)")
        assert plain.lua("return asked") == [*found, f"invoked at {end}"]


def test_nvim_plugin_installed_as_the_read_me_says(home: Path, repository: Path, runtime_dir: Path) -> None:
    block = re.search(r"```sh\n(.*?)```", (PLUGIN / "README.md").read_text(), re.DOTALL)
    assert block is not None
    install, *steps = block[1].strip().splitlines()
    assert install == "make install"
    # As that links it; the folder is on nobody's PATH.
    server = home / ".local" / "bin" / "codemoat-lsp"
    server.parent.mkdir(parents=True)
    server.write_text(f"#!/bin/sh\nexec {sys.executable} -m lsp\n")
    server.chmod(0o755)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    assert len(steps) == 2
    subprocess.run("\n".join(steps), shell=True, check=True, cwd=ROOT, env=environment)
    folders = {f"CODEMOAT_{name}_DIR": str(home / name) for name in ("CACHE", "CONFIG", "DATA")}
    environment |= {**folders, "CODEMOAT_RUNTIME_DIR": str(runtime_dir)}
    editor = Editor(home, environment=environment, arguments=(str(repository / "use.py"),), installed=True)
    try:
        editor.wait_for_index()
        assert editor.lua("return require('codemoat').statusline()").startswith("codemoat")
        editor.nvim.command("help codemoat")
        assert editor.text[0].startswith("*codemoat.txt*")
    finally:
        editor.close()


def test_nvim_help_is_there_with_a_folder_on_the_runtime_path(plain: Editor) -> None:
    plain.nvim.command("help codemoat")
    assert plain.text[0].startswith("*codemoat.txt*")


def colours(editor: Editor, group: str) -> dict[str, Any]:
    return dict(editor.lua("return vim.api.nvim_get_hl(0, { name = ..., link = false })", group))


def test_nvim_a_suggestion_has_a_colour_with_every_colour_scheme(plain: Editor) -> None:
    plain.lua("vim.o.termguicolors = false; require('codemoat.render')")
    schemes = ["default", *plain.nvim.funcs.getcompletion("", "color"), "default"]
    assert len(schemes) > 10
    for background in ("dark", "light"):
        plain.nvim.command(f"set background={background}")
        for scheme in schemes:
            plain.nvim.command(f"colorscheme {scheme}")
            found = colours(plain, "CodemoatSuggestion")
            assert "ctermfg" in found, scheme
            comment = colours(plain, "Comment")
            assert found.get("fg") == comment.get("fg"), scheme
            assert found["ctermfg"] == comment.get("ctermfg", 244), scheme
            assert colours(plain, "CodemoatReplaced")["strikethrough"], scheme


def test_nvim_leaves_the_user_s_colours_as_they_are(home: Path) -> None:
    scheme = home / "colors" / "mine.vim"
    scheme.parent.mkdir()
    scheme.write_text("hi clear\nlet g:colors_name = 'mine'\nhi CodemoatSuggestion ctermfg=3\n")
    early = ("--cmd", "hi CodemoatSuggestion ctermfg=5 guifg=#123456", "--cmd", f"set rtp+={home}")
    editor = Editor(home, environment={}, arguments=early)
    try:
        editor.lua("require('codemoat.render')")
        editor.nvim.command("set background=light")
        assert colours(editor, "CodemoatSuggestion") == {"ctermfg": 5, "fg": 0x123456}
        # A colour scheme may have its own, and the next one takes that away.
        editor.nvim.command("colorscheme mine")
        assert colours(editor, "CodemoatSuggestion") == {"ctermfg": 3}
        editor.nvim.command("colorscheme habamax")
        assert colours(editor, "CodemoatSuggestion") == colours(editor, "Comment")
    finally:
        editor.close()


FAKES = {
    "telescope/init.lua": "return {}",
    "telescope/config.lua": "return { values = { grep_previewer = tostring, generic_sorter = tostring } }",
    "telescope/finders.lua": "return { new_table = function(o) return vim.tbl_map(o.entry_maker, o.results) end }",
    "telescope/pickers.lua": """
        return { new = function(_, o)
          return { find = function() vim.g.picked = { "telescope", o.prompt_title, o.finder[1].filename } end }
        end }""",
    "fzf-lua/init.lua": """
        return { fzf_exec = function(lines, o)
          o.actions.default({ lines[1] }, {})
          vim.g.picked = { "fzf-lua", o.prompt, lines[1] }
        end }""",
    "fzf-lua/actions.lua": "return { file_edit = function(chosen) vim.g.edited = chosen[1] end }",
}


@pytest.fixture
def picking(shared_editor: Editor, shared_repository: Path, tmp_path: Path) -> Iterator[Any]:
    """An editor in which one of the pickers is installed."""
    shared_editor.renew(shared_repository / "use.py")

    def install(name: str) -> Editor:
        for path, code in FAKES.items():
            if path.startswith(name):
                (tmp_path / "lua" / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / "lua" / path).write_text(code)
        shared_editor.nvim.command(f"set rtp^={tmp_path}")
        return shared_editor

    yield install
    shared_editor.nvim.command(f"set rtp-={tmp_path}")
    shared_editor.lua("for name in pairs(package.loaded) do package.loaded[name:match('^telescope.*') or ''] = nil end")


def test_nvim_search_shows_what_it_found_in_telescope(picking: Any, shared_repository: Path) -> None:
    editor = picking("telescope")
    editor.type(":Codemoat search record_payment<CR>")
    picked = until(lambda: editor.nvim.vars.get("picked"), "the picker")
    assert picked == ["telescope", "codemoat: record_payment", str(shared_repository / "ledger.py")]
    del editor.nvim.vars["picked"]


def test_nvim_search_shows_what_it_found_in_fzf_lua(picking: Any) -> None:
    editor = picking("fzf-lua")
    editor.type(":Codemoat search record_payment<CR>")
    name, prompt, line = until(lambda: editor.nvim.vars.get("picked"), "the picker")
    assert (name, prompt) == ("fzf-lua", "record_payment> ")
    assert re.search(r"ledger\.py:\d+:1:", line)
    # It opens a file at a line, as fzf-lua reads it.
    assert editor.nvim.vars["edited"] == line


def test_nvim_search_tells_once_what_is_damaged(plain: Editor, tmp_path: Path) -> None:
    plain.lua("""
        require("codemoat.lsp").ask = function(_, _, answer) answer(vim.g.found) end
        vim.notify = function(text, level) vim.g.told = vim.list_extend(vim.g.told or {}, { { text, level } }) end
    """)
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
    hit = {"uri": (tmp_path / "a.py").as_uri(), "path": "a.py", "range": place, "symbol": "f", "text": "def f(): ..."}
    hit |= {"matchLine": 0, "preview": [{"line": 0, "text": "def f(): ..."}]}
    problem = "The index is damaged: a segment is missing."
    for hits, told in (([hit], problem), ([], f"nothing found. {problem}")):
        plain.nvim.vars["found"] = {"hits": hits, "stale": False, "problem": problem}
        plain.nvim.vars["told"] = []
        plain.lua("require('codemoat.search').run('f')")
        assert [text for text, _ in plain.nvim.vars["told"]] == [f"codemoat: {told}"]
    plain.nvim.vars["found"] = {"hits": [hit], "stale": False, "problem": ""}
    plain.nvim.vars["told"] = []
    plain.lua("require('codemoat.search').run('f')")
    assert plain.nvim.vars["told"] == []


def test_nvim_settings_apply_at_once_and_wrong_ones_are_told(shared_editor: Editor, shared_repository: Path) -> None:
    editor = shared_editor
    editor.renew(shared_repository / "use.py")
    editor.lua("require('codemoat').setup({ settings = { editor = { automatic = false } }, nativ = true })")
    assert "nativ is no option" in editor.message()
    until(lambda: not editor.ask("codemoat/status")["suggestions"]["automatic"], "the setting")
    editor.lua("vim.cmd('messages clear') require('codemoat').setup({ settings = { editor = { automatik = true } } })")
    until(lambda: "editor.automatik" in editor.message(), "the warning")
    assert editor.ask("codemoat/status")["suggestions"]["automatic"]


def test_nvim_lets_the_editor_draw(make_editor: Any, repository: Path, home: Path) -> None:
    plain = Editor(home, environment={})
    drawing = plain.lua("return vim.lsp.inline_completion ~= nil")
    plain.close()
    if not drawing:
        pytest.skip("Neovim draws by itself from 0.12 on")
    editor: Editor = make_editor(repository / "use.py", options="native = true")
    editor.wait_for_index()
    editor.lua("vim.keymap.set('i', '<C-f>', '<Plug>(codemoat-accept-word)')")
    editor.type("Goledger.rec")
    until(lambda: editor.lua("return require('codemoat').visible()"), "a suggestion")
    assert editor.ghost() == ""
    # Whole at once: the editor does not ask for the rest.
    until(lambda: re.search(r"ledger\.record_payment\(.+\)", editor.screen.text()), "the suggestion on the screen")
    editor.type("<C-f>")
    until(lambda: editor.text[-1] == "ledger.record_payment", "the word")
    editor.type("<Esc>u")
    assert editor.text[-1] == "ledger.rec"
