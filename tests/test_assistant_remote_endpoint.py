from __future__ import annotations

import pytest

from assistant.remote.endpoint import Endpoint
from indexer.errors import BadInputError


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.1.2.3", True),
        ("http://localhost:11434/", True),
        ("http://box.localhost:1", True),
        ("http://[::1]:8080", True),
        ("http://0.0.0.0:8080", False),
        ("http://192.168.1.5:8080", False),
        ("https://localhost.example.org/v1", False),
        ("https://api.example.org/v1", False),
        ("http://127.0.0.1.example.org", False),
    ],
)
def test_only_loopback_is_this_machine(url, local):
    endpoint = Endpoint.parse(url)
    assert endpoint.is_local == local
    assert ("nothing leaves it" in endpoint.notice) == local
    assert ("leave this machine" in endpoint.notice) != local
    assert ("unencrypted" in endpoint.notice) == (not local and url.startswith("http:"))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("localhost:8080", "no address of a model server"),
        ("127.0.0.1:8080", "no address of a model server"),
        ("ftp://host", "no address of a model server"),
        ("http://", "no address of a model server"),
        ("http://ho st/", "no address of a model server"),
        ("http://host:99999", "no valid address"),
        ("http://[::1", "no valid address"),
        ("http://user:hunter2@host", "user name or password"),
        ("http://user:hunter2@[::1", "user name or password"),
        ("http://user:hunter2/x@host", "user name or password"),
        ("user:hunter2@host", "user name or password"),
        ("https://host/v1?key=x", "before any"),
        ("https://host/v1#x", "before any"),
    ],
)
def test_what_is_no_address(url, sentence):
    with pytest.raises(BadInputError, match=sentence) as caught:
        Endpoint.parse(url)
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "\n" not in caught.value.message


def test_a_key_is_in_no_representation():
    assert "s3cret" not in repr(Endpoint.parse("http://host", key="s3cret"))
    for key in ("sch\u00e4ll", "a\nb"):
        with pytest.raises(BadInputError, match="api_key") as caught:
            Endpoint.parse("http://host", key=key)
        assert key not in caught.value.message


def test_the_paths_of_the_openai_interface():
    assert Endpoint.parse("https://host/v1/").openai == ""
    assert Endpoint.parse("https://host/api").openai == "/v1"
