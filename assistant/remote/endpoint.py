"""The address of a model server as the user wrote it, and whether text that goes there leaves the machine.

Light: ``codemoat status`` and the settings use it without importing an HTTP library. Nothing here looks up a name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from indexer.errors import BadInputError

_HINT = "Write it like http://127.0.0.1:8080 (llama-server), http://127.0.0.1:11434 (Ollama) or https://HOST/v1."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is served. ``name`` picks one of several models there; ``key`` is sent as a bearer token."""

    url: str
    """Without a slash at its end."""
    host: str
    secure: bool
    """Whether the connection is encrypted."""
    name: str = ""
    key: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str, name: str = "", key: str = "") -> Endpoint:
        """The endpoint at ``url``. Raises BadInputError in one sentence if that is no address of a model server."""
        shown = url.strip()
        if "@" in shown:
            # Not shown, whatever else is wrong with it: it would put the password on the screen.
            raise BadInputError(
                "model.url must not hold a user name or password.", "Set the key as CODEMOAT_MODEL_API_KEY instead."
            )
        try:
            parts = urlsplit(shown)
            host, _ = parts.hostname or "", parts.port
        except ValueError as exc:
            raise BadInputError(f'model.url "{shown[:80]}" is no valid address.', _HINT) from exc
        if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in shown):
            raise BadInputError(f'model.url "{shown[:80]}" is no address of a model server.', _HINT)
        if parts.query or parts.fragment:
            raise BadInputError("model.url must end before any ? or #.", _HINT)
        if not key.isascii() or not key.isprintable():
            raise BadInputError("model.api_key holds characters that no key has.", "Copy the key again.")
        return cls(shown.rstrip("/"), host, parts.scheme == "https", name.strip(), key.strip())

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, so that nothing leaves it. Names other than localhost do not count."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        import ipaddress

        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def openai(self) -> str:
        """Where the OpenAI-compatible paths begin, relative to ``url``."""
        return "" if self.is_openai else "/v1"

    @property
    def is_openai(self) -> bool:
        """Whether the address itself names the OpenAI-compatible interface."""
        return self.url.rpartition("/")[2] == "v1"

    @property
    def notice(self) -> str:
        """One sentence about where text goes."""
        if self.is_local:
            return f"{self.url} is on this machine; nothing leaves it."
        plain = "" if self.secure else ", unencrypted"
        return f"Code and questions leave this machine: they are sent to {self.host}{plain}."
