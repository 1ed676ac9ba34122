"""Suggestions in a real Neovim: keys are typed, and what stood on the screen in between is looked at."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.nvim_world import Editor, until

pytestmark = pytest.mark.e2e

TAB = """
vim.keymap.set("i", "<Tab>", function()
  return require("codemoat").accept() and "" or "<Tab>"
end, { expr = true })
vim.keymap.set("i", "<C-f>", "<Plug>(codemoat-accept-word)")
vim.keymap.set("i", "<C-l>", "<Plug>(codemoat-accept-line)")
vim.keymap.set("i", "<C-d>", "<Plug>(codemoat-dismiss)")
vim.keymap.set("i", "<C-g>s", "<Plug>(codemoat-suggest)")
"""
CALL = "ledger.rec"


@pytest.fixture
def editor(shared_editor: Editor, shared_repository: Path) -> Editor:
    """``use.py`` open, its folder indexed, keys mapped as the help suggests."""
    shared_editor.renew(shared_repository / "use.py")
    shared_editor.lua(TAB)
    return shared_editor


@pytest.fixture
def suggested(editor: Editor) -> tuple[Editor, str]:
    """With a call begun, and what is suggested to end it."""
    editor.type("Go" + CALL)
    ghost = editor.wait_for_ghost()
    until(lambda: CALL + ghost.split("\n")[0] in editor.screen.text(), "the suggestion on the screen")
    return editor, ghost


def test_nvim_suggests_with_a_definition_of_another_file(suggested: tuple[Editor, str]) -> None:
    editor, ghost = suggested
    assert ghost.startswith("ord_payment(")
    id_ = editor.lua("local shown = require('codemoat.ghost').shown(); return shown.items[shown.index].id")
    editor.type("<Tab>")
    assert editor.text[-1] == CALL + ghost.split("\n")[-1]
    assert not editor.ghost() or editor.ghost() != ghost
    until(
        lambda: editor.ask("codemoat/status")["suggestions"]["counts"].get("accepted") == 1, "the server to hear of it"
    )
    why = editor.ask("codemoat/why", id=id_)
    assert any(place.startswith("ledger.py:") for place in why["context"]), why


COUNT_DRAWS = """
draws = 0
local render = require("codemoat.render")
local draw = render.draw
render.draw = function(...)
  draws = draws + 1
  draw(...)
