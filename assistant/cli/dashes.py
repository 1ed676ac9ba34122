"""Queries that begin with a dash: ``->x``, ``--``-options of the code that is searched."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from indexer.errors import BadInputError

_NO_OPTION = re.compile(r"-[^\w\-]|--[^\w\-]|---|--[\w-]+\s")
"""What cannot be an option: an operator (``->x``, ``--> y``), several words."""
_MARK = "\0"
"""Keeps the parser from looking for an option; no argument of a program can hold it."""


class SearchCommand(TyperCommand):
    """Takes arguments that cannot be options as they are, and says how to search for those that could be."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises BadInputError for an option that there is not."""
        letters = {name[1] for param in self.get_params(ctx) for name in param.opts if len(name) == 2}
        end = args.index("--") if "--" in args else len(args)
        marked = [_MARK + arg if _is_text(arg, letters) else arg for arg in args[:end]]
        try:
            rest = super().parse_args(ctx, [*marked, *args[end:]])
        except Exception as exc:
            # typer keeps the class of its usage errors private; this is what it promises of an unknown option.
            name, describe = getattr(exc, "option_name", None), getattr(exc, "format_message", None)
            if describe is None or not str(describe()).startswith("No such option"):
                raise
            quoted = shlex.quote(str(name))
            raise BadInputError(
                f"{describe().rstrip('.')}.",
                f"To search for it: `codemoat search -e {quoted}`, or `codemoat search -- {quoted}`.",
            ) from exc
        ctx.params = {name: _unmarked(value) for name, value in ctx.params.items()}
        return rest


def _is_text(arg: str, letters: set[str]) -> bool:
    if _NO_OPTION.match(arg):
        return True
    # -g'*.py' and -e'two words' give a value; no other dash begins several words.
    return arg[:1] == "-" and arg[1:2] not in {"", "-", *letters} and len(arg.split()) > 1


def _unmarked(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_unmarked, value))
    if isinstance(value, Path):
        return Path(str(value).removeprefix(_MARK))
    return value.removeprefix(_MARK) if isinstance(value, str) else value
