from __future__ import annotations

import re
from pathlib import Path

import pytest

from indexer.languages import TEXT, by_name, detect, names
from indexer.parse import query_source


@pytest.mark.parametrize(
    ("path", "head", "language"),
    [
        ("a/b.py", b"", "python"),
        ("a/B.PY", b"", "python"),
        ("web/app.mjs", b"", "javascript"),
        ("web/app.tsx", b"", "tsx"),
        ("Makefile", b"", "make"),
        ("docker/Dockerfile.prod", b"", "dockerfile"),
        ("CMakeLists.txt", b"", "cmake"),
        ("home/.bashrc", b"", "bash"),
        ("bin/tool", b"#!/usr/bin/env python3.11\n", "python"),
        ("bin/tool", b"#!/usr/bin/env -S node --harmony\n", "javascript"),
        ("bin/tool", b"#! /bin/sh -e\n", "bash"),
        ("bin/tool", b"#!/opt/unheard-of\n", "text"),
        ("bin/tool", b"#!", "text"),
        ("notes", b"plain words\n", "text"),
        ("notes.unheardof", b"", "text"),
        ("x.h", b"#include <stdio.h>\nstruct node { int class_of; };\nvoid f(void); /* std: yes */\n", "c"),
        ("x.h", b"#pragma once\nnamespace a {\nint f();\n}\n", "cpp"),
        ("x.h", b"#include <vector>\nvoid f();\n", "cpp"),
        ("x.h", b"class A : public B {\n};\n", "cpp"),
        ("x.h", b"#import <Foundation/Foundation.h>\n@interface A\n@end\n", "objc"),
        (
            "x.h",
            b"/* virtual memory, a\n   class of the device\n   using what is free\n   namespace */\nint f(void);\n",
            "c",
        ),
        ("x.inc", b"<?php\necho 1;\n", "php"),
        ("x.inc", b"mov eax, 1\n", "text"),
        ("x.m", b"function y = f(x)\ny = x;\nend\n", "matlab"),
        ("x.m", b"@implementation A\n@end\n", "objc"),
        ("x.v", b"module top(input a);\nendmodule\n", "verilog"),
        ("x.v", b"fn main() {}\n", "v"),
        ("x.pp", b"class shop {\n}\n", "puppet"),
        ("x.pp", b"{ Shop }\nUnit Shop;\ninterface\n", "pascal"),
        ("x.C", b"", "cpp"),
    ],
)
def test_language_by_name_shebang_and_content(path, head, language):
    assert detect(path, head).name == language


def test_unknown_language_has_no_grammar():
    assert by_name("klingon") is TEXT
    assert TEXT.grammar is None


def test_the_page_about_languages_says_what_there_is():
    page = (Path(__file__).parent.parent / "docs" / "languages.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| (.+) \| (yes|—) \| (yes|—) \|$", page, re.MULTILINE)
    assert [row[0] for row in rows] == [name for name in names() if name != "text"]
    queries = [query_source(by_name(name).query) if by_name(name).query else "" for name, *_ in rows]
    assert [row[2] == "yes" for row in rows] == [bool(query) for query in queries]
    assert [row[3] == "yes" for row in rows] == ["@reference." in query for query in queries]
    counts = re.search(r"(\d+) languages are cut .* (\d+) of them .* (\d+) have references", page, re.DOTALL)
    assert [int(count) for count in counts.groups()] == [
        len(rows),
        sum(map(bool, queries)),
        sum("@reference." in query for query in queries),
    ]
    for name, patterns, *_ in rows:
        for pattern in patterns.replace("`", "").split():
            assert detect(f"x{pattern}" if pattern.startswith(".") else pattern).name == name, pattern


def test_at_least_forty_languages_have_queries():
    with_symbols = [name for name in names() if by_name(name).query]
    assert len(with_symbols) >= 40
    for name in with_symbols:
        assert "@name" in query_source(by_name(name).query)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in names() if name != "text"])
def test_the_pack_has_every_grammar(name):
    from tree_sitter_language_pack import get_language

    assert get_language(by_name(name).grammar).node_kind_count > 1
