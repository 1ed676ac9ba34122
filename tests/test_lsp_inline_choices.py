"""First words before the rest, and other suggestions to cycle through, over the protocol with a scripted model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

from assistant.completion.completer import Completer
from assistant.llm import Cancel, Delta, FillRequest, Finished, Generated, Sampling
from tests.lsp_world import Client, PatientLLM, inline_params, play

URI = "file:///nowhere/a.py"


class SlowLLM(PatientLLM):
    """Writes a line in two pieces, the second when it is told to."""

    def __init__(self) -> None:
        super().__init__([""])
        self.go_on = threading.Event()

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        if not sampling.max_tokens:
            yield Finished("length")
            return
        self.calls.append((request, sampling))
        yield Delta("compute(alpha, be")
        assert self.go_on.wait(20)
        yield Delta("ta)")
        yield Finished("stop")


def test_first_words_come_before_the_rest_where_the_client_takes_them(monkeypatch):
    plan, context = Completer.plan, ("shop/prices.py:1-2",)
    monkeypatch.setattr(Completer, "plan", lambda *args, **kind: replace(plan(*args, **kind), context=context))

    async def scene(client: Client) -> None:
        await client.initialize(experimental={"codemoat": {"didShow": True, "firstWords": True}})
        client.open(URI, "x = \n")
        (item,) = await client.inline(URI, 0, 4)
        assert (item["insertText"], item["command"]["arguments"][1]) == ("compute", {"more": True})
        assert (await client.why(URI))["reason"] == "The model is still writing; these are the first words."
        rest = client.ask("textDocument/inlineCompletion", inline_params(URI, 0, 4, False, {}))
        client.llm.go_on.set()
        (item,) = (await asyncio.wait_for(rest, 60))["result"]["items"]
        assert (item["insertText"], len(item["command"]["arguments"])) == ("compute(alpha, beta)", 1)
        assert (await client.why(URI))["context"] == list(context)
        # What is remembered by now was written with the same.
        (item,) = await client.inline(URI, 0, 4)
        assert item["insertText"] == "compute(alpha, beta)"
        assert (await client.why(URI))["context"] == list(context)
        assert len([call for call in client.llm.calls if call[1].max_tokens]) == 1

    play(scene, SlowLLM())


class ChoosingLLM(PatientLLM):
    """Writes another text for another first token."""

    def fill(self, request: FillRequest, sampling: Sampling, cancel: Cancel | None = None) -> Iterator[Generated]:
        if sampling.max_tokens:
            self.calls.append((request, sampling))
        yield Delta(["compute(a)", "combine(a)", "compute(a)", "call(a)", "never"][sampling.alternative])
        yield Finished("stop")


def test_an_invoked_request_has_others_to_cycle_through():
    async def scene(client: Client) -> None:
        await client.initialize(experimental={"codemoat": {"didShow": True}})
        client.open(URI, "x = \n")
        items = await client.inline(URI, 0, 4, invoked=True)
        assert [item["insertText"] for item in items] == ["compute(a)", "combine(a)", "call(a)"]
        assert [sampling.alternative for _, sampling in client.llm.calls] == [0, 1, 2, 3]
        assert len({request for request, _ in client.llm.calls}) == 1
        assert (await client.why(URI))["text"] == "compute(a)"
        await client.request("workspace/executeCommand", items[1]["command"])
        why = await client.request("codemoat/why", {"id": items[1]["command"]["arguments"][0]})
        assert (why["text"], why["fate"]) == ("combine(a)", "accepted")
        assert why["reason"] == "Another suggestion for the same place."
        counts = (await client.request("codemoat/status"))["suggestions"]["counts"]
        assert counts == {"suggested": 1, "accepted": 1}
        assert len(await client.inline(URI, 0, 4, invoked=True)) == 3
        assert len(await client.inline(URI, 0, 4)) == 1
        assert len(client.llm.calls) == 4

    play(scene, ChoosingLLM(alternatives=True))


def test_an_automatic_request_has_one():
    async def scene(client: Client) -> None:
        await client.initialize(experimental={"codemoat": {"didShow": True}})
        client.open(URI, "x = \n")
        assert len(await client.inline(URI, 0, 4)) == 1
        assert len(client.llm.calls) == 1

    play(scene, ChoosingLLM(alternatives=True))
