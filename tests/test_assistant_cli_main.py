from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.cli import search as search_command
from assistant.cli.common import interrupt_cancels, refuse_huge
from assistant.cli.main import main
from indexer.errors import BadInputError, CodemoatError, CorruptIndexError, StorageError
from tests.cli_world import SCHEMAS, Cli, check_schema, furnish, write_files, write_indexed

HEAVY = {
    *("torch", "faiss", "git", "pydantic", "huggingface_hub", "llama_cpp", "rich", "httpx", "sentence_transformers"),
    *("tree_sitter", "tree_sitter_language_pack", "detect_secrets", "jinja2", "multiprocessing.pool", "tomlkit"),
}


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    furnish(monkeypatch, tmp_path)
    write_files(tmp_path / "root")
    monkeypatch.chdir(tmp_path / "root")
    return Cli(capsys)


def fail_with(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(search_command, "places_of", fail)


def test_help_and_version(cli):
    for argv in ((), ("--help",), ("-h",)):
        result = cli(*argv)
        assert (result.code, result.err) == (0, "")
        for command in ("index", "search", "ask", "complete", "status", "doctor", "config", "models"):
            assert f"\n  {command} " in result.out
    assert cli("--version").out == "codemoat 0.1.0\n"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["serach", "x"], "Did you mean 'search'?"),
        (["search"], "The query is empty."),
        (["search", "x", "-k", "0"], "'-k'"),
        (["search", "x", "-k", "many"], "'-k'"),
        (["search", "x", "--no-such-option"], "No such option"),
        (["search", " "], "The query is empty."),
        (["ask", ""], "The question is empty."),
        (["models", "frobnicate"], "frobnicate"),
    ],
)
def test_usage_errors(cli, argv, sentence):
    result = cli(*argv)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
    assert result.err.startswith("codemoat: ")
    assert len(result.err.splitlines()) == 1
    as_json = cli(*argv, "--json")
    assert as_json.code == 2
    check_schema("error", [as_json.json])
    assert as_json.json["error"]["code"] == "bad_input"


def test_dashes_end_the_options(cli):
    assert cli("search", "x", "--path", "nowhere", "--", "--json").out == ""


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (CorruptIndexError("Damaged.", "Rebuild it."), 3, "codemoat: Damaged. Rebuild it.\n"),
        (StorageError("Full."), 5, "codemoat: Full.\n"),
        (KeyboardInterrupt(), 130, "codemoat: Interrupted.\n"),
        (OSError(28, "No space left on device"), 5, "codemoat: The disk is full"),
    ],
)
def test_errors_become_a_sentence_and_an_exit_code(cli, monkeypatch, error, code, sentence):
    fail_with(monkeypatch, error)
    result = cli("search", "x")
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith(sentence)
    assert "Traceback" not in result.err
    as_json = cli("search", "x", "--json")
    assert as_json.code == code
    check_schema("error", [as_json.json])


def test_bug_shows_its_traceback_and_still_answers_in_json(cli, monkeypatch):
    fail_with(monkeypatch, ZeroDivisionError("\x1b"))
    result = cli("search", "x", "--json")
    assert result.code == CodemoatError.exit_code
    check_schema("error", [result.json])
    assert "Traceback" in result.err
    assert "\x1b" not in result.err


def test_first_interrupt_cancels_second_interrupts(capfd):
    with pytest.raises(KeyboardInterrupt), interrupt_cancels() as cancel:
        signal.raise_signal(signal.SIGINT)
        assert cancel.cancelled
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert "Ctrl-C again" in capfd.readouterr().err


def test_an_ignored_interrupt_stays_ignored(capfd):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupt_cancels() as cancel:
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not cancel.cancelled and capfd.readouterr().err == ""


def test_home_and_everything_above_it_are_refused_unless_named(tmp_path, monkeypatch):
    home = tmp_path / "home" / "me"
    home.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    for root in (home, home.parent, Path("/")):
        with pytest.raises(BadInputError, match="not a project"):
            refuse_huge(root, explicit=False)
        refuse_huge(root, explicit=True)
    refuse_huge(home / "project", explicit=False)


def error_classes(root=CodemoatError):
    return [root, *(found for child in root.__subclasses__() for found in error_classes(child))]


