"""The answer to ``initialize``, and giving it before the protocol library is there, whose import takes 0.2 s.

Standard library only. Whoever starts the server in an editor waits for this answer; what the library needs of the
request it gets afterwards (``Protocol.lsp_initialize``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from lsp.framing import MOST_HEADER_BYTES, Header, HeaderError, decode, frame

ENCODINGS = ("utf-8", "utf-32", "utf-16")
"""Position encodings from the cheapest on; a client that names none means UTF-16."""
COMMANDS = ("codemoat.accept", "codemoat.snooze", "codemoat.toggle")
_LARGE = 1024 * 1024
"""Bytes of a first message that is not waited for here."""
_FILES = {"filters": [{"scheme": "file", "pattern": {"glob": "**/*"}}]}


def own_version() -> str:
    """The version of the installed distribution; ``dev`` where it is not installed."""
    try:
        return version("codemoat")
    except PackageNotFoundError:
        return "dev"


def initialize_result(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the server can do for this client; ``params`` as in the request, whatever they hold."""
    general = _table(_table(params, "capabilities"), "general")
    offered = general.get("positionEncodings")
    encodings = offered if isinstance(offered, list) else []
    capabilities: dict[str, Any] = {
        "positionEncoding": next((name for name in ENCODINGS if name in encodings), "utf-16"),
        "textDocumentSync": {"openClose": True, "change": 2, "save": {"includeText": False}},
        "notebookDocumentSync": {"notebookSelector": [{"notebook": "*"}]},
        # Also to clients that do not announce it: some ask all the same.
        "inlineCompletionProvider": True,
        "documentSymbolProvider": {"label": "codemoat"},
        "workspaceSymbolProvider": True,
        "executeCommandProvider": {"commands": list(COMMANDS)},
        "workspace": {
            "workspaceFolders": {"supported": True, "changeNotifications": True},
            "fileOperations": {"didCreate": _FILES, "didRename": _FILES, "didDelete": _FILES},
        },
        "experimental": {"codemoat": {"protocol": 1}},
    }
    if wants_popup(params):
        capabilities["completionProvider"] = POPUP
    return {"capabilities": capabilities, "serverInfo": {"name": "codemoat", "version": own_version()}}


POPUP = {"triggerCharacters": [".", "(", " "], "completionItem": {"labelDetailsSupport": True}}


def wants_popup(params: Mapping[str, Any]) -> bool:
    """Whether ``initializationOptions`` ask for suggestions in the list of completions."""
    options = _table(params, "initializationOptions")
    options = options.get("codemoat") if isinstance(options.get("codemoat"), dict) else options  # type: ignore[assignment]
    return options.get("editor.popup") is True or _table(options, "editor").get("popup") is True


def own_capabilities(experimental: Any) -> Mapping[str, Any] | None:
    """What a client announces of our own methods, under ``experimental.codemoat``; None if it does not know them."""
    ours = experimental.get("codemoat") if isinstance(experimental, dict) else None
    return ours if isinstance(ours, dict) else None


def greet(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> tuple[bytes, bytes | None]:
    """Read the first message; answer it if it is a sound ``initialize``.

    Returns all bytes that were read, and the message's body if it was answered. Anything else than a sound
    ``initialize`` is left to ``lsp.transport``, which has an answer to each fault.
    """
    raw, body = _first_message(read)
    try:
        message = decode(body) if body is not None else None
    except (ValueError, RecursionError):
        return raw, None
    if not isinstance(message, dict) or message.get("method") != "initialize" or message.get("jsonrpc") != "2.0":
        return raw, None
    number, params = message.get("id"), message.get("params")
    if type(number) not in (int, str) or not isinstance(params, dict):
        return raw, None
    write(frame({"jsonrpc": "2.0", "id": number, "result": initialize_result(params)}))
    return raw, body


def write_all(descriptor: int, data: bytes) -> None:
    """Write to a descriptor that may take less at once."""
    while data:
        data = data[os.write(descriptor, data) :]


def _first_message(read: Callable[[int], bytes]) -> tuple[bytes, bytes | None]:
    """The bytes of the first message and not one more, and its body; no body if it is broken, cut off or large."""
    header, raw, line = Header(), bytearray(), b""
    while True:
        byte = read(1)
        raw += byte
        line += byte
        if not byte or len(line) > MOST_HEADER_BYTES:
            return bytes(raw), None
        if byte != b"\n":
            continue
        try:
            if header.take(line):
                break
        except HeaderError:
            return bytes(raw), None
        line = b""
    assert header.length is not None
    if header.length > _LARGE:
        return bytes(raw), None
    start = len(raw)
    while len(raw) - start < header.length:
        part = read(header.length - (len(raw) - start))
        if not part:
            return bytes(raw), None
        raw += part
    return bytes(raw), bytes(raw[start:])


def _table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = values.get(name)
    return value if isinstance(value, dict) else {}
