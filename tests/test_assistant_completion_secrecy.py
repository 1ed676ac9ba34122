"""Suggestions and secrets: lines that get none, suggestions that are cut or not shown, and what another server sees."""

from __future__ import annotations

import threading

import pytest

from assistant.completion import generation, secrecy
from assistant.completion.completer import Completer
from assistant.completion.request import CompletionRequest
from assistant.completion.secrecy import holds_secret, mask_around, may_begin, without_secrets
from assistant.completion.suggester import Suggester
from assistant.completion.trim import Trimmed
from assistant.llm import FillRequest
from assistant.masking import PROBE
from assistant.remote.masked import MaskedLLM
from lsp.decisions import REASONS
from tests.fakes import FakeLLM
from tests.small_index import SmallIndex
from tests.typist_world import END, Typist, at

VALUE = "a8F3kd92LmZx71QpWv04"
PASSWORD = "hunter2!x"
KEY = "\n".join(
    ["MIIEowIBAAKCAQEA75Xb3n2Qd8f7Wm0Rk1qf9aZkq0cTtYx2LmW8", "qf9/aZ+kq0cTtYx2LmW8Qd8f7Wm0Rk1MIIEowIBAAKCAQ"] * 3
)
BEGIN, CLOSE = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"


def asked(text: str, path: str = "app.py", language: str = "python") -> CompletionRequest:
    """A request at the ``|`` of a text."""
    prefix, suffix = text.split("|")
    return CompletionRequest(path, language, 1, prefix, suffix)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f'password = "{PASSWORD}"|\n', "app.py"),
        (f'password = "{PASSWORD}" + |\n', "app.py"),
        (f'|password = "{PASSWORD}"\n', "app.py"),
        (f'connect(|, password="{PASSWORD}")\n', "app.py"),
        (f'password = "{PASSWORD}|\n', "app.py"),
        (f'password = "{PASSWORD}|"\n', "app.py"),
        ('password = "hunter2|!x"\n', "app.py"),
        (f'connect(password="{PASSWORD}|)\n', "app.py"),
        (f"x = 1\nAPI_KEY={VALUE}|\ny = 2\n", "deploy.sh"),
        ("x = 1\r\nAPI_KEY=a8F3kd|92LmZx71QpWv04\r\ny = 2\r\n", "deploy.sh"),
        (f"API_KEY={VALUE} |\n", "Untitled-1"),
        (f"{BEGIN}\n{KEY}\n|\n{KEY}\n{CLOSE}\n", "key.py"),
        (f'K = """{BEGIN}\n{KEY[:30]}|', "key.py"),
    ],
)
def test_a_line_that_holds_a_secret_gets_no_suggestion_and_the_model_is_not_asked(text, path):
    llm = FakeLLM(["anything"])
    language = "text" if path == "Untitled-1" else "python"
    request = asked(text, path, language)
    assert holds_secret(request)
    for done in (Completer(None, llm).complete(request), Suggester(Completer(None, llm)).suggest(request)):
        assert (done.text, done.stop_reason, done.reused) == ("", "secret-line", True)
    assert llm.calls == []


@pytest.mark.parametrize(
    "text",
    [
        'password = "|\n',
        'password = "changeme|"\n',
        "password = get_password(|)\n",
        f'password = "{PASSWORD}"\nx = |\n',
        f'x = |\npassword = "{PASSWORD}"\n',
        f"{BEGIN}\n{KEY}\n{CLOSE}\nx = |\n",
        f'if line == "{BEGIN}":\n    |\n',
    ],
)
def test_other_lines_get_suggestions(text):
    assert not holds_secret(asked(text))
    assert Completer(None, FakeLLM(["total"])).complete(asked(text)).stop_reason in ("line", "block")


def test_the_rules_are_those_of_the_path():
    line = 'password = "hunter2|"\n'
    assert holds_secret(asked('password = "hunter2x9|"\n', "app.py"))
    assert not holds_secret(asked(line, "tests/test_login.py"))


