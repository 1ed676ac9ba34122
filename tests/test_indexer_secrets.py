"""Masking: what is masked, what is not, and what masking keeps."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.secrets import mask_secrets, refuse_secret_name

JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0"
    ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
)

# (path, text, the secret in it); put together here so that no scanner takes this file for a leak.
SECRETS = [
    ("a.py", 'KEY = "{}"', "AKIA" + "IOSFODNN7QWERTYU"),
    ("a.tf", "key {} here", "ASIA" + "IOSFODNN7QWERTYU"),
    ("a.py", "aws_secret_access_key = '{}'", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYzUj3kLqA9Z"),
    ("a.js", 'fetch("x", "{}")', "ghp_" + "a1B2c3D4e5F6" * 3),
    ("a.md", "use {} for it", "github_pat_" + "11ABCDEFG0" * 6),
    ("a.sh", "T={}", "glpat-" + "ABCDEFGHIJ1234567890"),
    ("a.py", "x('{}')", "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOp"),
    ("a.rb", 'Stripe.key = "{}"', "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dcXYZ"),
    ("a.ts", "const t = `{}`;", JWT),
    ("a.py", 'client("{}")', "sk-proj-" + "abc123DEF456ghi789JKL012mno345PQR678"),
    ("a.kt", 'val maps = "{}"', "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"),
    ("a.py", "DB = 'postgres://bob:{}@db.internal:5432/x'", "s3cr3tPw"),
    ("a.java", 'private static final String PASSWORD = "{}";', "Tr0ub4dor&3"),
    ("a.py", 'password = "{}"', "SuperSecret123!"),
    ("a.py", "password: str = '{}'", "пароль-Ünïx-9!ab"),
    ("a.go", 'apiKey := "{}"', "9f8a7b6c5d4e3f2a1b0c"),
    ("a.ts", "const clientSecret: string = '{}';", "9f8a7b6c5d4e3f2a1b0c"),
    ("a.json", '{{"private_token": "{}"}}', "a8F3kd92LmZx71QpWv04"),
    ("app.properties", "spring.datasource.password={}\n", "Zk8!qLm2pX"),
    ("a.yml", "db:\n  password: {}  # production\n", "hunter2x9"),
    ("a.xml", "<password>{}</password>", "Zk8qLm2pX9"),
    ("web.config", '<add key="ApiKey" value="{}" />', "9f8a7b6c5d4e3f2a1b0c"),
    ("Dockerfile", "ENV API_KEY={}\n", "9f8a7b6c5d4e3f2a1b0c"),
    ("tests/test_a.py", 'token = "{}"', "a8F3kd92LmZx71QpWv04"),
]


@pytest.mark.parametrize(("path", "text", "secret"), SECRETS)
def test_secrets_are_masked_and_nothing_else(path: str, text: str, secret: str) -> None:
    raw = text.format(secret).encode()
    masked, count = mask_secrets(raw, path)
    stars = "*" * len(secret.encode())
    assert (masked.decode(), count) == (text.format(stars), 1)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 'password = "password"'),
        ("a.py", 'password = "changeme123"'),
        ("a.py", 'password_field = "password_input_2"'),
        ("a.py", "password = get_password(config['db'])"),
        ("a.py", 'password = "{}".format(x1)'),
        ("a.py", 'token = "oauth2_access_token_v2_endpoint"'),
        ("a.py", "token = tokenizer_v2_next_value\nsecret_key = settings.SECRET_KEY_2"),
        ("a.py", 'TOKEN_URL = "https://example.com/oauth2/token1"'),
        ("a.py", 'compass = "north-1234-e"; bypass("x1y2z3w4")'),
        ("a.py", 'password.encode("latin1x9")'),
        ("a.java", 'ps("SecretKeyFactory", "PBEWithHmacSHA512AndAES_256")'),
        ("a.py", 'DB = "postgres://user:password@localhost/x"'),
        ("a.py", 'URL = f"https://{user}:{password}@host"'),
        ("a.sh", "curl https://$USER:$PASS@host"),
        ("a.yml", "password: ${DB_PASSWORD_1}"),
        ("a.yml", "token: {{ .Values.token1 }}"),
        ("a.yml", "pins: lpass_slimbus0, cam_pwdn_ps7, cam_flash_en_ps6"),
        ("tests/test_login.py", 'password = "hunter2"'),
        ("tests/test_login.py", 'login(password="pass1234word")'),
        ("a.py", 'BEGIN = "-----BEGIN PRIVATE KEY-----"\nEND = "-----END PRIVATE KEY-----"'),
        ("a.py", 'sequence = "x"; token = "0123456789abcdef"'),
        ("a.c", "static const char *x = XAKIAIOSFODNN7QWERTYUZ;"),
    ],
)
def test_ordinary_code_stays(path: str, text: str) -> None:
    assert mask_secrets(text.encode(), path) == (text.encode(), 0)


KEY_LINES = ["MIIEowIBAAKCAQEA75Xb3n2Qd8f7Wm0Rk1", "qf9/aZ+kq0cTtYx2LmW8", "ab=="]


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_private_keys_are_masked_whole(kind: str) -> None:
    begin, end = f"-----BEGIN {kind}-----", f"-----END {kind}-----"
    raw = "\r\n".join(["k = '''", begin, *KEY_LINES, end, "'''", "MIIEowIBAAKCAQEA75Xb3n2Qd8f7Wm0Rk1"])
    masked, count = mask_secrets(raw.encode(), "a.py")
    stars = ["*" * len(line) for line in KEY_LINES]
    assert masked.decode().split("\r\n") == ["k = '''", begin, *stars, end, "'''", KEY_LINES[0]]
    assert count == 1


def test_private_keys_in_strings_and_cut_off_ones() -> None:
    escaped = '{"private_key": "-----BEGIN PRIVATE KEY-----\\n%s\\n-----END PRIVATE KEY-----\\n", "id": 1}'
    masked, count = mask_secrets((escaped % "\\n".join(KEY_LINES)).encode(), "a.json")
    assert masked.decode() == escaped % "\\n".join("*" * len(line) for line in KEY_LINES)
    assert count == 1
    pieces = b'"-----BEGIN PRIVATE KEY-----\\n" +\n"%s\\n" +\n"-----END PRIVATE KEY-----"' % KEY_LINES[0].encode()
    assert mask_secrets(pieces, "A.java")[0] == pieces.replace(KEY_LINES[0].encode(), b"*" * 34)
    cut = b"-----BEGIN PRIVATE KEY-----\n" + (KEY_LINES[0] * 2).encode() + b"\n\nrest of the file\n"
    masked, count = mask_secrets(cut, "a.txt")
    assert (masked, count) == (cut.replace((KEY_LINES[0] * 2).encode(), b"*" * 68), 1)


def test_several_secrets_in_one_very_long_line() -> None:
    secrets = [secret.encode() for _, _, secret in SECRETS[:2]] * 3
    raw = (b" " + b"word " * 2_000).join(secrets)
    masked, count = mask_secrets(raw, "a.md")
    assert count == 6
    assert masked == (b" " + b"word " * 2_000).join(b"*" * len(secret) for secret in secrets)


def test_a_token_at_the_edge_of_what_is_looked_at_is_masked_whole() -> None:
    token = JWT.encode()
    for gap in range(1_850, 2_010, 7):
        raw = b"AKIAIOSFODNN7QWERTYU" + b" " * gap + token + b" end" * 1_000
        assert mask_secrets(raw, "a.md")[0] == b"*" * 20 + b" " * gap + b"*" * len(token) + b" end" * 1_000


FRAGMENTS = [text.format(secret) for _, text, secret in SECRETS] + [
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
]


@given(
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=30), st.sampled_from(["\n", "\r\n", "'", " = "]))),
    st.sampled_from(["a.py", "a.yml", "tests/a.md"]),
)
def test_masking_keeps_length_lines_and_utf8(parts: list[str], path: str) -> None:
    text = "".join(parts).encode("utf-8", "replace")
    masked, count = mask_secrets(text, path)
    assert len(masked) == len(text)
    assert [m.span() for m in re.finditer(rb"[\r\n]", masked)] == [m.span() for m in re.finditer(rb"[\r\n]", text)]
    masked.decode()
    changed = [(old, new) for old, new in zip(text, masked, strict=True) if old != new]
    assert all(new == ord("*") for _, new in changed)
    assert count or masked == text


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "a/.env.production",
        "prod.env",
        "id_rsa",
        "x.kdbx",
        "c.P12",
        ".netrc",
        "h/.aws/credentials",
        "credentials.json",
    ],
)
def test_secret_files_by_name(path: str) -> None:
    assert refuse_secret_name(path) is not None


@pytest.mark.parametrize(
    "path", [".env.example", "example.env", "env", "environment.py", "id_rsa.py", "secrets.py", "aws/credentials"]
)
def test_files_that_only_sound_secret(path: str) -> None:
    assert refuse_secret_name(path) is None
