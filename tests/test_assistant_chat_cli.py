"""`codemoat chat`: scripts, a terminal, saved conversations, bad input."""

from __future__ import annotations

import io
import sys

import pytest

from assistant.chat import WAITING
from assistant.errors import HostError
from assistant.llm import Waiting
from tests.cli_world import Cli, check_schema, furnish, write_files, write_indexed
from tests.fakes import FakeLLM

QUESTION = "how is a discounted price computed?"
SAID = "`discounted_price` takes the price and the percent [1]."


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    furnish(monkeypatch, tmp_path)
    root = write_files(tmp_path / "root")
    monkeypatch.chdir(root)
    write_indexed(root, tmp_path / "cache")
    made = Cli(capsys)
    made.llm.script = [SAID] * 9
    return made


@pytest.fixture
def lines(monkeypatch):
    """Standard input that is no terminal."""
    return lambda *questions: monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(questions) + "\n"))


@pytest.fixture
def typed(monkeypatch):
    """A terminal at which somebody types; an exception is raised where it stands."""

    def type_in(*inputs):
        waiting = iter([*inputs, EOFError()])

        def read(prompt=""):
            value = next(waiting)
            if isinstance(value, BaseException):
                raise value
            return value

        monkeypatch.setattr("builtins.input", read)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)

    return type_in


def test_every_line_is_a_question(cli, lines):
    lines(QUESTION, "", "and where is it used?")
    result = cli("chat", "--json")
    assert result.code == 0, result.err
    check_schema("chat", result.lines)
    first, second = result.lines
    assert first["conversation"] == second["conversation"]
    assert second["timings"]["reused_tokens"] >= first["timings"]["prompt_tokens"]
    lines(QUESTION)
    result = cli("chat", "--stream")
    check_schema("chat-stream", result.lines)
    assert [line["event"] for line in result.lines[:2]] == ["sources", "delta"]
    lines(QUESTION, "and where is it used?")
    plain = cli("chat")
    assert f"> {QUESTION}\n`discounted_price` takes" in plain.out
    assert "\nSources\n  [1] shop/prices.py:1-" in plain.out


def test_what_is_nowhere_is_said_first_by_both_commands_and_in_json(cli, lines):
    question, said = (
        "How does the RedisCache use discounted_price?",
        "`RedisCache` occurs nowhere in this repository (",
    )
    asked = cli("ask", question, "--json")
    check_schema("ask", asked.lines)
    assert asked.json["answer"].startswith(said)
    assert SAID.partition(" [")[0] in asked.json["answer"]
    assert cli("ask", question).out.startswith(said)
    streamed = cli("ask", question, "--stream").lines
    assert [line["event"] for line in streamed[:2]] == ["sources", "delta"]
    assert streamed[1]["text"].startswith(said)
    lines(question)
    (chatted,) = cli("chat", "--json").lines
    assert chatted["answer"].startswith(said)


class Held(FakeLLM):
    """Waits for completions first."""

    def chat(self, *arguments):
        yield Waiting("completions")
        yield from super().chat(*arguments)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_why_an_answer_waits_until_it_begins(cli, monkeypatch):
    cli.llm = Held([SAID] * 3)
    screen = Terminal()
    written: list[str] = []

    def write(text: str) -> int:
        written.append(text)
        return io.StringIO.write(screen, text)

    monkeypatch.setattr(screen, "write", write)
    monkeypatch.setattr("sys.stderr", screen)
    result = cli("ask", QUESTION)
    assert result.code == 0 and "`discounted_price` takes" in result.out
    shown = [text for text in written if text.startswith("\r")][-2:]  # after the model's loading
    assert [text.split("\r")[-1] for text in shown] == [WAITING["completions"], ""]
    assert len(shown[1].split("\r")[1]) == len(WAITING["completions"])  # blanks over it

    monkeypatch.setattr("sys.stderr", io.StringIO())  # no terminal: nothing
    result = cli("ask", "--stream", QUESTION)
    check_schema("ask-stream", result.lines)
    assert [line["event"] for line in result.lines[:3]] == ["sources", "waiting", "delta"]
    assert sys.stderr.getvalue() == ""