@pytest.mark.parametrize(
    ("text", "suggested", "path"),
    [
        ("password = |\n", f'"{PASSWORD}"', "app.py"),
        ('password = "|\n', f'{PASSWORD}"', "app.py"),
        ('password = "|"\n', PASSWORD, "app.py"),
        ('password = "|\n', PASSWORD, "app.py"),
        ('password = "|\n', '*********"', "app.py"),
        ("API_KEY=|\n", "*" * 20, "deploy.sh"),
        ("API_KEY=|\n", VALUE, "deploy.sh"),
        ("|\n", f'password = "{PASSWORD}"', "app.py"),
        (f'password = "{PASSWORD}"\nprint(|\n', f'"{PASSWORD}")', "app.py"),
        (f'password = "{PASSWORD}"\nprint("hun|\n', 'ter2!x")', "app.py"),
        (f'password = "{PASSWORD}"\nprint("hunter2|\n', '!x")', "app.py"),
        (f'print(|\n\npassword = "{PASSWORD}"\n', f"'{PASSWORD}')", "app.py"),
        (f"# |\n{BEGIN}\n{KEY}\n{CLOSE}\n", KEY.split("\n")[0], "key.py"),
        (f"{BEGIN}\n{KEY}\n{CLOSE}\n|\n", "*" * 60, "key.py"),
    ],
)
def test_a_suggestion_that_holds_a_secret_is_not_shown(text, suggested, path):
    request = asked(text, path)
    llm = FakeLLM([suggested])
    assert not holds_secret(request)
    done = Completer(None, llm).complete(request)
    assert (done.text, done.stop_reason, len(llm.calls)) == ("", "secret-text", 1)
    assert without_secrets(request, Trimmed(suggested, "line")) == Trimmed("", "secret-text")


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("x = |\n", "compute(a, b)"),
        ("|\n", "/*****************************"),
        ("|\n", " * **** heading ****"),
        ("|\n", "# ****************************"),
        ("f(|)\n", "*args, **kwargs"),
        ('password = "|"\n', "changeme"),
        (f'password = "{PASSWORD}"\nlogin(|\n', "password)"),
        (f'password = "{PASSWORD}"\nhunt(|\n', "hunter)"),
    ],
)
def test_other_suggestions_are_shown(text, suggested):
    assert without_secrets(asked(text), Trimmed(suggested, "line")) == Trimmed(suggested, "line")


def test_a_block_is_cut_before_the_line_with_a_secret():
    block = f'user = "bob"\n    password = "{PASSWORD}"\n    return user'
    request = asked("def f():\n    |\n")
    done = Completer(None, FakeLLM(["    " + block])).complete(request)
    assert (done.text, done.stop_reason) == ('user = "bob"', "secret-cut")
    windows = asked("def f():\r\n    |\r\n")
    assert Completer(None, FakeLLM(["    a = 1\n    b = 2\n    token = '" + VALUE + "'\n"])).complete(windows).text == (
        "a = 1\r\n    b = 2"
    )


def test_every_reason_is_a_sentence_for_people():
    for reason in (secrecy.SECRET_LINE, secrecy.SECRET_TEXT, secrecy.SECRET_CUT):
        assert REASONS[reason].endswith(".")
        assert "secret" in REASONS[reason]


def test_first_words_wait_where_a_secret_may_begin():
    assert not may_begin(asked('password = "|\n'), "hun")
    assert not may_begin(asked("|\n"), 'password = "hun')
    assert not may_begin(asked("API_KEY=|\n", "deploy.sh"), "a8F")
    assert not may_begin(asked(f'password = "{PASSWORD}"\nprint(|\n'), '"hunt')
    assert may_begin(asked(f'password = "{PASSWORD}"\nprint(|\n'), '"hello')
    assert may_begin(asked("x = |\n"), "compute(")


def test_no_first_words_of_a_secret_are_shown_while_it_is_written(monkeypatch):
    looked = threading.Event()

    def looking(asked, words):
        looked.set()
        return may_begin(asked, words)

    monkeypatch.setattr(generation, "may_begin", looking)
    typist = Typist()
    try:
        first = typist.begun('password = "')
        typist.llm.wait_for_call()
        typist.llm.write("hunt-er")
        assert looked.wait(60), "there were first words to show"
        typist.llm.write('2!x9"', END)
        done = first.result(timeout=60)
        assert (done.text, done.stop_reason) == ("", "secret-text")
        # What is known of the place, and of places within it, is withheld too.
        for typed in ("", "hun"):
            known = typist.suggester.known(at('password = "' + typed))
            assert known is not None
            assert (known.text, known.stop_reason) == ("", "secret-text")
    finally:
        typist.close()


def test_others_to_choose_from_hold_no_secret():
    llm = FakeLLM(["one", f'"{PASSWORD}"', "three", "four"], alternatives=True)
    suggester = Suggester(Completer(None, llm), patience=60)
    try:
        request = asked("password = |\n")
        first = suggester.suggest(request)
        assert [done.text for done in suggester.others(request, first)] == ["three"]
    finally:
        suggester.close()


def test_nothing_is_evaluated_ahead_on_a_line_with_a_secret():
    llm = FakeLLM(["x"])
    suggester = Suggester(Completer(None, llm))
    suggester.warm(asked(f'password = "{PASSWORD}"|\n'))
    suggester.close()
    assert llm.calls == []


