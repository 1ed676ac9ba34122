from __future__ import annotations

import functools

import pytest
from model_world import BODY, WRONG_BODY, entry, furnish, serving, sha256, use_catalogue

from assistant.errors import DamagedModelError, NetworkError
from assistant.models import pull
from assistant.models.catalogue import HubSource


@pytest.fixture
def know(monkeypatch, tmp_path):
    """Replace the catalogue."""
    furnish(monkeypatch, tmp_path / "data")
    return functools.partial(use_catalogue, monkeypatch)


@pytest.fixture
def hub(monkeypatch):
    """A file server in the hub's place."""
    from huggingface_hub import constants

    with serving() as server:
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        server.headers = {"X-Repo-Commit": "c0ffee", "X-Linked-Etag": f'"{sha256(BODY)}"'}
        yield server


def test_pull_from_the_hub(hub, know):
    know(entry(HubSource("owner/repo", "tiny.gguf")))
    assert pull("tiny").read_bytes() == BODY
    assert {path for _, path, _ in hub.requests} == {"/owner/repo/resolve/main/tiny.gguf"}


def test_an_unpinned_file_must_match_the_hash_the_hub_announces(hub, know):
    know(entry(HubSource("owner/repo", "tiny.gguf"), pinned=False))
    hub.body = WRONG_BODY
    with pytest.raises(DamagedModelError, match=sha256(BODY)):
        pull("tiny")
    hub.body = BODY
    assert pull("tiny").read_bytes() == BODY


@pytest.mark.parametrize(
    ("status", "headers", "reason"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, "the hub has no tiny.gguf in owner/repo"),
        (404, {"X-Error-Code": "EntryNotFound"}, "the hub has no tiny.gguf in owner/repo"),
        (403, {"X-Error-Code": "GatedRepo"}, "accept the licence at huggingface.co/owner/repo"),
        (500, {}, "the hub answered 500"),
    ],
)
def test_what_the_hub_refuses_is_said_plainly(hub, know, status, headers, reason):
    know(entry(HubSource("owner/repo", "tiny.gguf")))
    hub.status, hub.headers = status, headers
    with pytest.raises(NetworkError, match=reason):
        pull("tiny")


def test_the_hubs_offline_switch_holds(hub, know, monkeypatch):
    from huggingface_hub import constants
    from huggingface_hub.utils import close_session

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    close_session()
    know(entry(HubSource("owner/repo", "tiny.gguf")))
    try:
        with pytest.raises(NetworkError, match="HF_HUB_OFFLINE"):
            pull("tiny")
    finally:
        close_session()
    assert hub.requests == []
