"""Tokens of known services: every format of the table is found, and every one that detect-secrets knows."""

from __future__ import annotations

import random
import re

import pytest
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.secrets import drawn, kinds
from indexer.secrets import mask_secrets
from indexer.secrets.randomness import is_sequence
from indexer.secrets.tokens import _EXAMPLE, formats

pytestmark = pytest.mark.slow

TOKENS = kinds("tokens")
DETECTORS = (
    GitHubTokenDetector,
    GitLabTokenDetector,
    OpenAIDetector,
    PypiTokenDetector,
    SendGridDetector,
    SquareOAuthDetector,
    StripeDetector,
    AzureStorageKeyDetector,
)


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize(("path", "text"), [("a.py", 'f("%s")'), ("a.md", "%s"), ("a.log", "it is\\n%s there")])
def test_a_token_needs_no_name(kind: str, path: str, text: str) -> None:
    rng = random.Random(kind)
    for _ in range(20):
        token = drawn(TOKENS[kind], rng)
        secret = token.partition("AccountKey=")[2] or token
        masked, count = mask_secrets((text % token).encode(), path)
        assert secret not in masked.decode()
        assert count >= 1


@pytest.mark.parametrize("name", formats())
def test_every_format_finds_what_it_describes(name: str) -> None:
    expression = formats()[name].decode()

    @settings(max_examples=5, database=None, deadline=None)
    @given(st.from_regex(re.compile(expression, re.ASCII), fullmatch=True, alphabet=st.characters(codec="ascii")))
    def check(token: str) -> None:
        # Drawn by hypothesis most are as regular as placeholders, which stay: those say nothing here.
        assume(len(set(token[-20:])) > 12 and not is_sequence(token.encode()) and not _EXAMPLE.search(token.encode()))
        assert mask_secrets(f'x("{token}")'.encode(), "a.py")[1] >= 1

    check()


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.__name__)
def test_what_detect_secrets_knows_is_found(detector: type) -> None:
    for pattern in detector.denylist:
        check_pattern(pattern)


def check_pattern(pattern: re.Pattern[str]) -> None:
    @settings(max_examples=20, database=None, deadline=None)
    @given(st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii")), st.randoms())
    def check(token: str, rng: random.Random) -> None:
        # Another letter or digit for each of the long runs that hypothesis likes to fill with zeros.
        token = re.sub(r"(?<=[0-9A-Za-z])0(?=0)", lambda _: rng.choice("abcdefghjkmnpqrstuvwxyz23456789"), token)
        assume(
            pattern.fullmatch(token)
            and "\\" not in token
            and len(set(token[-16:])) > 9
            and not _EXAMPLE.search(token.encode())
        )
        assert mask_secrets(f'x("{token}")'.encode(), "a.py")[1] >= 1

    check()


@pytest.mark.parametrize(
    "text",
    [
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "sk-proj-your-key-goes-here-and-nowhere-else",
        "npm_install_all_the_packages_of_the_workspace",
        "hf_000000000000000000000000000000000000",
        "SG.someAttributeOfTheThing.anotherAttributeOfTheSameThing",
    ],
)
def test_placeholders_and_names_stay(text: str) -> None:
    assert mask_secrets(f'x = "{text}"'.encode(), "a.py") == (f'x = "{text}"'.encode(), 0)
