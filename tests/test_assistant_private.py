"""What is stored of conversations, sent to another server, and written of failures holds no secret."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import house_rules as rules
import pytest

from assistant.chat import AskSettings, ChatSession, Done
from assistant.completion.instruct import InstructFill
from assistant.config import Config, load_config
from assistant.context import Source
from assistant.conversation import Conversation, Recap, Turn, encode, new_conversation, shortened
from assistant.engine import Engine
from assistant.errors import RemoteError
from assistant.excerpts import OpenFile, Selection, excerpts
from assistant.llm import FillRequest, Message, Sampling, Snippet
from assistant.prompts import messages, parts, snippets
from assistant.remote.client import RemoteLLM
from assistant.remote.endpoint import Endpoint
from assistant.remote.masked import MaskedLLM
from assistant.saved_chats import SavedChats
from assistant.traces import TraceFormatter, trace
from assistant.trimming import fitted
from benchmarks.common import ROOT
from tests.fakes import FakeLLM
from tests.remote_world import serving
from tests.small_index import SmallIndex
from tests.test_assistant_chat_turns import FILES, FIRST
from tests.test_assistant_masking import SECRETS

VALUE = "a8F3kd92LmZx71QpWv04"
STARS = "*" * len(VALUE)


@pytest.fixture
def chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SavedChats:
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(tmp_path / "data"))
    return SavedChats(tmp_path / "root")


def stored(chats: SavedChats, conversation: Conversation) -> str:
    chats.save(conversation)
    return (chats.folder / f"{conversation.id}.json").read_text()


# Saved conversations.


@pytest.mark.parametrize(("path", "text", "secret"), SECRETS)
def test_the_secrets_of_the_index_are_masked_in_a_saved_conversation(chats, path, text, secret):
    shown = text.format(secret)
    question = f"What is this?\n```{path}\n{shown}\n```"
    turn = Turn(question, f"It is {secret}.", f"It is {secret}. [1]", (Source(1, path, 1, 1, shown, origin="editor"),))
    saved = stored(chats, new_conversation().with_turn(turn))
    assert secret not in saved
    assert "*" * len(secret) in saved


def test_a_title_is_made_of_the_masked_question(chats):
    question = "Why does this service, which was set up last year, fail when one says API_KEY=" + VALUE + " and so on?"
    conversation = new_conversation().with_turn(Turn(question, "So.", "So."))
    assert VALUE[:4] not in conversation.title
    assert len(conversation.title) <= 80
    # A title that an earlier version cut off within the secret is made again.
    cut = Conversation(conversation.id, "", shortened(question), 0.0, conversation.turns)
    assert "API_KEY=a" in cut.title
    assert VALUE[:4] not in stored(chats, cut)
    assert VALUE not in stored(chats, Conversation(conversation.id, "", f"API_KEY={VALUE} again", 0.0, cut.turns))


def test_a_title_of_the_users_is_masked_before_it_is_cut(chats):
    title = "The conversation about the service that was set up last year, with API_KEY=" + VALUE
    session = ChatSession(SmallIndex(FILES), FakeLLM(["So [1]."]), keep=chats.save)
    list(session.ask(FIRST))
    session.rename(title)
    assert VALUE[:4] not in session.title
    assert VALUE[:4] not in chats.rename(session.id, title).title
    assert VALUE[:4] not in chats.load(session.id).title


def test_a_recap_is_made_of_masked_questions():
    long = "why is that so? " * 5 + f"Is it because of API_KEY={VALUE} in the settings?"
    token = "ghp_" + "q7Zx81LmPd02VtYw93RbK4sN6uHjC5aE8fGo"
    turns = tuple(Turn(f"{long} And {token}?", f"Since {token}.", f"Since {token}. [1]") for _ in range(8))
    conversation = Conversation("x", "", turns=turns)
    whole = FakeLLM().count_chat(messages(conversation, Turn("", "", "")))
    recap = fitted(conversation, FakeLLM(), whole - 1, 100).recap
    assert "Earlier the user asked" in recap.text
    assert VALUE[:4] not in recap.text
    assert token not in recap.text


def test_a_recap_and_its_snippets_are_masked_on_disk(chats):
    source = Source(1, "a.py", 1, 1, f'key(api_key="{VALUE}\n')
    recap = Recap(f"Earlier the user asked: why {VALUE}?", (source,))
    turn = Turn(f"API_KEY={VALUE}", "So.", "So.")
    assert VALUE not in stored(chats, Conversation(new_conversation().id, "", "x", 0.0, (turn,), recap=recap))


def test_a_resumed_conversation_keeps_its_form(chats):
    session = ChatSession(SmallIndex(FILES), FakeLLM([f"As {VALUE} says [1]."]), AskSettings(), keep=chats.save)
    *_, done = session.ask(f"{FIRST} With API_KEY={VALUE} set?")
    assert isinstance(done, Done)
    assert VALUE in session.turns[0].question, "what the user reads in this session is what they typed"
    found = chats.load(session.id)
    assert found.turns[0].question == f"{FIRST} With API_KEY={STARS} set?"
    assert found.turns[0].generated == f"As {STARS} says [1]."
    assert encode(found) == encode(chats.load(session.id))


@pytest.mark.parametrize("shown", ["selection", "file"])
def test_an_untitled_buffer_is_masked_by_its_language(shown):
    text = f"API_KEY={VALUE}\nRETRIES=3\n"
    selection = Selection("Untitled-1", text, 1, "dotenv") if shown == "selection" else None
    file = OpenFile("Untitled-1", text, 1, "dotenv")
    (source,) = excerpts(SmallIndex({}), "what does this file do?", selection, file, 1000, FakeLLM())
    assert source.text == f"API_KEY={STARS}\nRETRIES=3\n"


# Another server.


def test_only_the_engine_makes_a_remote_model_and_masks_what_it_gets():
    made = [
        path.relative_to(ROOT).as_posix()
        for floor in rules.FLOORS
        for path in (ROOT / floor).rglob("*.py")
        if "RemoteLLM(" in path.read_text()
    ]
    assert made == ["assistant/engine.py"]


@pytest.mark.parametrize("by_chat", [True, False])
def test_the_engine_masks_what_goes_to_a_server(tmp_path, monkeypatch, by_chat):
    monkeypatch.setenv("CODEMOAT_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("CODEMOAT_MODEL_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CODEMOAT_MODEL_FILL_BY_CHAT", str(by_chat).lower())
    with Engine(load_config(None), tmp_path) as engine:
        assert isinstance(engine.llm, MaskedLLM)
        assert isinstance(engine.llm.llm, InstructFill if by_chat else RemoteLLM)
    with Engine(Config(), tmp_path, llm=FakeLLM()) as engine:
        assert isinstance(engine.llm, FakeLLM)


def test_every_text_to_a_server_is_masked():
    counted: list[str] = []

    class Recording(FakeLLM):
        def count(self, texts):
            counted.extend(texts)
            return super().count(texts)

    llm = Recording(["1", "2"])
    masked = MaskedLLM(llm)
    assert masked.info.remote
    assert not llm.info.remote
    request = FillRequest(
        "a.py", f'key = "{VALUE}"\nx = ', f"\ny('{VALUE}')\n", (Snippet("a.yml", f"api_key: {VALUE}"),)
    )
    prompt = [
        Message(
            "user", snippets([Source(1, "a.py", 1, 2, "token = tokenizer_v2\n")]) + f"Question: is API_KEY={VALUE}?"
        ),
        Message("assistant", f"Yes, {VALUE} is."),
        Message("user", f"Sure, {VALUE}?"),
    ]
    masked.count([f"Is API_KEY={VALUE} set?"])
    masked.count_chat(prompt)
    masked.count_fill(request)
    list(masked.chat(prompt, Sampling()))
    list(masked.fill(request, Sampling()))
    assert counted
    assert VALUE not in "".join(counted) + str(llm.calls)
    assert "token = tokenizer_v2" in str(llm.calls)
    masked.close()
    assert llm.closed


def test_a_secret_stays_known_after_the_text_that_named_it():
    llm = FakeLLM(["1", "2"])
    masked = MaskedLLM(llm)
    list(masked.fill(FillRequest("a.py", f'API_KEY = "{VALUE}"\nx = ', "\n"), Sampling()))
    list(masked.chat([Message("user", f"What is {VALUE}?")], Sampling()))
    assert (
        llm.calls[1][0] == (Message("user", f"What is {STARS}?"),) or llm.calls[1][0][0].content == f"What is {STARS}?"
    )


def test_a_message_comes_apart_by_the_paths_of_its_snippets():
    first, second = Source(1, "a.py", 1, 2, "x = 1\ny = 2\n", "f (g)"), Source(2, "b c.yml", 3, 3, "z: 3\n")
    content = f"Before. {snippets([first, second])}Question: why [1]?\n"
    found = list(parts(content))
    assert "".join(text for _, text in found) == content
    assert [(path, text) for path, text in found if path is not None] == [
        ("a.py", "x = 1\ny = 2\n\n"), ("b c.yml", "z: 3\n")
    ]  # fmt: skip
    assert list(parts("plain")) == [(None, "plain")]


@pytest.mark.parametrize("kind", ["llama-server", "ollama", "openai"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_server_that_quotes_the_request_is_not_quoted(kind, streamed):
    code = "def settle_invoice(number):"
    paths = {"llama-server": "/completion", "ollama": "/api/chat", "openai": "/v1/chat/completions"}
    body = b'{"error": {"message": "cannot go on after:  def settle_invoice(number):"}}'
    with serving(kind) as server:
        llm = RemoteLLM(Endpoint.parse(server.url))
        assert llm.info.chat
        if streamed:
            server.chunks = [body + b"\n" if kind == "ollama" else b"data: " + body + b"\n\n"]
        else:
            server.status[paths[kind]] = (400, body)
        with pytest.raises(RemoteError) as caught:
            list(llm.chat([Message("user", f"Why?\n{code}")], Sampling()))
        llm.close()
    assert "settle_invoice" not in caught.value.message + caught.value.hint + trace(caught.value)
    assert "quotes the request" in caught.value.message


# Failures.


def failure() -> ValueError:
    try:
        try:
            raise KeyError(VALUE)
        except KeyError as exc:
            raise ValueError(f"API_KEY={VALUE}") from exc
    except ValueError as exc:
        return exc


def test_a_trace_has_frames_and_classes_and_no_message():
    text = trace(failure())
    assert VALUE not in text
    assert text.index("KeyError\n") < text.index("ValueError\n")
    assert "test_assistant_private.py" in text
    record = logging.LogRecord(
        "x", logging.ERROR, "f", 1, "It failed", (), (ValueError, (exc := failure()), exc.__traceback__)
    )
    line = TraceFormatter("%(levelname)s %(message)s").format(record)
    assert line.startswith("ERROR It failed\nTraceback")
    assert VALUE not in line


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError('SECRET' + 'VALUE')",
        "import threading; t = threading.Thread(target=int, args=('SECRET' + 'VALUE',)); t.start(); t.join()",
        "import asyncio\nasync def f():\n asyncio.get_running_loop().call_soon(int, 'SECRET' + 'VALUE')\n"
        " await asyncio.sleep(0)\n await asyncio.sleep(0)\nasyncio.run(f())",
        "import asyncio\nasync def g(): raise ValueError('SECRET' + 'VALUE')\nasync def f():\n"
        " t = asyncio.ensure_future(g())\n await asyncio.sleep(0)\n await asyncio.sleep(0)\n del t\nasyncio.run(f())",
        "class A:\n def __del__(self): raise ValueError('SECRET' + 'VALUE')\nA()",
    ],
)
def test_errors_that_nobody_caught_are_written_without_their_messages(code):
    code = f"from assistant.traces import hide_messages\nhide_messages()\n{code}\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)}
    )
    assert "ValueError" in done.stderr
    assert "SECRETVALUE" not in done.stderr


def test_a_bug_of_a_command_quotes_nothing(capfd, monkeypatch, tmp_path):
    from assistant.cli.main import main

    monkeypatch.setenv("CODEMOAT_CONFIG_DIR", str(tmp_path))

    def broken(config, root):
        raise failure()

    assert main(["search", "x", "--path", str(tmp_path)], broken) == 1
    shown = capfd.readouterr()
    assert "ValueError" in shown.err
    assert VALUE not in shown.out + shown.err


def test_what_another_handler_made_of_an_error_is_not_taken(caplog):
    with caplog.at_level(logging.ERROR, "codemoat.lsp"):
        logging.getLogger("codemoat.lsp").error("A request failed", exc_info=failure())
    assert VALUE in caplog.text
    assert VALUE not in TraceFormatter("%(message)s").format(caplog.records[0])
