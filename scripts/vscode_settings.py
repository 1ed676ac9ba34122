"""Write the server's settings into the VS Code extension's manifest. Run it after a change; a test sees to that."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from assistant.config import REPOSITORY_KEYS, Config, Setting, settings

MANIFEST = Path(__file__).parent.parent / "editors" / "vscode" / "package.json"
_TITLES = {
    "editor": "Suggestions",
    "chat": "Chat",
    "ask": "Answers",
    "complete": "Completion",
    "model": "Model",
    "index": "Index",
}
_LEFT_OUT = frozenset(
    {
        "editor.popup",  # for editors without inline suggestions
        "model.api_key",  # VS Code keeps settings as plain text and may sync them
    }
)


def contribution() -> list[dict[str, Any]]:
    """The manifest's groups of settings, one a section of the configuration."""
    groups: dict[str, dict[str, Any]] = {section: {} for section in _TITLES}
    for key, setting in settings().items():
        if key not in _LEFT_OUT:
            groups[key.partition(".")[0]][f"codemoat.{key}"] = _property(setting)
    return [
        {"title": _TITLES[section], "order": order, "properties": properties}
        for order, (section, properties) in enumerate(groups.items(), start=1)
    ]


def filled(text: str) -> str:
    """The manifest with its settings renewed; those of the extension itself stay."""
    manifest = json.loads(text)
    own = manifest["contributes"]["configuration"][0]
    manifest["contributes"]["configuration"] = [own, *contribution()]
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _property(setting: Setting) -> dict[str, Any]:
    schema = msgspec.json.schema(setting.type)
    schema.pop("description", None)
    default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    return {
        **schema,
        "default": default,
        # A clone's .vscode/settings.json sets what is of the window: no more than its own .codemoat.toml may.
        "scope": "window" if setting.key in REPOSITORY_KEYS else "machine",
        "markdownDescription": setting.description,
    }


assert set(_TITLES) == {field.name for field in msgspec.structs.fields(Config)}

if __name__ == "__main__":
    MANIFEST.write_text(filled(MANIFEST.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{MANIFEST} is current.\n")
