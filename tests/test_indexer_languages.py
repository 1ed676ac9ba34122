from __future__ import annotations

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
        ("x.C", b"", "cpp"),
    ],
)
def test_language_by_name_shebang_and_content(path, head, language):
    assert detect(path, head).name == language


def test_unknown_language_has_no_grammar():
    assert by_name("klingon") is TEXT
    assert TEXT.grammar is None


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
