"""What a change log says of a definition, as a pair to train on."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from random import Random

import pytest

from assistant.adapt.changes import entries, names, pairs
from assistant.adapt.corpus import SourceFile, change_logs

LOG = """\
Changes
=======

1.2 (2024-01-01)
----------------

- Fix `parse_header` when the value is empty, which raised
  an IndexError (#123) by @somebody
* Widget.render() no longer escapes the title twice
- Update the documentation of everything
- Remove `gone_for_good` that nobody used for the last years
"""
CODE = b"""\
def parse_header(value):
    if not value:
        return {}
    first = parse_header(value[1:])
    return {"name": first, "value": value}


class Widget:
    def render(self):
        title = escape(self.title)
        return template.format(title=title, body=self.body, more=self.more)
"""


def test_entries_are_bullets_with_their_further_lines() -> None:
    found = list(entries(LOG))
    assert found[0] == "Fix `parse_header` when the value is empty, which raised an IndexError (#123) by @somebody"
    assert len(found) == 4


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("fix parse_header and HTTPServer", ["parse_header", "HTTPServer"]),
        ("Widget.render() no longer fails", ["render"]),
        ("calling `close` or open() twice", ["close", "open"]),
        ("Std::Map::insert is faster", ["insert"]),
        ("plain words only", []),
    ],
)
def test_names_are_what_can_only_be_an_identifier(entry: str, found: list[str]) -> None:
    assert names(entry) == found


def test_a_line_and_the_code_that_it_names_without_the_name() -> None:
    found = list(pairs([SourceFile("web.py", "python", CODE)], [LOG], Random(0)))
    assert [(p.kind, p.language, p.file, p.code) for p in found] == [
        ("change", "python", "web.py", 0),
        ("change", "python", "web.py", CODE.index(b"def render")),
    ]
    assert found[0].query == "Fix parse_header when the value is empty, which raised an IndexError"
    assert "parse_header" not in found[0].document
    assert 'return {"name": first' in found[0].document
    assert found[1].document.startswith("Widget\n")


def test_a_name_with_many_definitions_says_nothing() -> None:
    files = [SourceFile(f"web{n}.py", "python", CODE) for n in range(3)]
    assert list(pairs(files, [LOG], Random(0))) == []


def test_change_logs_are_read_from_archives_and_excluded_projects_are_not(tmp_path: Path) -> None:
    archive = tmp_path / "package-1.tar.gz"
    members = {
        "package-1/CHANGES.rst": LOG.encode(),
        "package-1/doc/changelog.gz": gzip.compress(b"- packed\n"),
        "package-1/doc/changelog.Debian.gz": gzip.compress(b"- the distribution's own\n"),
        "package-1/vendor/other/CHANGELOG.md": b"- vendored\n",
        "package-1/flask/CHANGES.rst": b"- measured on, so never read\n",
        "package-1/src/history.py": b"x = 1\n",
    }
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    assert change_logs(archive) == [LOG, "- packed\n"]