def test_every_command_and_exit_code_is_documented():
    lines = (Path(__file__).parent.parent / "docs" / "cli.md").read_text().splitlines()
    rows = {line.split("|")[1].strip(): line for line in lines if line.startswith("| ")}
    for error in error_classes():
        if error.__module__ in ("indexer.errors", "assistant.errors") and error.code not in ("index", "model"):
            assert f"`{error.code}`" in rows[str(error.exit_code)]
    for command in ("index", "search", "ask", "complete", "status", "doctor", "config", "models"):
        assert any(line.startswith(f"codemoat {command}") for line in lines)
    schemas = {path.name for path in SCHEMAS.glob("*.json")}
    assert schemas == {part.split(")")[0] for line in lines for part in line.split("schemas/")[1:]}


def imported(*argv: str, cwd: Path) -> tuple[str, set[str]]:
    """stdout and top-level modules of a whole process that runs ``argv``."""
    script = (
        "import sys; from assistant.cli.main import main; code = main(sys.argv[1:]);"
        "sys.stderr.write('\\n' + ' '.join(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script, *argv], cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.splitlines()[-1].split())


def test_help_imports_nothing_heavy(cli):
    text, modules = imported("--help", cwd=Path.cwd())
    assert "search" in text
    assert modules & (HEAVY | {"numpy", "msgspec", "sqlite3"}) == set()


def test_search_imports_nothing_heavy(cli, tmp_path):
    write_indexed(Path.cwd(), tmp_path / "cache")
    text, modules = imported("search", "discounted price", "--json", cwd=Path.cwd())
    assert json.loads(text)["hits"][0]["path"] == "shop/prices.py"
    assert modules & HEAVY == set()


@pytest.mark.parametrize("option", ["-e", "-E"])
def test_exact_search_imports_neither_model_nor_git(cli, tmp_path, option):
    write_indexed(Path.cwd(), tmp_path / "cache")
    text, modules = imported("search", option, "class Basket", "--json", cwd=Path.cwd())
    assert json.loads(text)["matches"][0]["path"] == "shop/prices.py"
    assert modules & (HEAVY | {"indexer.embed", "indexer.features", "pathspec", "regex", "tree_sitter"}) == set()


def test_the_whole_process_of_a_search_imports_nothing_heavy(cli, tmp_path):
    """From start to exit, as on the command line: by then even what was imported late has been."""
    write_indexed(Path.cwd(), tmp_path / "cache")
    script = (
        f"import atexit, sys; sys.path.insert(0, {str(Path(__file__).parent.parent)!r});"
        "atexit.register(lambda: sys.stderr.write('\\n' + ' '.join(sys.modules)));"
        "from assistant.cli.main import main; sys.exit(main())"
    )
    command = [sys.executable, "-P", "-c", script, "search", "discounted price"]
    done = subprocess.run(command, cwd=Path.cwd(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("shop/prices.py:")
    modules = set(done.stderr.splitlines()[-1].split())
    assert {"numpy", "indexer.search", "assistant.cli.search"} <= modules
    late = {"platformdirs", "hashlib", "filelock", "requests", "indexer.update", "indexer.workers", "indexer.words"}
    assert modules & (HEAVY | late) == set()
    assert {name.rpartition(".")[2] for name in modules if name.startswith("assistant.cli.")} == {
        "common", "dashes", "hits", "main", "output", "places", "search",
    }  # fmt: skip


def test_one_command_alone_reads_like_all_of_them(cli, capsys):
    assert main(["search", "--help"]) == 0
    assert "codemoat search [OPTIONS]" in capsys.readouterr().out
    assert main(["serch", "x"]) == BadInputError.exit_code
    assert "search" in capsys.readouterr().err, "a misspelt command is compared with all"


def test_reader_that_goes_away_is_no_error(cli):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", "import sys; from assistant.cli.main import main; sys.exit(main(sys.argv[1:]))"]
    done = subprocess.run([*command, "models", "list"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_output_device_is_one_sentence(cli):
    command = [sys.executable, "-c", "import sys; from assistant.cli.main import main; sys.exit(main(sys.argv[1:]))"]
    with open("/dev/full", "w") as full:
        done = subprocess.run([*command, "models", "list"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 5
    assert "disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
