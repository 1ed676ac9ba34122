"""The VS Code extension's manifest says what the server's settings are, and names only what there is."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from assistant.config import REPOSITORY_KEYS, settings
from scripts import vscode_settings

ROOT = Path(__file__).parent.parent
EXTENSION = ROOT / "editors" / "vscode"
TEXT = (EXTENSION / "package.json").read_text(encoding="utf-8")
MANIFEST = json.loads(TEXT)


def test_settings_are_those_of_the_server() -> None:
    assert vscode_settings.filled(TEXT) == TEXT, "Run scripts/vscode_settings.py."


def test_a_workspace_may_set_what_a_repository_may_set() -> None:
    """A clone can hold a .vscode/settings.json, which sets what is not of the machine."""
    groups = MANIFEST["contributes"]["configuration"]
    scopes = {key: each["scope"] for group in groups for key, each in group["properties"].items()}
    of_server = {key.removeprefix("codemoat."): scope for key, scope in scopes.items() if ".server." not in key}
    assert {key for key, scope in of_server.items() if scope != "machine"} == REPOSITORY_KEYS
    assert {of_server[key] for key in REPOSITORY_KEYS} == {"window"}
    assert {"editor.learning_log", "editor.index", "model.url", "index.cache_dir"} <= of_server.keys()
    assert scopes["codemoat.server.source"] == "machine"
    assert "codemoat.model.api_key" not in scopes
    restricted = MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert {"codemoat.server.command", "codemoat.server.env"} <= set(restricted)


def test_no_package_index_is_offered() -> None:
    """Nothing of ours is on one, so a package of our name there is somebody else's."""
    source = MANIFEST["contributes"]["configuration"][0]["properties"]["codemoat.server.source"]
    assert source["default"] == ""
    files = [*EXTENSION.glob("src/**/*.ts"), *EXTENSION.glob("walkthrough/*.md"), EXTENSION / "README.md"]
    files += [
        *(ROOT / "editors" / "nvim").rglob("*.lua"),
        *(ROOT / "editors" / "nvim").rglob("*.txt"),
        ROOT / "README.md",
    ]
    files += [*(ROOT / "docs").glob("*.md"), *ROOT.glob("[ail]*/**/*.py"), EXTENSION / "package.json"]
    assert len(files) > 100
    for file in files:
        found = re.search(
            r"""\b(?:pip|pipx|uv tool|uv pip) install (?:-\S+ )*['"]?codemoat\b""", file.read_text(encoding="utf-8")
        )
        found = found or re.search(r"\bpip install .*'codemoat\[", file.read_text(encoding="utf-8"))
        assert found is None, f"{file}: {found}"


def test_every_setting_has_a_description_and_bounds() -> None:
    for group in MANIFEST["contributes"]["configuration"]:
        for key, each in group["properties"].items():
            assert each["markdownDescription"], key
            if each["type"] in ("integer", "number"):
                assert {"minimum", "maximum"} <= set(each), key
    assert len(settings()) > 30


def test_commands_that_are_named_exist() -> None:
    declared = {each["command"] for each in MANIFEST["contributes"]["commands"]}
    source = (EXTENSION / "src" / "commands.ts").read_text(encoding="utf-8")
    body = source[source.index("const commands:") : source.index("return Object.entries(commands)")]
    made = {f"codemoat.{name}" for name in re.findall(r"^    (\w+): \(", body, re.M)}
    assert declared == made - {"codemoat.openPlace"}
    named = set(re.findall(r"command:(codemoat\.\w+)|onCommand:(codemoat\.\w+)", TEXT))
    assert {first or second for first, second in named} <= declared


def test_files_that_are_named_exist() -> None:
    for path in re.findall(r'"((?:media|walkthrough)/[\w.-]+)"', TEXT):
        assert (EXTENSION / path).is_file(), path
    assert (EXTENSION / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert MANIFEST["version"] == project["project"]["version"]
