"""The entry point: runs a command and turns whatever stops it into one sentence and an exit code.

Exit codes: 0 done · 1 failed (or ``doctor`` found a problem) · 2 bad input · 3 index · 4 model · 5 storage ·
6 network · 130 interrupted · 141 the reader of our output went away.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.cli.output import Output, clean, error_object
from indexer.errors import BadInputError, CancelledError, CodemoatError, StorageError

if TYPE_CHECKING:
    import typer

    from assistant.config import Config
    from assistant.engine import Engine

_BROKEN_PIPE = 141
_NEW_OBJECTS = 50_000
"""How many come before garbage is looked for: imports make many objects and no garbage, and took 7 % longer."""
_COMMANDS = ("index", "search", "ask", "chat", "complete", "status", "doctor", "config", "models", "log")
"""In the order of the help; each has a module of its name with ``register``."""


def main(argv: Sequence[str] | None = None, make_engine: Callable[[Config, Path], Engine] | None = None) -> int:
    """Run one command line and return its exit code. ``make_engine`` replaces ``Engine`` (for tests and embedding)."""
    arguments = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if argv is None:
        gc.set_threshold(_NEW_OBJECTS)
    _prepare_streams()
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    out = Output(as_json="--json" in options, stream="--stream" in options)
    try:
        code = _run(arguments, make_engine)
        sys.stdout.flush()
    except BrokenPipeError:
        return _leave_quietly()
    except KeyboardInterrupt:
        return _fail(out, CancelledError("Interrupted."))
    except CodemoatError as exc:
        return _fail(out, exc)
    except OSError as exc:
        return _fail(out, StorageError.from_os_error(exc, "the command"))
    except Exception as exc:  # noqa: BLE001
        # A bug of ours: the one place where frames are what helps. They are sent to us, so they quote no file.
        from assistant.traces import trace

        sys.stderr.write(clean(trace(exc)))
        return _fail(
            out, CodemoatError(f"Internal error: {type(exc).__name__}.", "Please report it with the lines above.")
        )
    return code


def _run(arguments: list[str], make_engine: Callable[[Config, Path], Engine] | None) -> int:
    if arguments == ["--version"]:
        from importlib.metadata import version

        sys.stdout.write(f"codemoat {version('codemoat')}\n")
        return 0
    import typer

    command = typer.main.get_command(_app(arguments[0]))
    try:
        code = command.main(arguments, prog_name="codemoat", standalone_mode=False, obj=make_engine)
    except typer.Abort as exc:
        raise CancelledError("Interrupted.") from exc
    except Exception as exc:
        # typer keeps the class of its usage errors private; what it promises is how they describe themselves.
        describe = getattr(exc, "format_message", None)
        if describe is None:
            raise
        raise BadInputError(_sentence(describe()), f"Try `{_command_path(exc)} --help`.") from exc
    except SystemExit as exc:
        # typer leaves like this when the reader of our output went away.
        if isinstance(exc.__context__, BrokenPipeError):
            raise exc.__context__ from None
        raise
    if code == CancelledError.exit_code:
        raise CancelledError("Interrupted.")
    return code if isinstance(code, int) else 0


def _app(wanted: str) -> typer.Typer:
    """The command that is ``wanted``, or all of them. What a command needs is imported when it runs."""
    import typer

    # Help in colours costs the import of rich, so only where they can be seen.
    app = typer.Typer(
        name="codemoat",
        help="A coding assistant on your own machine that understands your code.",
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
        pretty_exceptions_enable=False,
        add_completion=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    # Without a callback typer takes a single command for the whole program.
    app.callback()(_all)
    for name in (wanted,) if wanted in _COMMANDS else _COMMANDS:
        import_module(f"assistant.cli.{name}").register(app)
    return app


def _all() -> None:
    """A coding assistant on your own machine that understands your code."""


def _prepare_streams() -> None:
    """No character of a path or a file may stop the output, whatever the terminal's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fail(out: Output, error: CodemoatError) -> int:
    try:
        if out.as_json:
            value = error_object(error)
            out.data({"event": "error", **value} if out.stream else value)
        else:
            out.note(f"{error.message} {error.hint}".rstrip())
        sys.stderr.flush()
    except OSError:
        return _leave_quietly()
    return error.exit_code


def _leave_quietly() -> int:
    """Nobody reads our output any more: let the interpreter's last flush go nowhere."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return _BROKEN_PIPE


def _sentence(message: str) -> str:
    text = " ".join(message.split())
    return text if text.endswith((".", "!", "?")) else text + "."


def _command_path(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context is not None else "codemoat"


if __name__ == "__main__":
    sys.exit(main())
