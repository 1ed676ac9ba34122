"""The log: one printable line for whatever happened, no text of a file, and never another file than the one named."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lsp.log import printable, start_log
from tests.lsp_world import Client, play

SECRET = "the_secret = 1"


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    found = logging.getLogger("codemoat")
    before, propagate, level = list(found.handlers), found.propagate, found.level
    found.handlers = []
    yield found
    for handler in found.handlers:
        handler.close()
    found.handlers, found.propagate = before, propagate
    found.setLevel(level)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢 🦀", "plain é 漢 🦀"),
        ("a\ud800b\udc80", r"a\ud800b\x80"),
        ("a\nb\r\x1b[31m\x00\x7f", r"a\x0ab\x0d\x1b[31m\x00\x7f"),
        ("\u202etxt.exe\u2028", r"\u202etxt.exe\u2028"),
    ],
    ids=["plain", "surrogates", "control characters", "direction"],
)
def test_a_line_is_one_printable_line(text: str, shown: str, logger: logging.Logger, tmp_path: Path) -> None:
    assert printable(text) == shown
    start_log(tmp_path / "log")
    logger.info("%s", text)
    lines = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert [line.split(" INFO ")[1] for line in lines] == [shown]


def test_a_line_that_is_too_long_is_cut(logger: logging.Logger, tmp_path: Path) -> None:
    start_log(tmp_path / "log")
    logger.info("%s", "x" * 10_000)
    assert len((tmp_path / "log").read_text(encoding="utf-8")) == 4_000 + len(" …\n")


def test_methods_and_ids_of_any_kind_are_logged(
    logger: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log(tmp_path / "log")

    async def scene(client: Client) -> None:
        await client.initialize()
        for number in ("\ud800", "\x1b[2J", 10**40, "x" * 10_000):
            assert "error" in await client.ask("no/\udfff\n" + "y" * 10_000, {}, number)

    play(scene)
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert r"received no/\udfff\x0ay" in log
    assert max(map(len, log.splitlines())) < 300
    assert capsys.readouterr().err == ""


def test_an_exception_is_logged_without_what_it_says(logger: logging.Logger, tmp_path: Path) -> None:
    start_log(tmp_path / "log")
    try:
        raise ValueError(SECRET) from KeyError(SECRET)
    except ValueError:
        logger.exception("%s failed", "a request")
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "a request failed\n" in log and "    ValueError\n" in log
    assert f"in {test_an_exception_is_logged_without_what_it_says.__name__}" in log
    assert "the_secret" not in log


def link(path: Path) -> None:
    path.with_name("other").write_text("kept")
    path.symlink_to(path.with_name("other"))


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def missing_folder(path: Path) -> None:
    path.parent.rmdir()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (link, "it is a link"),
        (dangling, "it is a link"),
        (os.mkfifo, "it is no regular file"),
        (Path.mkdir, "it is no regular file"),
        (missing_folder, "No such file or directory"),
    ],
)
def test_a_log_that_is_no_file_is_told_and_left_alone(
    make: Callable[[Path], None],
    reason: str,
    logger: logging.Logger,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    make(folder / "log")
    start_log(folder / "log")
    logger.warning("not written")
    told = capsys.readouterr().err
    assert told == f"codemoat-lsp: {folder / 'log'} cannot be written: {reason}. The server runs without a log.\n"
    assert not (folder / "nowhere").exists()
    if make is link:
        assert (folder / "other").read_text() == "kept"


def test_a_log_is_for_its_user_only_and_goes_on_at_its_end(logger: logging.Logger, tmp_path: Path) -> None:
    start_log(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    (tmp_path / "old").write_text("before\n")
    start_log(tmp_path / "old")
    logger.info("after")
    assert (tmp_path / "old").read_text().startswith("before\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_disk_that_is_full_ends_the_log_with_one_sentence(
    logger: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log(tmp_path / "log")
    handler = logger.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, handler.stream.fileno())
    os.close(full)
    for _ in range(3):
        logger.info("%s", SECRET)
    told = capsys.readouterr().err
    assert told == "codemoat-lsp: The log ends here, it cannot be written any more: No space left on device.\n"


def test_without_standard_error_nothing_is_told(
    logger: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    start_log(tmp_path / "no" / "log")
    assert not (tmp_path / "no").exists()