end
"""


def test_nvim_never_flickers_while_somebody_types_through_a_suggestion(suggested: tuple[Editor, str]) -> None:
    editor, ghost = suggested
    whole, first = CALL + ghost.split("\n")[0], len(editor.screen.frames)
    editor.lua(COUNT_DRAWS)
    editor.type_slowly(ghost[:12])
    # Backwards too, as far as it was typed into.
    for _ in range(4):
        editor.type("<BS>")
    editor.type_slowly(ghost[8:10])
    assert editor.text[-1] == CALL + ghost[:10]
    assert editor.lua("return draws") == 18, "one a key, although the editor tells of a move and of a change"
    frames = editor.screen.frames[first - 1 :]
    row = next(number for number, line in enumerate(frames[0]) if line == whole)
    assert len(frames) >= 18
    assert {frame[row] for frame in frames} == {whole}
    assert {frame[row + 1 :][:3] for frame in frames} == {frames[0][row + 1 :][:3]}


def test_nvim_shows_first_words_and_lets_them_grow(editor: Editor) -> None:
    editor.type("Goopen_sums = [ledger.outst")
    first = len(editor.screen.frames)
    whole = editor.text[-1] + editor.wait_for_ghost().split("\n")[0]
    until(lambda: editor.screen.lines()[3] == whole, "the whole on the screen")
    rows = list(dict.fromkeys(frame[3] for frame in editor.screen.frames[first - 1 :]))
    # On a busy machine the first of these screens may be from before the line was typed.
    rows = [row for row in rows if row.startswith(editor.text[-1])]
    # It only ever grew, and before it was whole there was something to read.
    assert rows == sorted(rows, key=len)
    assert all(later.startswith(earlier) for earlier, later in pairwise(rows)), rows
    assert len(rows) > 2, rows


def test_nvim_goes_on_after_accepting_and_asks_the_model_nothing_twice(suggested: tuple[Editor, str]) -> None:
    editor, ghost = suggested
    editor.type("<Tab>")
    editor.type("<CR>ledger.out")
    ghost = editor.wait_for_ghost()
    assert ghost.startswith("standing_balance(")
    editor.type_slowly(ghost[:2])
    assert editor.ghost() == ghost[2:]
    # Asked for by hand, it comes from what is known.
    editor.type("<C-g>s")
    why = until(lambda: (w := editor.ask("codemoat/why"))["trigger"] == "invoked" and w, "the answer")
    assert why["reused"]
    assert why["text"] == ghost[2:]
    assert why["timings"]["evaluated_tokens"] == 0


def test_nvim_lets_a_wrong_letter_take_the_suggestion_away_at_once(suggested: tuple[Editor, str]) -> None:
    editor, ghost = suggested
    first = len(editor.screen.frames)
    editor.type("zz")
    until(lambda: len(editor.screen.frames) > first, "the screen")
    assert all(CALL + "zz" + ghost[:3] not in "\n".join(frame) for frame in editor.screen.frames[first:])
    until(lambda: editor.ask("codemoat/status")["suggestions"]["counts"].get("rejected"), "the server to hear of it")


def test_nvim_accepts_words_and_the_line(suggested: tuple[Editor, str]) -> None:
    editor, ghost = suggested
    line, first = ghost.split("\n")[0], len(editor.screen.frames)
    editor.type("<C-f>")
    assert editor.text[-1] == "ledger.record_payment"
    editor.type("<C-f>")
    assert len(editor.text[-1]) > len("ledger.record_payment")
    assert CALL + line == editor.text[-1] + editor.ghost().split("\n")[0]
    editor.type("<C-l>")
    assert editor.text[3] == CALL + line
    # All along the line looked the same.
    until(lambda: len(editor.screen.frames) > first, "the screen")
    assert {frame[3] for frame in editor.screen.frames[first:]} == {CALL + line}


def test_nvim_undoes_what_was_accepted_in_one_step(suggested: tuple[Editor, str]) -> None:
    editor, ghost = suggested
    editor.type("<Tab>")
    taken = editor.text[3:]
    assert "\n".join(taken) == CALL + ghost
    editor.type("# then<Esc>")
    assert editor.text[-1] == taken[-1] + "# then"
    editor.type("u")
    assert editor.text[3:] == taken
    editor.type("u")
    assert editor.text[3:] == [CALL]
    editor.type("<C-r>")
    assert editor.text[3:] == taken
    # Undone text brings no suggestion back onto the screen.
    assert editor.lua("return #vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, { type = 'virt_text' })") == 0


def test_nvim_dismisses_and_asks_again_by_hand(suggested: tuple[Editor, str]) -> None:
    editor, ghost = suggested
    editor.type("<C-d>")
    assert editor.ghost() == ""
    until(lambda: CALL in editor.screen.lines()[3] and ghost[:4] not in editor.screen.lines()[3], "it to go")
    editor.type("<C-g>s")
    assert editor.wait_for_ghost() == ghost
    editor.type("<Esc>")
    assert editor.ghost() == ""


def test_nvim_shows_it_in_the_window_that_is_typed_in_alone(editor: Editor) -> None:
    if not editor.nvim.funcs.has("nvim-0.11"):
        pytest.skip("Neovim 0.10 shows it in every window of the buffer")
    editor.type("<C-w>s")
    editor.type("Go" + CALL)
    ghost = editor.wait_for_ghost().split("\n")[0]

    def rows() -> list[str]:
        return [line for line in editor.screen.lines() if line.startswith(CALL)]

    until(lambda: sorted(rows()) == [CALL, CALL + ghost], "the suggestion in one of two windows")
    editor.type("<C-o><C-w>j")
    assert editor.ghost() == ""


def test_nvim_records_macros_without_suggestions(editor: Editor) -> None:
    editor.lua("vim.bo.expandtab = false")
    editor.type("Gqa")
    editor.type("o" + CALL + "<Tab>x<Esc>q")
    assert editor.text[-1] == CALL + "\tx"
    assert editor.ghost() == ""
    editor.type("2@a")
    assert editor.text[-2:] == [CALL + "\tx"] * 2


def test_nvim_stands_beside_the_completion_menu(editor: Editor) -> None:
    editor.lua("vim.o.completeopt = 'menuone,noselect,noinsert'")
    editor.type("Goledger.<C-x><C-n>")
    until(lambda: editor.nvim.funcs.pumvisible(), "the menu")
    editor.type("<C-e>rec")
    ghost = editor.wait_for_ghost()
    editor.type("<C-x><C-n>")
    editor.type("<Tab>")
    assert editor.text[3].startswith("ledger.rec" + ghost.split("\n")[0])


def test_nvim_suggests_inside_a_snippet(editor: Editor) -> None:
    editor.type("Go")
    editor.lua("vim.snippet.expand('total = ${1:value}\\nprint($2)$0')")
    editor.type(CALL)
    ghost = editor.wait_for_ghost()
    editor.type("<Tab>")
    assert editor.text[3] == "total = " + CALL + ghost.split("\n")[0]
    assert editor.lua("return vim.snippet.active({ direction = 1 })")
