"""Masking of text that is no file of the index: typed questions, answers, pasted code, unfinished lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.masking import PROBE, mask_all, mask_file, mask_typed, path_of, without

VALUE = "a8F3kd92LmZx71QpWv04"
PASSWORD = "hunter2!x"
TOKEN = "ghp_" + "q7Zx81LmPd02VtYw93RbK4sN6uHjC5aE8fGo"
SECRETS = [
    ("a.py", 'KEY = "{}"', "AKIA" + "Q7ZX81LMPD02VTYW"),
    ("a.js", 'fetch("x", "{}")', TOKEN),
    ("a.sh", "T={}", "glpat-" + "q7Zx81LmPd02VtYw93Rb"),
    ("a.py", "DB = 'postgres://bob:{}@db.internal:5432/x'", "s3cr3tPw"),
    ("a.java", 'private static final String PASSWORD = "{}";', "Tr0ub4dor&3"),
    ("a.py", "password: str = '{}'", "пароль-Ünïx-9!ab"),
    ("a.json", '{{"private_token": "{}"}}', "a8F3kd92LmZx71QpWv04"),
    ("app.properties", "spring.datasource.password={}\n", "Zk8!qLm2pX"),
    ("a.yml", "db:\n  password: {}  # production\n", "hunter2x9"),
    ("a.xml", "<password>{}</password>", "Zk8qLm2pX9"),
    ("Dockerfile", "ENV API_KEY={}\n", VALUE),
    ("tests/test_a.py", 'token = "{}"', "a8F3kd92LmZx71QpWv04"),
]
"""Path, text, and the secret in it; put together here so that no scanner takes this file for a leak."""


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Why does this fail?\nAPI_KEY={VALUE}", VALUE),
        (f"Why does API_KEY={VALUE} fail?", VALUE),
        (f"Is `API_KEY={VALUE}` read anywhere?", VALUE),
        (f"I run it (with API_KEY={VALUE}) and nothing happens", VALUE),
        (f"My settings say password: {PASSWORD} # production", PASSWORD),
        (f'What does password = "{PASSWORD}" mean?', PASSWORD),
        (f'It is not closed: password = "{PASSWORD}', PASSWORD),
        (f"export TOKEN={TOKEN}\n", TOKEN),
        (f"what is {TOKEN}?", TOKEN),
        (f"see postgres://bob:{VALUE}@db.internal:5432/x please", VALUE),
        (f"```\nAPI_KEY={VALUE}\n```\nand?", VALUE),
        (f"```env\nAPI_KEY={VALUE}\n```", VALUE),
        (f"```dotenv\nAPI_KEY={VALUE}", VALUE),
        (f"~~~yaml\npassword: {PASSWORD}\n~~~", PASSWORD),
        (f"```deploy/.env.production\nAPI_KEY={VALUE}\n```", VALUE),
        (f"```12:14:config/app.properties\nspring.datasource.password={PASSWORD}\n```", PASSWORD),
        (f'```python title="app.py"\nclient(password="{PASSWORD}")\n```', PASSWORD),
        (f"```nosuchlanguage\nAPI_KEY={VALUE}\n```", VALUE),
    ],
)
def test_typed_text_loses_its_secrets(text, secret):
    masked = mask_typed(text)
    assert masked.text == text.replace(secret, "*" * len(secret))
    assert secret in masked.secrets


@pytest.mark.parametrize(("path", "text", "secret"), SECRETS)
def test_what_the_index_masks_is_masked_in_a_fence_of_that_file(path, text, secret):
    pasted = f"What is this?\n```{path}\n{text.format(secret)}\n```\n"
    assert mask_typed(pasted).text == pasted.replace(secret, "*" * len(secret.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "Where is the token: in the session or the request?",
        "Why is the word changeme123 rejected as a password?",
        "How does `password = get_password(config)` work?",
        "```python\ntoken = tokenizer_v2_next_value\nsecret_key = settings.SECRET_KEY_2\n```",
        "Say it's the user's key, or don't.",
    ],
)
def test_ordinary_questions_stay(text):
    assert mask_typed(text).text == text


@pytest.mark.parametrize(
    ("path", "language", "text"),
    [
        ("untitled/Untitled-1", "dotenv", f"API_KEY={VALUE}\n"),
        ("untitled/Untitled-1", "plaintext", f"API_KEY={VALUE}\n"),
        ("Untitled-1", "yaml", f"api_key: {VALUE}\n"),
        ("Untitled-1", "shellscript", f"export API_KEY={VALUE}\n"),
        ("app.py", "python", f'API_KEY = "{VALUE}"\n'),
        ("app.py", "python", f'connect(api_key="{VALUE}'),
        ("app.py", "python", f'connect(api_key="{VALUE} , user)'),
        ("app.py", "python", f"# don't use api_key = '{VALUE}"),
    ],
)
def test_a_buffer_is_masked_by_its_path_or_its_language(path, language, text):
    masked = mask_file(text, path, language)
    assert masked.text == text.replace(VALUE, "*" * len(VALUE))
    assert masked.secrets == {VALUE}


def test_what_ends_an_unfinished_value_is_masked_with_it_and_is_no_part_of_it():
    masked = mask_file(f'connect(api_key="{VALUE}, user)', "app.py")
    assert VALUE not in masked.text
    assert masked.text.endswith(" user)")
    assert masked.secrets == {VALUE}


def test_the_path_comes_before_the_language():
    assert path_of("a.py", "dotenv") == "a.py"
    assert path_of("LICENSE") == "LICENSE"
    assert path_of("", "ruby") == "typed.rb"
    assert path_of("bin/run", "nosuchlanguage") == "bin/run.txt"


def test_a_secret_is_masked_in_every_text_that_belongs_with_it():
    texts = [f"Why does API_KEY={VALUE} fail?", f"{VALUE} is too short, {VALUE[:-1]} too.", "Thanks."]
    stars = "*" * len(VALUE)
    assert mask_all(texts) == [f"Why does API_KEY={stars} fail?", f"{stars} is too short, {VALUE[:-1]} too.", "Thanks."]
    assert without("abc", {"abc"}) == "abc", "what is so short stands in ordinary text"


def test_lone_surrogates_are_no_error():
    assert mask_typed(f"\ud83d API_KEY={VALUE}").text == f"? API_KEY={'*' * len(VALUE)}"


@given(st.text(alphabet="ab\n\r\"'` =:#{}()\\é9", max_size=60), st.sampled_from(["a.py", "a.env", "a.md"]))
def test_masking_keeps_lines_and_bytes(text, path):
    text = f'{text}\npassword = "{PROBE}\n{text}'
    for masked in (mask_file(text, path), mask_typed(text)):
        assert len(masked.text.encode()) == len(text.encode())
        assert masked.text.count("\n") == text.count("\n")
        assert PROBE not in masked.text
