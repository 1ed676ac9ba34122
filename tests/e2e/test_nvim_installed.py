"""The plugin linked from a clone into the packages folder, and nothing else: the server is the clone's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nvim_world import PLUGIN, nvim_binary

pytestmark = pytest.mark.e2e

LOOK = """
vim.wait(90000, function()
  return #vim.lsp.get_clients({ name = "codemoat", bufnr = 0 }) > 0
end, 20)
local client = vim.lsp.get_clients({ name = "codemoat", bufnr = 0 })[1]
vim.cmd("silent! help codemoat")
print(vim.json.encode({
  command = require("codemoat.config").command()[1],
  found = vim.fn.exepath("codemoat-lsp"),
  version = client and client.server_info and client.server_info.name,
  help = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ":t"),
}))
vim.cmd("qa!")
"""


def test_nvim_needs_nothing_but_a_link(tmp_path: Path, repository: Path) -> None:
    packages = tmp_path / "DATA/nvim/site/pack/codemoat/start"
    packages.mkdir(parents=True)
    # As in a clone, whose own environment has the server.
    clone = tmp_path / "clone"
    (clone / "editors").mkdir(parents=True)
    copied = clone / "editors/nvim"
    subprocess.run(["cp", "-r", str(PLUGIN), str(copied)], check=True)
    (packages / "codemoat").symlink_to(copied)
    programs = clone / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "codemoat-lsp").symlink_to(Path(sys.executable).parent / "codemoat-lsp")
    script = tmp_path / "look.lua"
    script.write_text(LOOK)
    folders = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    own = {f"CODEMOAT_{name}_DIR": str(tmp_path / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **folders, **own, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [str(nvim_binary()), "--headless", str(repository / "use.py"), f"+luafile {script}"],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    told = json.loads(next(line for line in done.stderr.splitlines() if line.startswith("{")))
    expected = {"command": str(programs / "codemoat-lsp"), "found": "", "version": "codemoat", "help": "codemoat.txt"}
    assert told == expected, done.stderr
