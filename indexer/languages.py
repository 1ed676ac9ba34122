"""Which language a file is in: by its name, its ``#!`` line, or, for ``.h``, by what it contains.

``grammar`` names a grammar of the language pack; ``query`` names a file in ``indexer/queries`` (without ``.scm``) that
finds definitions and references. A language with a grammar and no query is still chunked along its syntax; one without
a grammar is taken by lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from posixpath import basename


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its public name, the pack's grammar, and the query that finds its symbols."""

    name: str
    grammar: str | None = None
    query: str | None = None


TEXT = Language("text")

# name: "grammar query" (the query only where there is one), then extensions and whole file names.
# Grammars that are known to hang on small inputs (cobol) stay in: the parse deadline is what guards against them.
_TABLE: tuple[tuple[str, str, str], ...] = (
    ("python", "python python", ".py .pyi .pyw .pyx .pxd SConstruct SConscript wscript"),
    ("javascript", "javascript javascript", ".js .mjs .cjs .jsx .es6 Jakefile"),
    ("typescript", "typescript typescript", ".ts .mts .cts"),
    ("tsx", "tsx tsx", ".tsx"),
    ("java", "java java", ".java"),
    ("kotlin", "kotlin kotlin", ".kt .kts"),
    ("c", "c c", ".c .h"),
    ("cpp", "cpp cpp", ".cc .cpp .cxx .c++ .hh .hpp .hxx .h++ .ipp .inl .tpp .txx .cppm .ixx .ino"),
    ("csharp", "csharp csharp", ".cs .csx"),
    ("go", "go go", ".go"),
    ("rust", "rust rust", ".rs"),
    ("ruby", "ruby ruby", ".rb .rake .gemspec .ru .rbw Rakefile Gemfile Vagrantfile Guardfile Podfile Fastfile"),
    ("php", "php php", ".php .php3 .php4 .php5 .phtml"),
    ("swift", "swift swift", ".swift"),
    ("scala", "scala scala", ".scala .sc .sbt"),
    ("lua", "lua lua", ".lua .rockspec"),
    ("bash", "bash bash", ".sh .bash .zsh .ksh .ebuild .bats PKGBUILD .bashrc .bash_profile .profile .zshrc"),
    ("markdown", "markdown markdown", ".md .markdown .mdx"),
    ("ada", "ada ada", ".adb .ads"),
    ("agda", "agda", ".agda"),
    ("apex", "apex apex", ".cls .trigger"),
    ("asm", "asm", ".s .asm .S"),
    ("astro", "astro astro", ".astro"),
    ("bicep", "bicep bicep", ".bicep"),
    ("clojure", "clojure clojure", ".clj .cljs .cljc .edn"),
    ("cmake", "cmake cmake", ".cmake CMakeLists.txt"),
    ("cobol", "cobol", ".cob .cbl .cpy"),
    ("commonlisp", "commonlisp commonlisp", ".lisp .lsp .cl .asd"),
    ("css", "css css", ".css"),
    ("cuda", "cuda cuda", ".cu .cuh"),
    ("d", "d d", ".d .di"),
    ("dart", "dart dart", ".dart"),
    ("dockerfile", "dockerfile dockerfile", ".dockerfile Dockerfile Containerfile"),
    ("elisp", "elisp elisp", ".el"),
    ("elixir", "elixir elixir", ".ex .exs"),
    ("elm", "elm elm", ".elm"),
    ("erlang", "erlang erlang", ".erl .hrl"),
    ("fish", "fish fish", ".fish"),
    ("fortran", "fortran fortran", ".f .f90 .f95 .f03 .f08 .for .F90"),
    ("fsharp", "fsharp fsharp", ".fs .fsx"),
    ("gdscript", "gdscript gdscript", ".gd"),
    ("gleam", "gleam gleam", ".gleam"),
    ("glsl", "glsl glsl", ".glsl .vert .frag .geom .comp"),
    ("graphql", "graphql graphql", ".graphql .gql"),
    ("groovy", "groovy groovy", ".groovy .gradle Jenkinsfile"),
    ("haskell", "haskell haskell", ".hs"),
    ("haxe", "haxe", ".hx"),
    ("hcl", "hcl hcl", ".hcl"),
    ("hlsl", "hlsl hlsl", ".hlsl .fx"),
    ("html", "html html", ".html .htm .xhtml"),
    ("ini", "ini ini", ".ini .cfg .conf .editorconfig .gitconfig"),
    ("janet", "janet", ".janet"),
    ("json", "json json", ".json .jsonc .json5 .webmanifest"),
    ("jsonnet", "jsonnet", ".jsonnet .libsonnet"),
    ("julia", "julia julia", ".jl"),
    ("latex", "latex latex", ".tex .sty .latex"),
    ("luau", "luau luau", ".luau"),
    ("make", "make make", ".mk .mak Makefile makefile GNUmakefile"),
    ("matlab", "matlab matlab", ".m"),
    ("meson", "meson", "meson.build meson_options.txt"),
    ("nim", "nim nim", ".nim .nims"),
    ("nix", "nix nix", ".nix"),
    ("objc", "objc objc", ".mm"),
    ("ocaml", "ocaml ocaml", ".ml"),
    ("ocaml_interface", "ocaml_interface ocaml_interface", ".mli"),
    ("odin", "odin odin", ".odin"),
    ("org", "org org", ".org"),
    ("pascal", "pascal pascal", ".pas .dpr .lpr"),
    ("perl", "perl perl", ".pl .pm .t"),
    ("powershell", "powershell powershell", ".ps1 .psm1 .psd1"),
    ("prisma", "prisma prisma", ".prisma"),
    ("properties", "properties properties", ".properties"),
    ("proto", "proto proto", ".proto"),
    ("puppet", "puppet", ".pp"),
    ("purescript", "purescript purescript", ".purs"),
    ("qml", "qmljs", ".qml"),
    ("r", "r r", ".r .R .Rprofile"),
    ("racket", "racket racket", ".rkt"),
    ("rst", "rst rst", ".rst"),
    ("scheme", "scheme scheme", ".scm .ss .sld"),
    ("scss", "scss scss", ".scss"),
    ("smithy", "smithy", ".smithy"),
    ("solidity", "solidity solidity", ".sol"),
    ("sql", "sql sql", ".sql .ddl .dml"),
    ("squirrel", "squirrel", ".nut"),
    ("starlark", "starlark starlark", ".bzl .star BUILD BUILD.bazel WORKSPACE WORKSPACE.bazel"),
    ("svelte", "svelte svelte", ".svelte"),
    ("tablegen", "tablegen", ".td"),
    ("tcl", "tcl tcl", ".tcl"),
    ("terraform", "terraform hcl", ".tf .tfvars"),
    ("thrift", "thrift thrift", ".thrift"),
    ("toml", "toml toml", ".toml Cargo.lock poetry.lock Pipfile"),
    ("twig", "twig", ".twig"),
    ("typst", "typst typst", ".typ"),
    ("v", "v", ".v"),
    ("verilog", "verilog verilog", ".sv .svh .vh"),
    ("vhdl", "vhdl vhdl", ".vhd .vhdl"),
    ("vim", "vim vim", ".vim .vimrc"),
    ("vue", "vue vue", ".vue"),
    ("wat", "wat", ".wat"),
    ("wgsl", "wgsl wgsl", ".wgsl"),
    ("xml", "xml", ".xml .xsd .xsl .xslt .svg .plist .csproj .vcxproj .props .targets"),
    ("yaml", "yaml yaml", ".yaml .yml .clang-format .clang-tidy"),
    ("zig", "zig zig", ".zig .zon"),
)

