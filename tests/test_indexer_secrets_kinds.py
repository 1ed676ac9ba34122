"""Generated secrets of every kind in every placement, look-alikes, and how masking behaves on hostile text."""

from __future__ import annotations

import random
import time

import pytest

from benchmarks.secrets import FORMS, Placement, blocks, drawn, hidden, kinds, placements
from indexer.secrets import mask_secrets
from indexer.secrets.randomness import bits, is_hexadecimal, is_mixed, is_random, is_sequence

pytestmark = pytest.mark.slow

VALUES = kinds("values")
PLACES = placements()
NAMED = [place for place in PLACES if place.group in ("code", "settings")]
LOOK_ALIKES = list(blocks("harmless"))


@pytest.mark.parametrize("place", NAMED, ids=lambda place: place.path)
def test_drawn_values_are_found_wherever_they_are_assigned(place: Placement) -> None:
    missed = []
    for kind, expression in VALUES.items():
        rng = random.Random(f"test:{kind}")
        for _ in range(5):
            value = FORMS[place.form](drawn(expression, rng))
            if not hidden(place.path, place.text.replace("§", value), value):
                missed.append(f"{kind}: {value}")
    assert len(missed) <= 0.1 * 5 * len(VALUES), missed


@pytest.mark.parametrize("place", [p for p in PLACES if p.group == "url"], ids=lambda place: place.path)
def test_passwords_of_urls_and_connections_are_found(place: Placement) -> None:
    found = 0
    for kind, expression in kinds("passwords").items():
        rng = random.Random(f"test:{kind}")
        for _ in range(10):
            value = drawn(expression, rng)
            found += hidden(place.path, place.text.replace("§", value), value)
    assert found >= 44  # of 50


def test_look_alikes_stay() -> None:
    masked = [head[0] for head, text in LOOK_ALIKES if mask_secrets(text.encode(), head[0])[1]]
    assert len(LOOK_ALIKES) == 127
    assert len(masked) <= len(LOOK_ALIKES) // 60, masked


MULTILINE = [
    ("a.py", 'secret_key = (\n    "§"\n)\n'),
    ("a.py", 'password = "§" \\\n    "fBqRnZ3y"\n'),
    ("a.yaml", "password: |\n  §\nport: 1\n"),
    ("a.yaml", "- name: DB_PASSWORD\n  value: §\n"),
    ("a.tf", 'variable "db_password" {\n  type = string\n  default = "§"\n}\n'),
    ("a.json", '{"adminPassword": {"type": "securestring", "value": "§"}}'),
    ("a.xml", '<property name="password">\n  <value>§</value>\n</property>'),
    ("a.plist", "<key>Password</key>\n<string>§</string>"),
    ("a.js", "// old password was §\n"),
    ("a.html", "<!-- password: § -->"),
    ("a.c", '#define DB_PASSWORD "§"\n'),
    ("a.sql", "CREATE USER bob IDENTIFIED BY '§';"),
    ("a.sh", "mysql -u root -p§ app\n"),
    ("a.sh", "curl -u bob:§ https://h\n"),
    ("a.txt", "machine h login bob password §\n"),
    ("a.txt", "db.host:5432:prod:bob:§\n"),
    ("a.md", "The admin password is `§`.\n"),
    ("a.yaml", "kind: Secret\nstringData:\n  anything: §\n"),
    ("a.ipynb", '{"source": ["password = \\"§\\"\\n"]}'),
]


@pytest.mark.parametrize(("path", "text"), MULTILINE)
def test_chosen_passwords_are_found_in_every_syntax(path: str, text: str) -> None:
    for value in ("Kettle77xBl", "hunter2xQ9", "Tr0ub4dorZx3"):
        assert hidden(path, text.replace("§", value), value)


def test_arrays_after_a_telling_name_lose_their_elements() -> None:
    numbers = "0x8f, 0x1a, 0x93, 0xe2,\n  0x04, 0x7c, 0xd9, 0x55"
    text = f"static const uint8_t aes_key[8] = {{\n  {numbers}}};\n".encode()
    masked, count = mask_secrets(text, "a.c")
    assert count > 0
    assert b"0x8f" not in masked and b"0x55" not in masked
    assert masked.count(b"\n") == text.count(b"\n") and masked.startswith(b"static const uint8_t aes_key[8] = {")
    table = text.replace(b"aes_key", b"crc_table")
    assert mask_secrets(table, "a.c") == (table, 0)


def test_base64_of_a_private_key_is_masked_and_that_of_a_certificate_stays() -> None:
    key = b"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlFb3dJQkFBS0NBUUVBNzVYYjNuMlFkOGY3V20wUmsx"
    certificate = b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURRVENDQWltZ0F3SUJBZ0lUQm15Zno1bS9qQW81NHZCNGlr"
    assert key not in mask_secrets(b"x: " + key, "a.yaml")[0]
    assert mask_secrets(b"ca-data: " + certificate, "a.yaml")[1] == 0


HOSTILE = [
    *(b"=", b'"', b"a:", b"key=", b"password:", b'password="', b"password ", b"token\n", b"://a:", b"key={"),
    *(b"key={0x12,", b"-----BEGIN PRIVATE KEY-----\n", b"kind: Secret\ndata:\n", b"key:\n  ", b'connect("a",'),
    *(
        b"eyJ",
        b"auth:",
        b"LS0tLS1CRUdJTi",
        b'variable "password" {',
        b'password = \\"',
        b"a1",
        b"<password>",
        b"curl -u",
        b"net user ",
        b"secrets:\n  - a1B2c3D4e5\n",
        b"password = <<EOT\n",
        b"AKIAIOSFODNN7QWERTYU ",
        b"new PDO('a',",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("path", ["a.py", "a.yaml"])
def test_repeated_pieces_take_time_in_proportion(piece: bytes, path: str) -> None:
    """A deadline that only work growing with the square of the text, or faster, can miss: it would take minutes."""
    started = time.process_time()
    mask_secrets(piece * (100_000 // len(piece)), path)
    assert time.process_time() - started < 60


@pytest.mark.parametrize(
    "value", [b"a8F3kd92LmZx71QpWv04", b"9f8a7b6c5d4e3f2a1b0c", b"qzvkwtrbnmxl", b"tSzBvMOeqyErzYyH"]
)
def test_drawn_values_are_random(value: bytes) -> None:
    assert is_random(value)


@pytest.mark.parametrize(
    "value",
    [
        b"identifier_or_keyword",
        b"passwordResetTokenExpiry",
        b"0123456789abcdef0123",
        b"org.example.app.MainActivity",
        b"aaaa",
    ],
)
def test_words_and_sequences_are_not_random(value: bytes) -> None:
    assert not is_random(value)


def test_the_measures_of_randomness() -> None:
    assert bits(b"") == 0
    assert bits(b"configuration") < 4.5 < 6.5 < bits(b"Xq7ZkW9vJpQ2")
    assert is_hexadecimal(b"9f8a7b6c5d4e3f2a1b0c") and not is_hexadecimal(b"12345678901234567890")
    assert is_sequence(b"000102030405060708090a0b0c0d0e0f") and not is_sequence(b"9f8a7b6c5d4e3f2a1b0c")
    assert is_mixed(b"V&$cd#?G38cTbf!~") and not is_mixed(b"userName_1")
