"""What masking reads from a path: whether a file is code, settings, a table, or a test or documentation."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from indexer.kinds import extension
from indexer.kinds import words as listed
from indexer.secrets.names import words

_TEST_PATH = re.compile(
    r"(?i)(?:^|/)(?:[\w-]*tests?|testing|testdata|specs?|__tests__|fixtures?|examples?|samples?|docs?|mocks?|demos?)/"
    r"|(?:^|/)(?:test_|conftest)|[._-](?:test|spec)s?\.|(?:^|/)[^/]*(?:test|tests|example|sample)\.\w+$"
)
_SETTINGS = listed("env properties ini cfg conf cnf toml yaml yml tf tfvars hcl mk netrc pypirc npmrc")
_SETTINGS_NAMES = listed(
    """
    makefile gnumakefile dockerfile netrc pypirc settings.xml appsettings.json config.json secrets.json
    local.settings.json
    """
)
_TEXTS = re.compile(
    r"(?i)(?:^|/)(?:locales?|lang|languages?|i18n|l10n|translations?|openapi|swagger|schemas?)(?:[/._-]|$)"
    r"|(?:^|/)(?:messages|strings|labels|texts|translation|openapi|swagger)[^/]*$|_[a-z]{2}(?:_[A-Z]{2})?\.properties$"
)
"""Files with texts for users or with descriptions of data: there a word after ``password:`` is no password."""


class Rules(NamedTuple):
    """How the text of a file is judged."""

    code: bool
    """Values must be quoted; no name of a file counts as settings."""
    strict: bool
    """A test, an example or documentation, where made-up values are common."""
    settings: bool
    """The value of a password is one, whatever its characters."""
    env: bool
    """The same, also with blanks between quotes."""
    table: bytes
    """What separates the columns: a comma, a tab, a ``|`` in Markdown, nothing in other files."""


_DELIMITERS = {"csv": b",", "tsv": b"\t", "md": b"|", "markdown": b"|"}


def is_code(path: str) -> bool:
    """Whether values must be quoted in a file, by its name; no name counts as settings."""
    return extension(path) in words().code


def is_table(path: str) -> bool:
    """Whether a file may have tables with a head."""
    return extension(path) in _DELIMITERS


@lru_cache(maxsize=4096)
def rules_of(path: str) -> Rules:
    """The rules for a file, from its path alone."""
    ext, name = extension(path), path.rpartition("/")[2].lower()
    strict = _TEST_PATH.search(path) is not None
    env = ext == "env" or name.startswith(".env")
    settings = env or ext in _SETTINGS or name in _SETTINGS_NAMES or name.startswith("dockerfile.")
    settings = settings and not strict and _TEXTS.search(path) is None
    return Rules(is_code(path), strict, settings, env and settings, _DELIMITERS.get(ext, b""))
