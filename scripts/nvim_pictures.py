"""Draws editors/nvim/*.svg: what a real Neovim shows, with the real server and model, on this repository's own code.

usage: python -m scripts.nvim_pictures
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from assistant.llama.hosts import stop_host
from assistant.models import resolve
from tests import nvim_world
from tests.nvim_world import PLUGIN, Editor, Screen, until

CELL = (8.4, 19)
"""Width and height of a letter, in pixels."""
KEYS = """
vim.keymap.set("i", "<C-l>", "<Plug>(codemoat-accept-line)")
vim.o.termguicolors, vim.o.ruler, vim.o.showmode, vim.o.laststatus = true, false, false, 0
"""


class Painted(Screen):
    """A screen that knows its colours."""

    def __init__(self, path: Path) -> None:
        self.attributes: dict[int, dict[str, Any]] = {0: {}}
        self.default = (0xE0E2EA, 0x14161B)
        self._clear()
        super().__init__(path)

    def _clear(self) -> None:
        self.looks = [[0] * nvim_world.COLUMNS for _ in range(nvim_world.LINES)]

    def _apply(self, name: str, call: list[Any]) -> None:
        if name == "hl_attr_define":
            self.attributes[call[0]] = call[1]
        elif name == "default_colors_set":
            self.default = (call[0], call[1])
        elif name == "grid_clear":
            self._clear()
        elif name == "grid_line":
            _, row, column, cells = call[:4]
            look = 0
            for cell in cells:
                look = cell[1] if len(cell) > 1 else look
                for _ in range(cell[2] if len(cell) > 2 else 1):
                    self.looks[row][column] = look
                    column += 1
        super()._apply(name, call)

    def _scroll(self, top: int, bottom: int, left: int, right: int, rows: int) -> None:
        order = range(top, bottom - rows) if rows > 0 else range(bottom - 1, top - rows - 1, -1)
        for row in order:
            self.looks[row][left:right] = self.looks[row + rows][left:right]
        super()._scroll(top, bottom, left, right, rows)

    def svg(self, rows: int) -> str:
        """The first ``rows`` rows."""
        width, height = CELL[0] * nvim_world.COLUMNS + 16, CELL[1] * rows + 16
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="14"'
        return "\n".join(
            [
                f"{head} font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\">",
                f'<rect width="100%" height="100%" rx="6" fill="{_hex(self.default[1])}"/>',
                *itertools.chain.from_iterable(self._row(row) for row in range(rows)),
                "</svg>\n",
            ]
        )

    def _row(self, row: int) -> Iterator[str]:
        column = 0
        for look, group in itertools.groupby(self.looks[row]):
            count = len(list(group))
            text = "".join(self._grid[row][column : column + count])
            looks = self.attributes.get(look, {})
            front, back = looks.get("foreground", self.default[0]), looks.get("background", self.default[1])
            if looks.get("reverse"):
                front, back = back, front
            x, y, wide = 8 + column * CELL[0], 8 + row * CELL[1], count * CELL[0]
            if back != self.default[1]:
                yield f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{CELL[1]}" fill="{_hex(back)}"/>'
            # Each letter in its cell, whatever the font's width.
            for start, word in _words(text):
                style = ' font-weight="bold"' if looks.get("bold") else ""
                style += ' font-style="italic"' if looks.get("italic") else ""
                yield (
                    f'<text x="{x + start * CELL[0]:.1f}" y="{y + 14}" textLength="{len(word) * CELL[0]:.1f}" '
                    f'fill="{_hex(front)}"{style}>{escape(word)}</text>'
                )
            column += count


class Pictured(Editor):
    """An editor with such a screen."""

    screen_type = Painted


def main() -> None:
    """Draw all three."""
    nvim_world.COLUMNS, nvim_world.LINES = 118, 24
    nvim_world.Editor = Pictured  # type: ignore[misc]
    with tempfile.TemporaryDirectory(prefix="cmp") as name:
        folder = Path(name)
        tree = folder / "codemoat"
        root = Path(__file__).resolve().parent.parent
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{root}", str(tree)], check=True)
        # Its own questions are no answers.
        (tree / "scripts" / "nvim_pictures.py").unlink()
        try:
            with nvim_world.editors(folder, folder, resolve("qwen2.5-coder-0.5b")) as make:
                draw(make(tree / "indexer" / "watch.py"), tree)
        finally:
            stop_host(folder)


def draw(editor: Editor, tree: Path) -> None:
    """Suggestion, reason, conversation."""
    editor.lua(KEYS)
    editor.nvim.command(f"cd {tree}")
    until(lambda: (f := editor.status().get("folders")) and f[0]["state"] == "ready", "the index", 300)
    new = tree / "indexer" / "latest.py"
    new.write_text('"""The commit that an index is of."""\n\nfrom indexer.files import head_commit\n')
    editor.nvim.command(f"edit {new}")
    editor.type("Go<CR><CR>def is_current(root, built):<CR>")
    editor.type('"""Whether the tree is still at the commit that the index was built at."""<CR>')
    editor.wait_for_ghost()
    save(editor, "suggestion", 12)
    editor.type("<C-l><Esc>:Codemoat why<CR>")
    until(lambda: "Asked" in editor.screen.text(), "the window")
    save(editor, "why", 22)
    editor.type("q")
    editor.nvim.command(f"edit! {tree / 'indexer' / 'lock.py'}")
    editor.type(":Codemoat chat What does writer_lock do while another process holds it?<CR>")
    until(lambda: editor.lua("return not require('codemoat.chat').busy()"), "the answer", 120)
    editor.type("gg:<Esc>")
    save(editor, "chat", 23)


def save(editor: Editor, name: str, rows: int) -> None:
    """Draw what is on the screen once it is quiet."""
    editor.nvim.command("redraw!")
    editor.nvim.eval("1")
    screen = editor.screen
    assert isinstance(screen, Painted)
    (PLUGIN / f"{name}.svg").write_text(screen.svg(rows), "utf-8")
    sys.stdout.write(f"{name}: {(PLUGIN / f'{name}.svg').stat().st_size / 1000:.0f} kB\n")


def _words(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for word in text.split(" "):
        if word:
            yield start, word
        start += len(word) + 1


def _hex(color: int) -> str:
    return f"#{color:06x}"


if __name__ == "__main__":
    main()