_SHEBANGS = {
    "python": "python", "pypy": "python", "node": "javascript", "nodejs": "javascript", "deno": "typescript",
    "bun": "typescript", "ts-node": "typescript", "ruby": "ruby", "jruby": "ruby", "php": "php", "lua": "lua",
    "luajit": "lua", "sh": "bash", "bash": "bash", "dash": "bash", "zsh": "bash", "ksh": "bash", "ash": "bash",
    "perl": "perl", "fish": "fish", "tclsh": "tcl", "wish": "tcl", "rscript": "r", "julia": "julia",
    "elixir": "elixir", "escript": "erlang", "scala": "scala", "groovy": "groovy", "swift": "swift", "kotlin": "kotlin",
    "make": "make", "racket": "racket", "guile": "scheme", "runghc": "haskell", "runhaskell": "haskell",
    "pwsh": "powershell",
}  # fmt: skip

_BY_NAME: dict[str, Language] = {"text": TEXT}
_BY_EXTENSION: dict[str, Language] = {}
_BY_FILE_NAME: dict[str, Language] = {}
for _name, _grammar, _patterns in _TABLE:
    _language = Language(_name, *_grammar.split())
    _BY_NAME[_name] = _language
    for _pattern in _patterns.split():
        # Names with a leading dot serve both as an extension and as a whole name (".bashrc"); the first entry wins.
        (_BY_EXTENSION if _pattern.startswith(".") else _BY_FILE_NAME).setdefault(_pattern, _language)

