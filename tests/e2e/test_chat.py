"""A conversation with the real model: what a turn evaluates, what a follow-up finds, stopping, going on from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.chat import AskSettings, ChatSession, Delta, Done
from assistant.conversation import Turn
from assistant.excerpts import Selection
from assistant.llm import LLM, Cancel, Message, Sampling
from assistant.prompts import messages
from assistant.saved_chats import SavedChats
from indexer.config import IndexConfig
from indexer.index import Index

pytestmark = pytest.mark.e2e

FILES = {
    "upload/limits.py": (
        '"""Limits of the upload service."""\n\nMAX_UPLOAD_BYTES = 5_000_000\n\n\n'
        "class UploadTooLarge(Exception):\n"
        '    """An upload is over the limit."""\n\n\n'
        "def check_upload(size):\n"
        '    """Raise UploadTooLarge if an upload of ``size`` bytes is over the limit."""\n'
        "    if size > MAX_UPLOAD_BYTES:\n        raise UploadTooLarge(size)\n"
    ),
    "upload/server.py": (
        '"""Takes uploads from browsers."""\n\nfrom upload.limits import check_upload\n\n\n'
        "class UploadServer:\n"
        '    """Answers requests that carry files."""\n\n'
        "    def receive_file(self, request):\n"
        '        """Store the file of a request in the bucket."""\n'
        "        check_upload(request.length)\n"
        "        return self.bucket.store(request.body)\n"
    ),
    "mail/send.py": (
        '"""Sends mail."""\n\nRETRIES = 4\n\n\ndef send_mail(address, text):\n'
        '    """Send ``text`` to ``address``, with RETRIES attempts."""\n    connect().send(address, text)\n'
    ),
}
FIRST = "Which exception does check_upload raise?"
SECOND = "and where is it called?"
# Template, special tokens and the last token of an answer, which is said and not yet evaluated.
MARGIN = 8


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    root = tmp_path_factory.mktemp("service")
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    with Index.open(root, IndexConfig(workers=1, cache_dir=root / "cache"), create=True) as made:
        made.update()
        yield made


def ask(chat: ChatSession, question: str, **shown: Selection) -> Done:
    *_, done = chat.ask(question, **shown)
    assert isinstance(done, Done), done
    return done


def test_each_turn_evaluates_only_what_is_new_and_follow_ups_find_their_subject(real_llm: LLM, index: Index) -> None:
    chat = ChatSession(index, real_llm)
    first = ask(chat, FIRST)
    assert "UploadTooLarge" in first.answer
    before = first.timings.prompt_tokens + first.timings.generated_tokens
    second = ask(chat, SECOND)
    assert "upload/server.py" in {source.path for source in second.sources}
    assert "upload/server.py" in {citation.path for citation in second.citations}
    for done in (second, ask(chat, "Which other file sends mail?"), ask(chat, "How many attempts does it make?")):
        new = done.timings.prompt_tokens - before
        assert 0 < done.timings.evaluated_tokens <= new + MARGIN
        assert done.timings.reused_tokens >= before - MARGIN
        before = done.timings.prompt_tokens + done.timings.generated_tokens
    asked = messages(chat.conversation, Turn("", "", ""))[-3].content
    assert real_llm.count_chat([Message("user", asked)]) < 400, "a follow-up brings little"


def test_a_stopped_answer_stays_and_the_next_question_goes_on_from_it(real_llm: LLM, index: Index) -> None:
    chat = ChatSession(index, real_llm)
    cancel = Cancel()
    for event in chat.ask(FIRST, cancel):
        if isinstance(event, Delta):
            cancel.cancel()
    (turn,) = chat.turns
    assert turn.stop_reason == "cancelled"
    assert 0 < len(turn.generated) < 80
    held = real_llm.count_chat(messages(chat.conversation, Turn("", "", ""))[:-1])
    done = ask(chat, "What is its limit in bytes?")
    assert done.timings.evaluated_tokens <= done.timings.prompt_tokens - held + 2 * MARGIN


def test_another_answer_evaluates_one_token(real_llm: LLM, index: Index) -> None:
    chat = ChatSession(index, real_llm)
    ask(chat, FIRST)
    *_, done = chat.regenerate()
    assert isinstance(done, Done)
    assert done.timings.evaluated_tokens == 1
    assert len(chat.turns) == 1


def test_a_conversation_is_come_back_to_after_somebody_elses_question(real_llm: LLM, index: Index) -> None:
    chat = ChatSession(index, real_llm)
    ask(chat, FIRST)
    before = ask(chat, SECOND).timings
    list(real_llm.chat([Message("user", "Name a colour.")], Sampling(4)))
    *_, done = chat.regenerate()
    assert isinstance(done, Done)
    assert done.timings.evaluated_tokens == 1
    assert done.timings.restored_tokens > before.prompt_tokens // 2


def test_a_conversation_goes_on_from_the_disk(
    real_llm: LLM, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(tmp_path))
    chats = SavedChats(tmp_path / "root")
    begun = ChatSession(index, real_llm, keep=chats.save)
    first = ask(begun, FIRST)
    resumed = ChatSession(index, real_llm, conversation=chats.load(), keep=chats.save)
    done = ask(resumed, SECOND)
    assert done.timings.reused_tokens >= first.timings.prompt_tokens + first.timings.generated_tokens - MARGIN
    assert [turn.question for turn in chats.load(begun.id).turns] == [FIRST, SECOND]


def test_a_selection_is_what_this_means(real_llm: LLM, index: Index) -> None:
    lines = FILES["mail/send.py"].splitlines(keepends=True)
    chat = ChatSession(index, real_llm)
    done = ask(chat, "What does this do?", selection=Selection("mail/send.py", "".join(lines[5:]), 6))
    assert "mail" in done.answer.lower()
    assert done.sources[0].path == "mail/send.py"
    assert ask(chat, "Which argument does it take first?").timings.evaluated_tokens < 300


def test_a_long_conversation_stays_within_the_context(make_llm, index: Index) -> None:
    llm = make_llm(context_tokens=1536)
    chat = ChatSession(index, llm, AskSettings(snippet_tokens=400, answer_tokens=60))
    questions = [FIRST, SECOND, "Explain that in more detail", "What does send_mail do?", "How often does it try?"] * 3
    evaluated = 0
    for question in questions:
        done = ask(chat, question)
        assert done.timings.prompt_tokens + 60 <= 1536
        evaluated += done.timings.evaluated_tokens
    assert chat.conversation.start > 0
    assert len(chat.turns) == len(questions)
    assert evaluated < 6_000
