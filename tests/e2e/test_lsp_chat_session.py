"""A chat as an editor has it: a real server process, the real model, streamed, cited, stopped, killed and resumed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from pytest_lsp import LanguageClient

from assistant.llama.hosts import host_status
from tests.lsp_session import Session

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio]
QUESTION = "Which method notes a payment, and what are its parameters?"
LONG = "What does the class Ledger do, what does record_payment note and what does outstanding_balance say?"


def listen(client: LanguageClient) -> list[Any]:
    """The events from now on."""
    events: list[Any] = []
    client.feature("codemoat/chat/event")(lambda event: events.append(event))
    return events


async def until_said(events: list[Any]) -> None:
    async with asyncio.timeout(60):
        while not any(event.kind == "delta" for event in events):
            await asyncio.sleep(0.01)


async def test_an_answer_is_streamed_and_cited_and_the_conversation_goes_on_after_a_restart(
    make_session: Any,
    session: Session,
) -> None:
    events = listen(session.client)
    answer = await session.ask("codemoat/chat/ask", {"question": QUESTION})
    assert "record_payment" in answer.answer
    assert events[0].kind == "sources"
    assert "".join(event.text for event in events[1:]) == answer.answer
    assert answer.citations[0].uri.endswith("/ledger.py")
    assert answer.citations[0].text in answer.answer

    await session.client.shutdown_session()
    await session.client.stop()
    second = await make_session()
    (saved,) = (await second.ask("codemoat/chat/list")).conversations
    assert (saved.conversation, saved.title) == (answer.conversation, QUESTION)
    more = await second.ask(
        "codemoat/chat/ask", {"question": "and where is it called?", "conversation": saved.conversation}
    )
    assert more.questions == 2
    # The host still has the first turn: its prompt and answer are not evaluated again.
    assert more.timings.reused_tokens >= answer.timings.prompt_tokens
    assert more.timings.evaluated_tokens < more.timings.prompt_tokens - answer.timings.prompt_tokens
    assert any(source.path == "use.py" for source in more.sources)


async def test_an_answer_is_stopped_and_cancelled(session: Session) -> None:
    events = listen(session.client)
    asked = asyncio.ensure_future(session.ask("codemoat/chat/ask", {"question": LONG, "token": 1}))
    await until_said(events)
    assert (await session.ask("codemoat/chat/stop", {"token": 1})).stopped
    answer = await asked
    assert answer.stopReason == "cancelled"
    assert answer.answer

    events.clear()
    protocol = session.client.protocol
    params = {"question": LONG, "conversation": answer.conversation}
    pending = protocol.send_request("codemoat/chat/ask", params, msg_id="cancelled")
    await until_said(events)
    session.client.cancel_request(_cancel("cancelled"))
    with pytest.raises(Exception, match=r"[Cc]ancel"):
        await asyncio.wait_for(asyncio.wrap_future(pending), 60)
    turns: list[Any] = []
    async with asyncio.timeout(60):
        while len(turns) < 2:  # the answer to the request does not wait for the model's end
            turns = (await session.ask("codemoat/chat/open", {"conversation": answer.conversation})).turns
    assert [turn.stopReason for turn in turns] == ["cancelled", "cancelled"]


async def test_a_host_killed_in_mid_answer_is_one_sentence_and_the_next_question_is_answered(
    session: Session,
    runtime_dir: Path,
) -> None:
    events = listen(session.client)
    asked = asyncio.ensure_future(session.ask("codemoat/chat/ask", {"question": LONG}))
    await until_said(events)
    for host in host_status(runtime_dir):
        os.kill(host.pid, signal.SIGKILL)
    with pytest.raises(Exception, match="The model host stopped in the middle of the answer"):
        await asked
    said = events[0].conversation
    again = await session.ask("codemoat/chat/ask", {"question": QUESTION, "conversation": said})
    assert "record_payment" in again.answer
    assert again.questions == 2
    assert (await session.status()).model.state == "ready"


def _cancel(number: str) -> Any:
    from lsprotocol import types

    return types.CancelParams(number)
