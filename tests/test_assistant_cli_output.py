from __future__ import annotations

import io
import json
import sys

import pytest

from assistant.cli import output
from assistant.cli.output import Output, clean, size
from assistant.cli.position import Place, column_at, parse_place, split_at
from indexer.errors import BadInputError
from indexer.reports import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢字 🙂\n\tx", "plain é 漢字 🙂\n\tx"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x9b31m\x7f", "\\x1b[2J\\x9b31m\\x7f"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("if admin:\u202e \u2066x", "if admin:\\u202e \\u2066x"),
        ("a\u2028b\udcff\U000e0041", "a\\u2028b\\xff\\U000e0041"),
    ],
)
def test_clean(text, shown):
    assert clean(text) == shown


def test_size():
    assert [size(n) for n in (0, 999, 1000, 491_400_064, 1_117_320_768)] == ["0 B", "999 B", "1 kB", "491 MB", "1.1 GB"]


def test_everything_written_is_clean(capsys):
    out = Output()
    out.line("a\x1b[31m", ("b\x1b", "bold"))
    out.piece("c\x1b")
    out.note("d\x1b\nx")
    out.line("e\nx\ty", ("\r", "bold"))
    out.text("f\ny\u202e\r\nz")
    captured = capsys.readouterr()
    assert captured.out == "a\\x1b[31mb\\x1b\nc\\x1be\\x0ax\ty\\x0d\nf\ny\\u202e\nz\n"
    assert captured.err == "codemoat: d\\x1b\\x0ax\n"


def test_json_is_ascii_on_one_line(capsys):
    Output(as_json=True).data({"text": "é\n\x1b\u202e\udcff", "n": 1})
    text = capsys.readouterr().out
    assert text.isascii()
    assert text.count("\n") == 1
    assert json.loads(text) == {"text": "é\n\x1b\u202e\udcff", "n": 1}


def test_a_terminal_gets_colour_but_no_markup_and_no_control_characters(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    Output().line(("path", "bold"), " [red]x[/red]\x1b]0;t\x07 :smile: " + "y" * 300)
    text = sys.stdout.getvalue()
    assert text.startswith("\x1b[1mpath\x1b[0m [red]x[/red]\\x1b]0;t\\x07 :smile: ")
    assert text.endswith("y" * 300 + "\n")


def test_no_color(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", Terminal())
    Output().line(("path", "red"), " x")
    assert "\x1b[31m" not in sys.stdout.getvalue()


def test_plain_progress_says_each_stage_once_and_then_seldom(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])
    with Output().progress() as show:
        for done in range(50):
            show(Progress("parse", done, 50, 0, 0))
        now[0] += 6
        show(Progress("parse", 50, 50, 0, 0))
        show(Progress("write", 0, 0, 0, 0))
        show.bytes("Fetching x", 1, 4_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "Reading files 0/50",
        "Reading files 50/50",
        "Writing the index",
        "Fetching x 0% of 4 MB",
    ]


def test_progress_on_a_terminal_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Output().progress() as show:
        show(Progress("parse", 1, 2, 0, 0))
        show.bytes("Fetching \x1b", 1, 2)
    assert "Fetching" in sys.stderr.getvalue()
    assert "\x1b\x1b" not in sys.stderr.getvalue()


@pytest.mark.parametrize(
    ("answer", "meant"), [("y\n", True), ("Yes\n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_confirm(monkeypatch, answer, meant):
    stdin = Terminal(answer)
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert Output().confirm("Fetch it?") is meant
    assert "Fetch it? [y/N]" in sys.stderr.getvalue()


def test_nobody_to_ask(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert Output().confirm("Fetch it?") is None


def test_parse_place():
    assert parse_place("a b/c.py:12:5") == Place(parse_place("a b/c.py:1:1").file, 12, 5)
    assert parse_place("C:x:1:2").file.name == "C:x"
    for bad in ("a.py", "a.py:1", "a.py:x:1", ":1:1", "a.py:1:-1", "a.py:1:1x", "a.py:1:" + "9" * 20):
        with pytest.raises(BadInputError, match="is not FILE:LINE:COL"):
            parse_place(bad)


@pytest.mark.parametrize(
    ("text", "line", "column", "prefix"),
    [
        ("ab\ncd\n", 2, 2, "ab\nc"),
        ("ab\ncd\n", 2, 3, "ab\ncd"),
        ("ab\ncd\n", 3, 1, "ab\ncd\n"),
        ("é🙂x", 1, 3, "é🙂"),
        ("ab\r\ncd", 1, 3, "ab"),
        ("", 1, 1, ""),
    ],
)
def test_split_at(text, line, column, prefix):
    before, after = split_at(text, Place(parse_place("x:1:1").file, line, column))
    assert (before, before + after) == (prefix, text)
    assert column_at(text.encode(), len(before.encode())) == column


@pytest.mark.parametrize(
    ("line", "column", "hint"),
    [
        (0, 1, "LINE goes from 1 to 3"),
        (4, 1, "LINE goes from 1 to 3"),
        (1, 0, "COL goes from 1 to 3"),
        (1, 4, "1 to 3"),
    ],
)
def test_split_at_no_such_place(line, column, hint):
    with pytest.raises(BadInputError) as caught:
        split_at("ab\r\nc\n", Place(parse_place("x:1:1").file, line, column))
    assert hint in caught.value.hint