def test_conversations_are_listed_resumed_and_deleted(cli, lines):
    lines(QUESTION)
    identity = cli("chat", "--json").json["conversation"]
    listed = cli("chat", "--list", "--json")
    check_schema("chat-list", [listed.json])
    (only,) = listed.json["conversations"]
    assert (only["id"], only["title"], only["turns"]) == (identity, QUESTION, 1)
    assert f"{identity}    1 turn   {QUESTION}" in cli("chat", "--list").out
    lines("and where is it used?")
    resumed = cli("chat", "--resume", identity[:12], "--json")
    assert resumed.json["conversation"] == identity
    lines("why is that so?")
    assert cli("chat", "--resume", "--json").json["conversation"] == identity
    assert cli("chat", "--list", "--json").json["conversations"][0]["turns"] == 3
    deleted = cli("chat", "--delete", identity, "--json")
    check_schema("chat-delete", [deleted.json])
    assert cli("chat", "--list", "--json").json["conversations"] == []


def test_nothing_is_saved_where_that_is_switched_off(cli, lines, monkeypatch, tmp_path):
    monkeypatch.setenv("CODEMOAT_CHAT_SAVE", "false")
    lines(QUESTION)
    assert cli("chat", "--json").json["conversation"] is None
    assert not (tmp_path / "data" / "chats").exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["chat", "--resume"], "There is no saved conversation about this folder."),
        (["chat", "--resume", "2020"], "There is no conversation 2020 about this folder."),
        (["chat", "--delete", "2020"], "There is no conversation 2020 about this folder."),
        (["chat", "2020"], "A conversation was named without --resume."),
        (["chat", "--resume", "--list"], "--resume, --list and --delete exclude each other."),
        (["chat", "--file", "nope.py"], "The file nope.py is not there."),
        (["chat", "--file", "shop"], "The file shop is a folder."),
        (["chat", "--file", "shop/prices.py:9-3"], "Lines 9-3 are not possible."),
        (["chat", "--file", "shop/prices.py:99"], "shop/prices.py has 10 lines, no line 99."),
        (["chat", "--file", ".env"], ".env is not shown to the model."),
        (["chat"], "Standard input holds no question."),
    ],
)
def test_bad_input_is_one_sentence(cli, lines, argv, message):
    with open(".env", "w") as file:
        file.write("A=1\n")
    lines("")
    result = cli(*argv)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_file_and_its_lines_are_talked_about(cli, lines):
    lines("what does this do?")
    cli("chat", "--file", "shop/prices.py:1-3", "--json")
    content = cli.llm.calls[-1][0][1].content
    assert "[1] shop/prices.py:1-3" in content
    assert "The user has selected snippet [1]." in content


def test_an_error_ends_a_script_and_what_was_said_is_kept(cli, lines):
    cli.llm.failure, cli.llm.fail_after = HostError("The host died."), 3
    lines(QUESTION, "and where is it used?")
    result = cli("chat", "--stream")
    assert result.code == 4
    check_schema("chat-stream", result.lines)
    assert result.lines[-1]["error"]["code"] == "model_host"
    assert cli("chat", "--list", "--json").json["conversations"][0]["turns"] == 1


def test_a_talk_at_the_terminal(cli, typed):
    typed(
        QUESTION, "/sources", KeyboardInterrupt(), "/nope", "/file shop/prices.py:1-3", "what does this do?", "/file",
        "/title Prices", "/again", "/history", "/help", "/new", "/again", "/history",
    )  # fmt: skip
    result = cli("chat")
    assert result.code == 0, result.err
    assert result.out.count("`discounted_price` takes the price") == 5
    for said in (
        "There is no command /nope.", "Talking about shop/prices.py:1-3.", "No file is shown any more.",
        "A new conversation.", "There is no answer yet", "Nothing was asked yet.", "codemoat chat --resume ",
    ):  # fmt: skip
        assert said in result.err
    assert "/quit" in result.out
    assert [c["title"] for c in cli("chat", "--list", "--json").json["conversations"]] == ["Prices"]
    typed("/quit")
    assert f"> {QUESTION}\n" in cli("chat", "--resume").out


def test_an_error_at_the_terminal_ends_only_the_answer(cli, typed):
    cli.llm.failure, cli.llm.fail_after = HostError("The host died.", "Ask again."), 0
    typed(QUESTION, "/history")
    result = cli("chat")
    assert result.code == 0
    assert "The host died. Ask again." in result.err
