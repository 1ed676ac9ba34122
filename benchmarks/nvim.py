"""What the Neovim plugin costs: start-up, and editor time a keystroke.

usage: python -m benchmarks.nvim [--starts N] [--keys N]

Start-up is what ``--startuptime`` says of opening a Python file, with and without the plugin, in turns. Keys are typed
into a real editor with the language server over a scripted model; half of them follow what is suggested. Counted is
what the plugin does for a key, from the first event to the last answer (`plugin`), and what the editor's process takes
in all more than without the plugin (`process`): Neovim's own language client and the drawing included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import Results, median, percentile
from tests.nvim_world import PLUGIN, Editor, nvim_binary, until

TEXT = "def total(values):\n    return sum(values)\n\n\n" * 100
_INTERVAL = 0.02
_BARE = ("--cmd", "let g:loaded_python3_provider = 0")
"""The editor's own look for a Python takes longer than all the rest."""
_GHOST = "return require('codemoat.ghost').rest() or ''"
_WRAP = """
local ghost, depth, wall, processor = require("codemoat.ghost"), 0, 0, 0
local function count(name)
  local run = ghost[name]
  ghost[name] = function(...)
    local from, used = vim.uv.hrtime(), os.clock()
    depth = depth + 1
    run(...)
    depth = depth - 1
    if depth == 0 then
      wall, processor = wall + (vim.uv.hrtime() - from) / 1e6, processor + (os.clock() - used) * 1e3
    end
  end
end
count("on_text")
count("on_move")
count("receive")
function take()
  local taken = { wall, processor }
  wall, processor = 0, 0
  return taken
end
"""


def main() -> None:
    """Measure and append two raw rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=40)
    parser.add_argument("--keys", type=int, default=1000)
    args = parser.parse_args()
    results = Results("nvim", fresh=True)
    with tempfile.TemporaryDirectory(prefix="cmb") as name:
        folder = Path(name)
        file = folder / "values.py"
        file.write_text(TEXT)
        for row in (startup(file, args.starts), keystrokes(folder, file, args.keys)):
            results.add(row)
            print(row)


def startup(file: Path, runs: int) -> dict[str, object]:
    """Medians of both, in milliseconds."""
    setup = 'lua require("codemoat").setup({ cmd = { "true" } })'
    ways = {
        "without": [],
        "with": ["--cmd", f"set rtp^={PLUGIN}"],
        "setup": ["--cmd", f"set rtp^={PLUGIN}", "--cmd", setup],
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    log = file.parent / "startuptime"
    for _ in range(runs):
        for way, arguments in ways.items():
            log.unlink(missing_ok=True)
            command = [
                nvim_binary(),
                "--headless",
                "--clean",
                "-n",
                "--startuptime",
                log,
                *_BARE,
                *arguments,
                file,
                "+qa!",
            ]
            subprocess.run([str(part) for part in command], check=True, capture_output=True)
            started = next(line for line in log.read_text().splitlines()[::-1] if "NVIM STARTED" in line)
            times[way].append(float(started.split()[0]))
    return {"what": "startup", "runs": runs, **{f"{way}_ms": round(median(v), 2) for way, v in times.items()}}


def keystrokes(folder: Path, file: Path, keys: int) -> dict[str, object]:
    """Milliseconds a key in the plugin, and of the process more than without."""
    server = f'cmd = {{ "{sys.executable}", "-m", "benchmarks.scripted_server" }}'
    setup = ("--cmd", f"lua require('codemoat').setup({{ {server} }})", str(file))
    variables = {f"CODEMOAT_{name}_DIR": str(folder / name) for name in ("CACHE", "CONFIG", "DATA", "RUNTIME")}
    editor = Editor(_home(), environment=variables, arguments=setup)
    until(editor.status, "the server")
    editor.lua(_WRAP)
    # Wrapped functions are what the buffer's events call from now on.
    editor.lua("local e = require('codemoat.events') e.detach(1) e.attach(1, vim.lsp.get_clients()[1])")
    spent, suggested, with_plugin = _type(editor, keys)
    editor.close()
    bare = Editor(_home(), environment={}, arguments=("--cmd", f"set rtp-={PLUGIN}", str(file)))
    _, _, without = _type(bare, keys)
    bare.close()
    for one in (editor, bare):
        shutil.rmtree(one.home)
    return {
        "what": "keystrokes",
        "keys": keys,
        "suggested": suggested,
        **_figures("wall", [wall for wall, _ in spent]),
        **_figures("processor", [processor for _, processor in spent]),
        "process_ms": round((with_plugin - without) / keys * 1e3, 3),
    }


def _figures(name: str, values: list[float]) -> dict[str, float]:
    return {
        f"{name}_p50_ms": round(median(values), 3),
        f"{name}_mean_ms": round(sum(values) / len(values), 3),
        f"{name}_p95_ms": round(percentile(values, 0.95), 3),
    }


def _home() -> Path:
    return Path(tempfile.mkdtemp(prefix="cmb"))


def _type(editor: Editor, keys: int) -> tuple[list[tuple[float, float]], int, float]:
    """Milliseconds of each key in the plugin, how many followed a suggestion, processor seconds of all."""
    counting = bool(editor.lua("return take ~= nil"))
    # Without the plugin the same is asked for, so that asking is in neither difference.
    take, ghost = ("return take()", _GHOST) if counting else ("return { 0, 0 }", "return ''")
    editor.type("200Go    ")
    spent: list[tuple[float, float]] = []
    followed, before = 0, _processor_seconds(editor.process.pid)
    for number in range(keys):
        rest = editor.lua(ghost) if number % 40 > 20 else ""
        followed += bool(rest)
        key = rest[0] if rest and rest[0].isprintable() else "x"
        if number % 40 == 0:
            key = "<CR>"
        editor.type("<lt>" if key == "<" else key)
        time.sleep(_INTERVAL)
        spent.append(tuple(editor.lua(take)))
    return spent, followed, _processor_seconds(editor.process.pid) - before


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
