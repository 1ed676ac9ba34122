"""A model server in the test process: llama-server's, Ollama's or OpenAI's protocol, with faults on request."""

from __future__ import annotations

import json
import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.llama_fakes import QWEN_SPECIALS, FakeVocabulary

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
OLLAMA_QWEN = "{{ .Messages }}{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>"


@dataclass
class ModelServer:
    """What the server is and does. ``chunks`` are the bytes of the next stream, as they are sent."""

    kind: str
    models: list[str] = field(default_factory=lambda: ["coder"])
    key: str = ""
    chunks: list[bytes] = field(default_factory=list)
    status: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """(status, body) of paths that fail."""
    template: str = ""
    capabilities: list[str] | None = field(default_factory=lambda: ["completion", "insert"])
    n_ctx: int = 4096
    specials: dict[str, int] = field(default_factory=lambda: dict(QWEN_SPECIALS))
    silent: bool = False
    """Streams begin with nothing, not even a status, until the client goes away."""
    endless: bool = False
    """Streams stay open behind their last chunk until the client goes away."""
    dies: bool = False
    """The connection breaks behind the last chunk."""
    grammars: bool = True
    """Texts begin as a grammar wants."""
    refuses_grammars: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    """More headers of whole answers."""
    crashes: bool = False
    """Every connection is closed without an answer."""
    reached: threading.Event = field(default_factory=threading.Event)
    """A stream has come to where it stays silent."""
    left: threading.Event = field(default_factory=threading.Event)
    """The client closed the connection of a stream."""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""

    def asked(self, path: str) -> list[Any]:
        """The bodies that came to a path."""
        return [body for _, where, body in self.requests if where == path]

    def says(self, *texts: str, reason: str = "stop") -> None:
        """Script the next stream in the kind's own form."""
        self.chunks = [*(self.event(text) for text in texts), self.end(reason)]

    def event(self, text: str) -> bytes:
        """One piece of text as the kind streams it."""
        if self.kind == "llama-server":
            return sse({"content": text, "stop": False})
        if self.kind == "ollama":
            return line({"response": text, "message": {"role": "assistant", "content": text}, "done": False})
        return sse({"choices": [{"index": 0, "text": text, "delta": {"content": text}, "finish_reason": None}]})

    def end(self, reason: str = "stop") -> bytes:
        """The last event of a stream, with what it cost."""
        if self.kind == "llama-server":
            cost = {"prompt_n": 3, "cache_n": 97, "prompt_ms": 12.5, "predicted_n": 4, "predicted_ms": 20.0}
            stop_type = {"stop": "eos", "length": "limit"}[reason]
            return sse({"content": "", "stop": True, "stop_type": stop_type, "tokens_evaluated": 100, "timings": cost})
        if self.kind == "ollama":
            cost = {"prompt_eval_count": 100, "eval_count": 4, "prompt_eval_duration": 5_000_000, "eval_duration": 1}
            return line({"done": True, "done_reason": reason, "message": {"content": ""}, "response": "", **cost})
        usage = {"prompt_tokens": 100, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 90}}
        choice = {"index": 0, "text": "", "delta": {}, "finish_reason": reason}
        return sse({"choices": [choice], "usage": usage}) + b"data: [DONE]\n\n"

    def answer(self, path: str, body: Any) -> dict[str, Any] | None:
        """The whole answer to a question; None for a path that this kind does not have."""
        if self.kind == "llama-server":
            return self._llama_server(path, body)
        if self.kind == "ollama":
            if path == "/api/tags":
                return {"models": [{"name": name} for name in self.models]}
            if path == "/api/show":
                info = {"general.architecture": "qwen2", "qwen2.context_length": 32768}
                shown = {"template": self.template or OLLAMA_QWEN, "model_info": info}
                return shown | ({} if self.capabilities is None else {"capabilities": self.capabilities})
            return None
        if path == "/v1/models":
            return {"object": "list", "data": [{"id": name, "max_model_len": 2048} for name in self.models]}
        if path == "/v1/completions" and not body.get("stream"):
            return {"choices": [{"text": " +", "finish_reason": "length"}]}
        return None

    def _llama_server(self, path: str, body: Any) -> dict[str, Any] | None:
        vocabulary = FakeVocabulary(self.specials)
        if path == "/props":
            return {
                "default_generation_settings": {"n_ctx": self.n_ctx},
                "model_path": "/models/qwen2.5-coder.gguf",
                "model_alias": "coder",
                "chat_template": self.template or TEMPLATE,
                "bos_token": "",
                "eos_token": "<|im_end|>",
            }
        if path == "/tokenize":
            content = body["content"] if isinstance(body["content"], list) else [body["content"]]
            tokens = []
            for part in content:
                more = [part] if isinstance(part, int) else vocabulary.tokenise(part, special=body["parse_special"])
                tokens += more
            if body.get("with_pieces"):
                return {"tokens": [{"id": token, "piece": vocabulary.token_text(token)} for token in tokens]}
            return {"tokens": tokens}
        if path == "/detokenize":
            return {"content": "".join(map(vocabulary.token_text, body["tokens"]))}
        return None

    def prompt(self) -> str:
        """The last token prompt written out, special tokens in braces."""
        return FakeVocabulary(self.specials).show(self.asked("/completion")[-1]["prompt"])


STREAMS = ("/completion", "/api/generate", "/api/chat", "/v1/chat/completions", "/v1/completions")


def sse(value: Any) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def line(value: Any) -> bytes:
    """A line of newline-delimited JSON."""
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


@contextmanager
def serving(kind: str, **settings: Any) -> Iterator[ModelServer]:
    """A ``ModelServer`` on a loopback port, for as long as the block runs."""
    server = ModelServer(kind, **settings)
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # its wait would be most of the tests' time
        connection: socket.socket

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._serve(None)

        def do_POST(self) -> None:
            self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _serve(self, body: Any) -> None:
            server.requests.append((self.command, self.path, body))
            server.keys.append(self.headers.get("Authorization", ""))
            if server.crashes:
                self.close_connection = True
            elif self.path in server.status:
                self._whole(*server.status[self.path])
            elif server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
                self._whole(401, b'{"error": {"message": "Invalid API Key", "type": "authentication_error"}}')
            elif server.refuses_grammars and body and "grammar" in body:
                self._whole(400, b'{"error": {"code": 400, "message": "Failed to parse grammar"}}')
            elif self.path in STREAMS and body.get("stream"):
                try:
                    self._stream(body)
                except ConnectionError:
                    server.left.set()
            else:
                found = server.answer(self.path, body)
                self._whole(200 if found is not None else 404, json.dumps(found or {"error": "not found"}).encode())

        def _whole(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(body)))
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, body: Any) -> None:
            self.close_connection = True
            if server.silent:
                self._until_left()
                return
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            opening = re.match(r'root ::= "((?:\\U[0-9A-F]{8})+)" ', body.get("grammar", ""))
            if opening and server.grammars:
                text = "".join(chr(int(code, 16)) for code in opening.group(1).split("\\U")[1:])
                self._chunk(server.event(text))
            for chunk in server.chunks:
                self._chunk(chunk)
            if server.endless:
                self._until_left()
            elif not server.dies:
                self.wfile.write(b"0\r\n\r\n")

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def _until_left(self) -> None:
            server.reached.set()
            while not closing.is_set():
                readable, _, _ = select.select([self.connection], [], [], 0.05)
                if readable and self.connection.recv(1, socket.MSG_PEEK) == b"":
                    server.left.set()
                    return

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *args: None  # type: ignore[method-assign]  # clients that hang up are part of the tests
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        closing.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()
