"""The extension in a real VS Code in a real browser: each test runs one file of `editors/vscode/e2e`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.vscode_world import EXTENSION

pytestmark = pytest.mark.e2e

PICTURES = EXTENSION / "media"

LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh22x", b"lo", 0x41))  # SIOCSIFFLAGS: up and running
os.execvp(sys.argv[1], sys.argv[1:])
"""
ALONE = ("unshare", "--map-root-user", "--net", sys.executable, "-c", LOOPBACK_UP)
"""Runs a command where there is no network but this machine's own."""


def test_vscode_a_day_without_a_network(in_vscode: Any, tmp_path: Path) -> None:
    """With CODEMOAT_TEST_PICTURES the pictures that are taken on the way replace those of the README."""
    if shutil.which("unshare") is None or subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        pytest.fail("A process without a network cannot be started here: `unshare --map-root-user --net` is refused.")
    folder = PICTURES if os.environ.get("CODEMOAT_TEST_PICTURES") else tmp_path
    in_vscode("day.test.mjs", prefix=ALONE, pictures=str(folder))
    for name in ("chat-light", "chat-narrow", "search-dark", "suggestion-dark"):
        assert (folder / f"{name}.png").stat().st_size > 20_000


def test_vscode_without_trust_a_server_or_a_model(in_vscode: Any) -> None:
    in_vscode("life.test.mjs")


def test_vscode_the_suite_passes_inside_the_extension_host(in_vscode: Any) -> None:
    in_vscode("host.test.mjs")
