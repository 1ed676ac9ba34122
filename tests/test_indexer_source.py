"""Reading: hostile files, encodings, what content leaves a file out, notebooks."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.config import IndexConfig
from indexer.reports import Skipped
from indexer.source import SourceText, read_source, to_utf8

CONFIG = IndexConfig()


def read(root: Path, path: str, raw: bytes | None = None, config: IndexConfig = CONFIG) -> SourceText | Skipped:
    if raw is not None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(raw)
    return read_source(root, path, config)


def text_of(result: SourceText | Skipped) -> bytes:
    assert isinstance(result, SourceText), result
    return result.text


def reason_of(result: SourceText | Skipped) -> str:
    assert isinstance(result, Skipped), result
    return result.reason


def test_a_plain_file_comes_as_it_is(tmp_path: Path) -> None:
    raw = "def f():\r\n\treturn 'ü'\r\n".encode()
    source = read(tmp_path, "sub/a.py", raw)
    assert isinstance(source, SourceText)
    assert (source.path, source.text, source.language, source.masked) == ("sub/a.py", raw, None, 0)
    info = (tmp_path / "sub/a.py").stat()
    assert (source.size, source.mtime_ns) == (info.st_size, info.st_mtime_ns)
    assert source.sha256 == hashlib.sha256(raw).hexdigest()
    assert text_of(read(tmp_path, "empty.py", b"")) == b""


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\xef\xbb\xbfx = 1\n", b"x = 1\n"),
        ("x = 'ü'\n".encode("utf-16"), "x = 'ü'\n".encode()),
        (b"\xfe\xff" + "x = 'ü'\n".encode("utf-16-be"), "x = 'ü'\n".encode()),
        ("x = 'ü'\n".encode("utf-32"), "x = 'ü'\n".encode()),
        ("value = 1\r\n".encode("utf-16-le"), b"value = 1\r\n"),
        ("value = 1\r\n".encode("utf-16-be"), b"value = 1\r\n"),
        (b"x = '\xfc'\n", "x = '\ufffd'\n".encode()),
        (b"\xff\xfex\x00\x00\xd8y\x00", "x\ufffd".encode()),
        (b"a\x0cb\x1b[0m\n", b"a\x0cb\x1b[0m\n"),
    ],
)
def test_encodings(raw: bytes, text: bytes) -> None:
    result = to_utf8(raw)
    assert result is not None
    assert result.startswith(text)


@given(st.binary(max_size=300))
def test_whatever_the_bytes_the_text_is_utf8(raw: bytes) -> None:
    text = to_utf8(raw)
    if text is not None:
        assert b"\0" not in text
        text.decode()


@pytest.mark.parametrize("raw", [b"a\0b", b"%PDF-1.4 text", bytes(range(1, 32)) * 4, b"x = 1\n" * 5_000 + b"\0"])
def test_binary_content(tmp_path: Path, raw: bytes) -> None:
    assert reason_of(read(tmp_path, "a.py", raw)) == "Binary content."


def test_size_limit_holds_for_files_that_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = IndexConfig(max_file_bytes=100)
    assert "101 bytes of at most 100" in reason_of(read(tmp_path, "a.py", b"x" * 101, config))
    assert text_of(read(tmp_path, "b.py", b"x\n" * 50, config)) == b"x\n" * 50
    (tmp_path / "c.py").write_bytes(b"x" * 1_000)
    fstat, asked = os.fstat, []

    def before_it_grew(descriptor: int) -> os.stat_result:
        fields = list(fstat(descriptor))
        fields[6] = 10
        return os.stat_result(fields)

    def counted(descriptor: int, count: int) -> bytes:
        asked.append(count)
        return b"x" * count

    monkeypatch.setattr(os, "fstat", before_it_grew)
    monkeypatch.setattr(os, "read", counted)
    assert "grew beyond" in reason_of(read(tmp_path, "c.py", None, config))
    assert sum(asked) == 101


def test_nothing_is_followed_out_of_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (tmp_path / "secret.py").write_text("x")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    (root / "away").symlink_to(tmp_path)
    (root / "circle").symlink_to("circle")
    assert "link" in reason_of(read(root, "link.py"))
    assert "link" in reason_of(read(root, "away/secret.py"))
    assert "link" in reason_of(read(root, "circle"))
    for path in ["../secret.py", "in/../../secret.py", str(tmp_path / "secret.py"), "", ".", "a\0b"]:
        assert "below the indexed folder" in reason_of(read(root, path))


def test_pipes_devices_and_folders_do_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()
    assert reason_of(read(tmp_path, "pipe.py")) == "Named pipe, not a file."
    assert reason_of(read(tmp_path, "folder.py")) == "A folder, not a file."
    assert reason_of(read(Path("/dev"), "zero")) == "Device, not a file."


def test_files_that_vanish_or_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reason_of(read(tmp_path, "gone.py")) == "It does not exist (any more)."
    assert reason_of(read(tmp_path / "no-root", "a.py")) == "It does not exist (any more)."
    assert reason_of(read(tmp_path, "n" * 300)) == "Its path is too long for this system."
    (tmp_path / "a.py").write_text("x")
    for number, reason in [(13, "No permission to read it."), (5, "It could not be read: Input/output error.")]:

        def fail(*_: object, number: int = number, **__: object) -> int:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", fail)
            assert reason_of(read(tmp_path, "a.py")) == reason


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ["gone/x.py", "gone.py", "pipe.py"]:
        read(tmp_path, path)
    read(tmp_path, "d/e/a.py", b"x")
    read(tmp_path, "d/e/b.py", b"\0")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


CODE = b"def function(argument):\n    return argument\n" * 200


@pytest.mark.parametrize(
    ("path", "raw", "reason"),
    [
        ("packed.js", b"function a(){return 1};" * 500, "Minified"),
        ("blob.py", b"x = 1\n" * 100 + b"DATA = '" + b"QUJD" * 10_000 + b"'\n", "Minified"),
        (
            "a_pb2.py",
            b"# -*- coding: utf-8 -*-\n# Generated by the protocol buffer compiler.  DO NOT EDIT!\n",
            "Generated",
        ),
        ("z.go", b"// Code generated by stringer -type=Pill; DO NOT EDIT.\npackage p\n", "Generated"),
        ("q.ts", b"/**\n * @generated SignedSource<<abc>>\n */\n", "Generated"),
        ("v.py", b"# file generated by a tool\n# do not edit this file\nx = 1\n", "Generated"),
        ("lfs.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "LFS"),
        ("poetry.lock", b"x", "Lock file"),
        ("x.svg", b"<svg>\n" * 50_000, "Data file"),
        ("logo.png", b"text", "Binary file"),
        ("site.min.css", b"a{}", "Minified"),
        ("server.key", b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "Private key"),
        ("cert.pem", b"-----BEGIN CERTIFICATE-----\nMIIE\n", "Certificate"),
        (".npmrc", b"//registry.npmjs.org/:_authToken=abc\n", "token"),
        (".env", b"A=1", "Secret file"),
    ],
)
def test_left_out_with_a_reason(tmp_path: Path, path: str, raw: bytes, reason: str) -> None:
    assert reason in reason_of(read(tmp_path, path, raw))


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("long.md", b"One paragraph is one line here, as many people write. " * 200),
        ("generator.py", b'TEMPLATE = "// Code generated by us; DO NOT EDIT."\n'),
        ("notes.md", b"// Code generated by stringer; DO NOT EDIT.\n"),
        ("late.py", CODE + b"# Code generated by x. DO NOT EDIT.\n"),
        ("edit.py", b"# do not edit the constants below by hand\nX = 1\n"),
        ("keys.key", b"a b c\n"),
        (".npmrc", b"save-exact=true\n"),
        ("table.bin", b"plain text\n"),
        ("code.py", CODE),
    ],
)
def test_ordinary_files_stay(tmp_path: Path, path: str, raw: bytes) -> None:
    assert text_of(read(tmp_path, path, raw)) == raw


def test_secrets_are_masked_before_anything_is_stored(tmp_path: Path) -> None:
    source = read(tmp_path, "a.py", b'KEY = "AKIAIOSFODNN7QWERTYU"\n')
    assert isinstance(source, SourceText)
    assert (source.text, source.masked) == (b'KEY = "' + b"*" * 20 + b'"\n', 1)
    wide = 'KEY = "AKIAIOSFODNN7QWERTYU"\n'.encode("utf-16")
    assert b"AKIA" not in text_of(read(tmp_path, "b.py", wide))


def notebook(*cells: tuple[str, list[str]], indent: int | None = 1) -> bytes:
    document = {
        "cells": [{"cell_type": kind, "metadata": {}, "outputs": [], "source": source} for kind, source in cells],
        "metadata": {"kernelspec": {"language": "Python"}, "language_info": {"name": "python"}},
        "nbformat": 4,
    }
    return json.dumps(document, indent=indent, ensure_ascii=False).encode()


CELLS = (
    ("markdown", ["# Title\n", "text"]),
    ("code", ["import os\n", "x = 'ü\\n'"]),
    ("code", []),
    ("code", ["y = 2"]),
)


def test_notebook_code_stays_on_its_lines(tmp_path: Path) -> None:
    raw = notebook(*CELLS)
    source = read(tmp_path, "a.ipynb", raw)
    assert isinstance(source, SourceText)
    assert source.language == "python"
    lines, code = raw.decode().split("\n"), source.text.decode().split("\n")
    assert len(lines) == len(code)
    assert [line for line in code if line] == ["import os", "x = 'ü\\n'", "y = 2"]
    assert json.dumps("import os\n") in lines[code.index("import os")]
    assert '"y = 2"' in lines[code.index("y = 2")]


def test_notebooks_laid_out_otherwise_follow_one_another(tmp_path: Path) -> None:
    source = read(tmp_path, "a.ipynb", notebook(*CELLS, indent=None))
    assert text_of(source) == "import os\nx = 'ü\\n'\n\n\n\ny = 2".encode()
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1\n", "b"]}]}]}
    assert text_of(read(tmp_path, "old.ipynb", json.dumps(old).encode())) == b"a = 1\nb"


@pytest.mark.parametrize("raw", [b"{", b"[]", b"{}", b'{"cells": [1]}', b"[" * 100_000, b'{"worksheets": 3}'])
def test_damaged_notebooks(tmp_path: Path, raw: bytes) -> None:
    assert reason_of(read(tmp_path, "a.ipynb", raw)).startswith("Not a readable notebook: ")