# What another server's model is shown.


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{PASSWORD}"\nx = |\n',
        f'x = |\npassword = "{PASSWORD}"\n',
        f'password = "{PASSWORD}|"\n',
        f'password = "{PASSWORD}\nx = |\ny = 3\n',
        f"password = '{PASSWORD}'\n" + "x = 1\n" * 600 + "y = |\n" + "z = 1\n" * 600 + f"token = '{VALUE}'\n",
        f"{BEGIN}\n{KEY}\n|\n{KEY}\n{CLOSE}\n",
        f"x = |\n{BEGIN}\n{KEY}\n{CLOSE}\n",
        "\n".join([BEGIN, *[KEY] * 10, "|", *[KEY] * 10, CLOSE, ""]),
    ],
)
def test_the_text_around_the_cursor_is_masked(text):
    prefix, suffix = text.split("|")
    around = mask_around(prefix, suffix, "app.py")
    for secret in (PASSWORD, VALUE, *KEY.split("\n")):
        assert secret not in around.prefix + around.suffix
    assert (len(around.prefix), len(around.suffix)) == (len(prefix), len(suffix))
    masked, before = (around.prefix + around.suffix).split("\n"), (prefix + suffix).split("\n")
    assert all(line == old or "*" in line for line, old in zip(masked, before, strict=True))


def test_a_key_across_the_edge_of_what_is_looked_at_is_masked():
    far = "x = 1\n" * 20_000
    for before in range(0, 400, 40):
        near = "y = 2\n" * ((secrecy._REGION - len(KEY) - before) // 6)
        prefix = f"{far}{BEGIN}\n{KEY}\n{CLOSE}\n{near}"
        around = mask_around(prefix, "\n" + near + f"{BEGIN}\n{KEY}\n{CLOSE}\n" + far, "app.py")
        assert not any(line in around.prefix + around.suffix for line in KEY.split("\n"))
        assert around.prefix.count("\n") == prefix.count("\n")


def test_a_remote_model_gets_masked_text_and_its_suggestion_fits_the_real_one():
    text = f'class Client:\n    password = "{PASSWORD}"\n\ndef login(client):\n    check("|")\n'
    llm = FakeLLM(["client.password)"])
    files = {"a.py": "def check(value):\n    return value\n"}
    done = Completer(SmallIndex(files), MaskedLLM(llm)).complete(asked(text))
    assert done.text == "client.password"
    ((request, _),) = llm.calls
    assert isinstance(request, FillRequest)
    assert PASSWORD not in request.prefix + request.suffix
    assert "*" * len(PASSWORD) in request.prefix
    start = len(text.split("|")[0].encode())
    assert (done.replace.start_byte, done.replace.end_byte) == (start, start)


def test_a_remote_tokenizer_gets_no_secret():
    counted: list[str] = []

    class Counting(FakeLLM):
        def count(self, texts):
            counted.extend(texts)
            return super().count(texts)

    text = f"{BEGIN}\n{KEY}\n{CLOSE}\npassword = '{PASSWORD}'\nx = |\n"
    Completer(None, MaskedLLM(Counting(["1"]))).complete(asked(text))
    assert counted
    assert not any(secret in line for line in counted for secret in (PASSWORD, *KEY.split("\n")))


def test_a_local_model_sees_the_text_as_it_is():
    llm = FakeLLM(["1"])
    Completer(None, llm).complete(asked(f'password = "{PASSWORD}"\nx = |\n'))
    assert PASSWORD in llm.calls[0][0].prefix


def test_typing_masks_only_the_line(monkeypatch):
    sizes: list[int] = []
    from indexer import secrets

    real = secrets.mask_secrets
    monkeypatch.setattr(secrets, "mask_secrets", lambda data, path="": (sizes.append(len(data)), real(data, path))[1])
    above, below = "def f(a, b):\n    return a\n" * 500, "\nz = 3\n" * 500
    completer = Completer(None, MaskedLLM(FakeLLM(["1"] * 40)))
    completer.complete(asked(f"{above}x = |{below}"))
    whole = [size for size in sizes if size > 5_000]
    assert whole, "the lines above and below were looked at"
    sizes.clear()
    for typed in ("c", "co", "com", "comp"):
        completer.complete(asked(f"{above}x = {typed}|{below}"))
    assert sizes
    assert max(sizes) < 5_000


def test_the_check_of_a_line_is_made_once():
    secrecy._line_holds.cache_clear()
    request = asked("def f():\n    value = compute(|)\n")
    for _ in range(5):
        assert not holds_secret(request)
    assert secrecy._line_holds.cache_info().misses == 1
    assert PROBE.isalnum()
