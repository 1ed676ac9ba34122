"""The real default model, in a model host that belongs to the test run and ends with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import ModelError
from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.hosts import host_status, stop_host
from assistant.models import resolve
from benchmarks.trees import tree
from indexer.config import IndexConfig
from indexer.index import Index
from tests.lsp_session import books, make_session, session
from tests.vscode_world import bundle, in_vscode, vsix

__all__ = ["books", "bundle", "in_vscode", "make_session", "session", "vsix"]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several processes (`make test`) all of these stay in one, with one model host, beside the others."""
    for item in items:
        if item.get_closest_marker("e2e") is not None:
            item.add_marker(pytest.mark.xdist_group("real"))


@pytest.fixture(scope="session", autouse=True)
def one_process(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two processes with a model each would take the cores from each other, and with them what the tests wait for."""
    if worker_id == "master":
        return
    claim = tmp_path_factory.getbasetemp().parent / "real-model"
    try:
        claim.touch(exist_ok=False)
    except FileExistsError:
        pytest.fail("Tests with the real model run in one process: add --dist loadgroup, which needs pytest below 9.2.")


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The default model's file: CODEMOAT_TEST_MODEL, else where `make test` put it."""
    if (named := os.environ.get("CODEMOAT_TEST_MODEL")) is not None:
        return Path(named)
    try:
        return resolve("qwen2.5-coder-0.5b")
    except ModelError as exc:
        pytest.fail(f"{exc.message} {exc.hint}")


@pytest.fixture(scope="session")
def runtime_dir() -> Iterator[Path]:
    """A short path, as Unix-domain sockets need; its hosts are stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cm"))
    yield folder
    stop_host(folder)
    assert host_status(folder) == []
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def make_llm(model_path: Path, runtime_dir: Path) -> Iterator[Callable[..., HostedLLM]]:
    """Makes clients of one host; keyword arguments are HostSettings (others start another host)."""
    clients: list[HostedLLM] = []

    def make(path: Path = model_path, **settings) -> HostedLLM:
        clients.append(
            HostedLLM(path, HostSettings(**{"runtime_dir": runtime_dir, "context_tokens": 4096, **settings}))
        )
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def llm(make_llm) -> HostedLLM:
    """A client of the shared host."""
    return make_llm()


@pytest.fixture(scope="session")
def real_llm(make_llm: Callable[..., HostedLLM]) -> HostedLLM:
    """The model with the context that users get."""
    return make_llm(context_tokens=8192)


@pytest.fixture(scope="session")
def package_root() -> Path:
    """A real package of several hundred files: networkx, pinned, unpacked from its wheel."""
    return tree("networkx")


@pytest.fixture(scope="session")
def package_index(package_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Its index, made anew for the run."""
    config = IndexConfig(cache_dir=tmp_path_factory.mktemp("cache"))
    with Index.open(package_root, config, create=True) as index:
        index.update()
        yield index


@pytest.fixture
def make_editor(tmp_path: Path, runtime_dir: Path, model_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts Neovims with the plugin; ended afterwards."""
    from tests.nvim_world import editors

    with editors(tmp_path, runtime_dir, model_path) as make:
        yield make


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of two files; one uses what the other defines."""
    from tests.nvim_world import make_repository

    return make_repository(tmp_path / "books")


@pytest.fixture(scope="module")
def shared_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for all tests of a module."""
    from tests.nvim_world import make_repository

    return make_repository(tmp_path_factory.mktemp("nvim") / "books")


@pytest.fixture(scope="module")
def shared_editor(shared_repository: Path, runtime_dir: Path, model_path: Path) -> Iterator[Any]:
    """A Neovim for all tests of a module, its folder indexed; ``renew`` it before each."""
    from tests.nvim_world import editors

    with editors(shared_repository.parent, runtime_dir, model_path) as make:
        made = make(shared_repository / "use.py")
        made.wait_for_index()
        yield made