_SHEBANG = re.compile(rb"#!\s*(\S+)(?:[ \t]+([^\r\n]*))?")
# Each alternative is code, not prose: comments of C headers speak of classes, namespaces and virtual memory too.
_CPP_HEADER = re.compile(
    rb"""^[ \t]*(?:
        (?:inline[ \t]+)?namespace\s*[\w:]*\s*\{
        | (?:enum[ \t]+)?class[ \t]+(?:\w+[ \t]+)?\w+\s*(?:final\s*)?(?:;|\{|:[^:])
        | template[ \t]*<
        | using[ \t]+(?:namespace\b|\w+[ \t]*=|\w+::)
        | (?:public|private|protected)[ \t]*:
        | (?:static[ \t]+)?constexpr\b
        | \#[ \t]*include[ \t]*<[a-z_]+>
    ) | \bstd::""",
    re.MULTILINE | re.VERBOSE,
)
_OBJC_HEADER = re.compile(rb"^[ \t]*(?:@interface|@protocol|@implementation|#[ \t]*import)\b", re.MULTILINE)
_PASCAL = re.compile(rb"^[ \t]*(?:unit|program|library)[ \t]+\w+[ \t]*;", re.IGNORECASE | re.MULTILINE)
HEAD_BYTES = 64_000
"""How much of a file ``detect`` looks at; a caller need not pass more."""


def by_name(name: str) -> Language:
    """The language of that public name (as ``Language.name``); ``text`` when unknown."""
    return _BY_NAME.get(name, TEXT)


def names() -> list[str]:
    """Public names of all known languages, sorted."""
    return sorted(_BY_NAME)


def extension_of(name: str) -> str:
    """The usual extension of that language's files, with its dot; empty where they have none, or it is unknown."""
    patterns = next((patterns for known, _, patterns in _TABLE if known == name), "")
    return next((pattern for pattern in patterns.split() if pattern.startswith(".")), "")


def detect(path: str, head: bytes = b"") -> Language:
    """The language of the file at ``path`` (POSIX), whose first bytes are ``head``; ``text`` when unknown."""
    name = basename(path)
    found = _BY_FILE_NAME.get(name) or _by_extension(name)
    if found is None:
        if name.startswith(("Dockerfile.", "Containerfile.")):
            return _BY_NAME["dockerfile"]
        return _BY_NAME["php"] if head.startswith(b"<?php") else _by_shebang(head) or TEXT
    if found.name in ("c", "matlab", "puppet", "v"):
        return _by_content(found, name, head)
    return found


def _by_extension(name: str) -> Language | None:
    dot = name.rfind(".")
    if dot < 0:
        return None
    extension = name[dot:]
    return _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower())


def _by_content(found: Language, name: str, head: bytes) -> Language:
    """Settle extensions that several languages share: ``.h`` (C, C++, Objective-C), ``.m``, ``.pp``, ``.v``."""
    head = head[:HEAD_BYTES]
    if found.name == "c":
        if not name.endswith((".h", ".H")):
            return _BY_NAME["cpp"] if name.endswith(".C") else found
        if _OBJC_HEADER.search(head):
            return _BY_NAME["objc"]
        return _BY_NAME["cpp"] if _CPP_HEADER.search(head) else found
    if found.name == "matlab":
        return _BY_NAME["objc"] if _OBJC_HEADER.search(head) else found
    if found.name == "puppet":
        return _BY_NAME["pascal"] if _PASCAL.search(head) else found
    return _BY_NAME["verilog"] if re.search(rb"\bendmodule\b|^\s*`timescale", head, re.MULTILINE) else found


def _by_shebang(head: bytes) -> Language | None:
    match = _SHEBANG.match(head)
    if match is None:
        return None
    words = [match[1], *(match[2] or b"").split()]
    command = words[0].rsplit(b"/", 1)[-1]
    if command == b"env":
        command = next((w for w in words[1:] if not w.startswith(b"-") and b"=" not in w), b"")
    bare = re.sub(r"[\d.]+$", "", command.rsplit(b"/", 1)[-1].decode("ascii", "replace")).lower()
    return _BY_NAME.get(_SHEBANGS.get(bare, ""))
