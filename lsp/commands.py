"""``workspace/executeCommand``: accepting a suggestion, snoozing, switching a language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from indexer.errors import BadInputError
from lsp.convert import language_of

if TYPE_CHECKING:
    from lsp.server import Server

_LONGEST_SNOOZE = 24 * 60
_LONGEST_NAME = 100
"""Characters of a language's name."""


class Commands:
    """The commands that ``lsp.hello`` announces."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._commands: dict[str, Callable[[Sequence[Any]], Any]] = {
            "codemoat.accept": self._accept,
            "codemoat.snooze": self._snooze,
            "codemoat.toggle": self._toggle,
        }
        server.handle(types.WORKSPACE_EXECUTE_COMMAND, self.execute)

    def execute(self, params: types.ExecuteCommandParams) -> Any:
        """Run a command. Raises BadInputError for one that does not exist or wrong arguments."""
        command = self._commands.get(params.command)
        if command is None:
            raise BadInputError(f"There is no command {params.command}.", f"There are {', '.join(self._commands)}.")
        return command(params.arguments or ())

    def _accept(self, arguments: Sequence[Any]) -> None:
        """``[id]``: the suggestion was taken."""
        if not arguments or not isinstance(arguments[0], str):
            raise BadInputError("codemoat.accept takes the id of a suggestion.")
        self._server.feedback(arguments[0], "accepted")

    def _snooze(self, arguments: Sequence[Any]) -> dict[str, float]:
        """``[minutes]``, 30 without; 0 ends it."""
        minutes = arguments[0] if arguments else 30
        if type(minutes) not in (int, float) or not 0 <= minutes <= _LONGEST_SNOOZE:
            raise BadInputError(f"codemoat.snooze takes a number of minutes from 0 to {_LONGEST_SNOOZE}.")
        self._server.switches.snooze(minutes)
        self._server.changed()
        return {"snoozedSeconds": self._server.switches.snoozed_seconds}

    def _toggle(self, arguments: Sequence[Any]) -> dict[str, Any]:
        """``[language]``: switch suggestions in a language off, or on again, until the server ends."""
        if not arguments or not isinstance(arguments[0], str) or not 0 < len(arguments[0]) <= _LONGEST_NAME:
            raise BadInputError("codemoat.toggle takes the name of a language, as the editor calls it.")
        language = language_of("", arguments[0])
        language = arguments[0] if language == "text" else language
        switches, config = self._server.switches, self._server.options.config()
        switches.languages[language] = switches.is_off(config, language, arguments[0])
        self._server.changed()
        return {"language": language, "enabled": switches.languages[language]}
