"""The extension's parts without an editor: types, units, the views in a plain page, what is packed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.vscode_world import chromium, need_packages, run_node

pytestmark = pytest.mark.e2e

MOST_BYTES = 2_000_000
SOURCES = ("src/", "web/", "test/", "e2e/", "node_modules/", "dist/test/")


def test_vscode_sources_have_no_type_errors() -> None:
    need_packages()
    run_node("node_modules/typescript/bin/tsc", "-p", ".")


def test_vscode_units(bundle: Path) -> None:
    run_node("--test", str(bundle / "test" / "unit" / "all.test.js"))


def test_vscode_views_in_a_page_resist_attacks_and_satisfy_axe(bundle: Path) -> None:
    run_node("--test", "e2e/views.test.mjs", given={"chromium": chromium()})


def test_vscode_package_holds_what_it_needs_and_no_more(vsix: Path) -> None:
    assert vsix.stat().st_size <= MOST_BYTES
    names = {name.removeprefix("extension/") for name in zipfile.ZipFile(vsix).namelist()}
    assert {
        "package.json",
        "dist/extension.js",
        "dist/web/chat.js",
        "dist/web/search.js",
        "dist/web/style.css",
    } <= names
    assert not {
        name for name in names if name.startswith(("src/", "web/", "test/", "e2e/", "node_modules/", "dist/test/"))
    }
