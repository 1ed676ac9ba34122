"""The answer to ``initialize``, and giving it before the protocol library is there, whose import takes 0.2 s.

Standard library only. Whoever starts the server in an editor waits for this answer; what the library needs of the
request it gets afterwards (``Protocol.lsp_initialize``).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

ENCODINGS = ("utf-8", "utf-32", "utf-16")
"""Position encodings from the cheapest on; a client that names none means UTF-16."""
COMMANDS = ("codemoat.accept", "codemoat.snooze", "codemoat.toggle")
MOST_BYTES = 256 * 1024 * 1024
"""Of one message."""
_LENGTH = re.compile(rb"content-length:\s*(\d{1,12})\s*$", re.IGNORECASE)
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


def greet(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> tuple[bytes, bool]:
    """Read the first message; answer it if it is a sound ``initialize``.

    Returns the message's body and whether it was answered; ``b""`` when the client left.
    """
    body = _first_body(read)
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return body, False
    if not isinstance(message, dict) or message.get("method") != "initialize" or message.get("jsonrpc") != "2.0":
        return body, False
    number, params = message.get("id"), message.get("params")
    if type(number) not in (int, str) or not isinstance(params, dict) or "capabilities" not in params:
        return body, False
    write(frame({"jsonrpc": "2.0", "id": number, "result": initialize_result(params)}))
    return body, True


def frame(message: Mapping[str, Any]) -> bytes:
    """A message with its header."""
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def length_of(header: bytes) -> int | None:
    """The bytes that a header line announces, None if it announces none."""
    found = _LENGTH.match(header.strip())
    return int(found[1]) if found else None


def write_all(descriptor: int, data: bytes) -> None:
    """Write to a descriptor that may take less at once."""
    while data:
        data = data[os.write(descriptor, data) :]


def _first_body(read: Callable[[int], bytes]) -> bytes:
    """The body of the first message, and not a byte more; ``b""`` at the end of the input."""
    length: int | None = None
    line = b""
    while True:
        byte = read(1)
        if not byte or len(line) > 65_536:
            return b""
        line += byte
        if byte != b"\n":
            continue
        if not line.strip() and length is not None:
            break
        found = length_of(line)
        length = found if found is not None else length
        line = b""
    body = b""
    while len(body) < min(length, MOST_BYTES):
        part = read(length - len(body))
        if not part:
            return b""
        body += part
    return body


def _table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = values.get(name)
    return value if isinstance(value, dict) else {}
