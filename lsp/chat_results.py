"""Conversations, answers and sources as ``codemoat/chat/…`` sends them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lsp.folders import uri_in

if TYPE_CHECKING:
    from assistant.chat import Done
    from assistant.conversation import Conversation
    from lsp.folders import Folder


def head_of(conversation: Conversation) -> dict[str, Any]:
    """What a list of conversations says of one (``docs/schemas/lsp/chat-head.json``)."""
    return {
        "conversation": conversation.id,
        "title": conversation.title,
        "created": conversation.created,
        "updated": conversation.updated,
        "questions": len(conversation.turns),
    }


def answer_of(folder: Folder, done: Done) -> dict[str, Any]:
    """A finished answer (``docs/schemas/lsp/chat-answer.json``) without its conversation's head."""
    return {
        "answer": done.answer,
        "sources": [source_of(folder, source) for source in done.sources],
        "citations": [{"text": str(each), **place_of(folder, each)} for each in done.citations],
        "model": done.model,
        "stopReason": done.stop_reason,
        "timings": asdict(done.timings),
        "dropped": done.dropped,
        "unverified": list(done.unverified),
        "notSaved": done.not_saved,
    }


def source_of(folder: Folder, source: Any) -> dict[str, Any]:
    """A source of an answer, as a place."""
    return {"number": source.number, "symbol": source.symbol, "origin": source.origin, **place_of(folder, source)}


def place_of(folder: Folder, lines: Any) -> dict[str, Any]:
    """Whole lines as a location: columns are 0, which every client counts alike."""
    return {
        "uri": uri_in(folder, lines.path),
        "path": lines.path,
        "range": {
            "start": {"line": lines.start_line - 1, "character": 0},
            "end": {"line": lines.end_line, "character": 0},
        },
    }
