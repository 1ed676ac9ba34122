from __future__ import annotations

import pytest

from assistant.config import load_config
from assistant.engine import Engine
from assistant.errors import NoModelError
from assistant.llm import Cancel
from indexer.errors import CancelledError, CorruptIndexError, NoIndexError
from indexer.location import runtime_dir
from tests import model_world
from tests.cli_world import furnish, write_files, write_indexed
from tests.fakes import FakeLLM
from tests.remote_world import serving


@pytest.fixture
def root(tmp_path, monkeypatch):
    furnish(monkeypatch, tmp_path)
    return write_files(tmp_path / "root")


def engine(root, llm=None, **overrides):
    return Engine(load_config(root, overrides), root, llm=llm)


def test_index_is_there_only_after_an_update(root):
    with engine(root) as made:
        assert not made.has_index
        with pytest.raises(NoIndexError):
            _ = made.index
        stages = []
        report = made.update_index(lambda progress: stages.append(progress.stage))
        assert report.files == 3
        assert "parse" in stages
        assert made.has_index
        assert made.index.search("basket").hits


def test_cancelled_update_leaves_no_index(root):
    cancel = Cancel()
    cancel.cancel()
    with engine(root) as made, pytest.raises(CancelledError):
        made.update_index(cancel=cancel)
    with engine(root) as made:
        assert not made.has_index


def test_rebuild_mends_what_is_damaged(root, tmp_path):
    index = write_indexed(root, tmp_path / "cache")
    (index / "index.sqlite").write_bytes(b"no database" * 1000)
    with engine(root) as made:
        with pytest.raises(CorruptIndexError):
            _ = made.has_index
        assert made.update_index(rebuild=True).files == 3


def test_settings_reach_index_chat_and_completer(root):
    llm = FakeLLM(["It adds [1].", "x"])
    overrides = {"index.exclude": ("*.js", "*.md"), "ask.answer_tokens": 77, "complete.max_tokens": 9}
    with engine(root, llm, **overrides) as made:
        assert made.update_index().files == 1
        list(made.chat().ask("how is a discounted price computed?"))
        assert llm.calls[-1][1].max_tokens == 77
        from assistant.completion.request import CompletionRequest

        made.completer().complete(CompletionRequest("shop/prices.py", "python", 1, "total = ", "\n"))
        assert llm.calls[-1][1].max_tokens == 9
    assert llm.closed


def test_model_settings_reach_the_host(root, tmp_path, monkeypatch):
    model = tmp_path / "own.gguf"
    model.write_bytes(model_world.BODY)
    made_with = []

    class Host(FakeLLM):
        def __init__(self, path, settings, *, progress):
            super().__init__()
            made_with.append((path, settings))
            self.progress = progress

        @property
        def info(self):
            self.progress(0.5)
            return super().info

    monkeypatch.setattr("assistant.llama.client.HostedLLM", Host)
    settings = {"context_tokens": 1024, "threads": 3, "gpu_layers": -1, "flash_attention": False, "idle_seconds": 5}
    overrides = {f"model.{key}": value for key, value in settings.items()} | {"model.name": str(model)}
    with engine(root, **overrides) as made:
        loaded = []
        assert made.missing_model is None
        assert made.start_model(loaded.append).name == "fake"
        assert made.llm.info.name == "fake"
        assert loaded == [0.5], "progress goes only to who asked for the start"
        assert made.llm is made.llm
    ((path, host),) = made_with
    assert path == model
    assert {key: getattr(host, key) for key in settings} == settings
    assert host.runtime_dir == runtime_dir()


def test_missing_model_can_be_fetched_only_if_the_catalogue_knows_it(root):
    with engine(root) as made:
        assert made.missing_model.name == "qwen2.5-coder-0.5b"
        with pytest.raises(NoModelError):
            _ = made.llm
    with engine(root, **{"model.name": "/no/such.gguf"}) as made:
        assert made.missing_model is None


def test_a_model_server_is_used_only_where_the_settings_name_it(root):
    with serving("llama-server") as server:
        with engine(root, **{"model.url": server.url}) as made:
            assert made.missing_model is None
            assert made.llm.info.name == "coder"
            assert server.requests
        server.requests.clear()
        with engine(root) as made, pytest.raises(NoModelError):
            _ = made.llm
        assert server.requests == []


def test_a_model_that_can_only_chat_completes_by_chat_unless_that_is_off(root):
    with serving("ollama", template="{{ .Messages }}", capabilities=["completion"]) as server:
        for by_chat, layout in ((True, "chat"), (False, "")):
            with engine(root, **{"model.url": server.url, "model.fill_by_chat": by_chat}) as made:
                assert made.llm.info.fim_layout == layout


def test_closing_twice_is_no_error(root, tmp_path):
    write_indexed(root, tmp_path / "cache")
    made = engine(root, FakeLLM())
    assert made.has_index
    assert made.llm
    made.close()
    made.close()
