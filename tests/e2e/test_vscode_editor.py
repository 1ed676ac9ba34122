"""The extension in a real VS Code in a real browser: each test runs one file of `editors/vscode/e2e`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.vscode_world import EXTENSION

pytestmark = pytest.mark.e2e

PICTURES = EXTENSION / "media"

ALONE = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""Runs a command where there is no network but this machine's own."""


def test_vscode_suggestions_are_shown_typed_through_and_taken(in_vscode: Any) -> None:
    in_vscode("suggestions.test.mjs")


def test_vscode_chat_and_search_answer_and_open_places(in_vscode: Any) -> None:
    in_vscode("chat.test.mjs")


def test_vscode_the_server_is_killed_missing_untrusted_or_without_a_model(in_vscode: Any) -> None:
    in_vscode("life.test.mjs")


def test_vscode_the_suite_passes_inside_the_extension_host(in_vscode: Any) -> None:
    in_vscode("host.test.mjs")


def test_vscode_works_without_a_network(in_vscode: Any) -> None:
    if shutil.which("unshare") is None or subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        pytest.fail("A process without a network cannot be started here: `unshare --net` and `ip` are needed.")
    in_vscode("offline.test.mjs", prefix=ALONE)


def test_vscode_pictures_of_the_readme_can_be_made(in_vscode: Any, tmp_path: Path) -> None:
    """With CODEMOAT_TEST_PICTURES they replace those of the README."""
    folder = PICTURES if os.environ.get("CODEMOAT_TEST_PICTURES") else tmp_path
    in_vscode("pictures.mjs", pictures=str(folder))
    for name in ("chat-light", "chat-narrow", "search-dark", "suggestion-dark"):
        assert (folder / f"{name}.png").stat().st_size > 20_000
