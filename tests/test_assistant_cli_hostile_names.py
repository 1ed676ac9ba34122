"""Names of files and folders as hostile as a file system takes them: every command shows them on one line, escaped."""

from __future__ import annotations

import os
import unicodedata
import warnings

import pytest

from indexer.reasons import printable, visible
from tests.cli_world import Cli, furnish
from tests.fakes import FakeLLM

NAMES = (
    "plain.py",
    "new\nINJECTED line.py",
    "escape\x1b]0;owned\x07\x1b[31m.py",
    "return\rINJECTED.py",
    "bidi\u202egpj.py",
    "c1\x9b31m\x85INJECTED.py",
    "zero\u200bwidth\u2066.py",
    "line\u2028INJECTED\u2029.py",
    "tab\there.py",
    "-rf.py",
    "[red]markup[bold].py",
)
SKIPPED = ("image\n\x1b[2JINJECTED.png", "key\u202e\nINJECTED.pem", "ignored\nINJECTED.log", "rule\x1b[31mINJECTED.tmp")
SAFE = {"\n", "\t"}


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    furnish(monkeypatch, tmp_path)
    root = tmp_path / "ro\not\x1b[31mINJECTED"
    folder = root / "fol\nINJECTED\x1b[31mder"
    folder.mkdir(parents=True)
    for place in (root, folder):
        for number, name in enumerate(NAMES):
            text = f"def needle_{number}(value):\n    return value + {number}\n"
            (place / name).write_text(text)
        for name in SKIPPED:
            (place / name).write_bytes(b"\x89PNG\0")
    (root / "link\nINJECTED").symlink_to("plain.py")
    with open(os.fsencode(root) + b"/bad\xff\nINJECTED.py", "wb") as file:
        file.write(b"x = 1\n")
    (root / ".codemoatignore").write_bytes(b"*.log\nrule\x1b*\n")
    monkeypatch.chdir(root)
    return Cli(capsys)


def assert_shown_safely(result):
    for text in (result.out, result.err):
        unsafe = [c for c in text if c not in SAFE and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
        assert not unsafe, (unsafe, text)
        for line in text.split("\n"):
            assert not line.startswith("INJECTED"), text


COMMANDS = [
    ["index"],
    ["index", "--rebuild"],
    ["search", "needle"],
    ["search", "needle", "--explain"],
    ["search", "-e", "needle"],
    ["search", "-E", "needle_\\d"],
    ["search", "-e", "needle", "--files"],
    ["search", "-e", "needle", "-g", "*INJECTED*"],
    ["search", "needle", "-l", "no\nINJECTED\x1blanguage"],
    ["search", "needle", "--kind", "no\nINJECTED\x1bkind"],
    ["search", "needle", "-g", "#\nINJECTED\x1b"],
    ["search", "needle", "--since", "no\nINJECTED\x1brevision"],
    ["search", "-E", "(\nINJECTED\x1b"],
    ["search", "needle", "--path", "no\nINJECTED\x1bfolder"],
    *(["index", "--explain", name] for name in (*NAMES[1:5], *SKIPPED, "link\nINJECTED", "gone\nINJECTED\x1b")),
    ["status"],
    ["doctor", "--no-model"],
    ["ask", "What does needle_1 do?"],
    ["chat", "--file", "new\nINJECTED line.py", "--list"],
    ["chat", "--file", "gone\nINJECTED\x1b.py"],
    ["complete", "new\nINJECTED line.py:2:12"],
    ["complete", "new\nINJECTED line.py:99:12"],
    ["complete", "gone\nINJECTED\x1b.py:1:1"],
    ["complete", "nonsense\nINJECTED\x1b"],
    ["config"],
    ["config", "get", "no\nINJECTED\x1bkey"],
    ["config", "set", "model.name", "no\nINJECTED\x1bmodel"],
    ["no\nINJECTED\x1bcommand"],
    ["search", "--no\nINJECTED\x1boption"],
    ["models", "path", "no\nINJECTED\x1bmodel"],
]


def test_every_command_shows_hostile_names_safely(cli):
    cli.llm = FakeLLM(["It is in new\nx\x1b[31m.py [1], \u202ebackwards."] * 20)
    for argv in COMMANDS:
        for form in ([], ["--json"]):
            if form and argv[0] == "config" and len(argv) > 1:
                continue
            result = cli(*argv, *form)
            assert_shown_safely(result)
            assert "Internal error" not in result.err + result.out, (argv, result)
            assert result.code in (0, 1, 2, 4), (argv, result)


def test_hostile_names_are_found_and_escaped(cli):
    shown = cli("search", "-e", "needle_1").out
    assert "new\\x0aINJECTED line.py:1:def needle_1" in shown
    assert "fol\\x0aINJECTED\\x1b[31mder/" in shown
    assert [m["path"] for m in cli("search", "-e", "needle_1(", "--json").json["matches"]] == [
        "fol\nINJECTED\x1b[31mder/new\nINJECTED line.py",
        "new\nINJECTED line.py",
    ]
    skipped = cli("index").out
    assert "image\\x0a\\x1b[2JINJECTED.png: Binary file" in skipped


PATTERNS = ("[[", "[[]", "[[a]", "[a&&b]", "[a--b]", "[a||b]", "[!a~~b]", "*[[*", "[[:alpha:]]*")


def test_no_pattern_of_the_user_makes_a_warning(cli):
    assert cli("index").code == 0
    for option in ("-g", "-E", "-e"):
        for pattern in PATTERNS:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                result = cli("search", *(["needle", option, pattern] if option == "-g" else [option, pattern]))
            assert result.code in (0, 1, 2)
            assert not any(word in result.err for word in ("Warning", "Internal"))
    result = cli("search", "needle", "-g", "[[")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "The path pattern '[[' is not valid." in result.err


@pytest.mark.parametrize(
    ("text", "stored", "shown"),
    [
        ("a\n\t\x1b.py", "a\n\t\x1b.py", "a\\x0a\\x09\\x1b.py"),
        ("a\udcff", "a\\xff", "a\\xff"),
        ("a\ud800é", "a\\ud800é", "a\\ud800é"),
        ("é漢🙂\x85\u202e\u2028\U000e0041", "é漢🙂\x85\u202e\u2028\U000e0041", "é漢🙂\\x85\\u202e\\u2028\\U000e0041"),
    ],
)
def test_one_function_escapes_for_showing_and_one_for_storing(text, stored, shown):
    assert printable(text) == stored
    assert visible(text) == shown
    assert visible(printable(text)) == shown
