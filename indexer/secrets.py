"""What must never be stored: files that hold secrets, by name or content, and secrets inside other files."""

from __future__ import annotations

import re

from indexer.kinds import words

_PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?P<kind>[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----(?P<body>.*?)-----END (?P=kind)-----", re.DOTALL
)
_KEY_EXTENSIONS = frozenset(["pem", "key", "p8", "asc", "pk8"])
_SECRET_NAMES = words(
    """
    .netrc _netrc .pgpass .my.cnf .htpasswd .git-credentials .dockercfg .pypirc .vault-token .envrc .boto .s3cfg
    id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk identity credentials.json master.key
    application_default_credentials.json secrets.yml secrets.yaml secrets.json secrets.toml .secrets
    terraform.tfstate terraform.tfstate.backup
    """
)
_SECRET_EXTENSIONS = frozenset(["kdbx", "kdb", "p12", "pfx", "jks", "keystore", "ppk", "agekey", "tfstate", "env"])
_SECRET_PLACES = frozenset([".aws/credentials", ".docker/config.json", ".kube/config", ".cargo/credentials.toml"])
_HARMLESS = frozenset(["example", "examples", "sample", "template", "tmpl", "dist", "defaults", "schema"])


def refuse_secret_name(path: str) -> str | None:
    """Why a file with this name is taken to hold secrets and never read, as one sentence, or None."""
    name = path.rpartition("/")[2].lower()
    stem, dot, ext = name.rpartition(".")
    if name in _SECRET_NAMES or (ext in _SECRET_EXTENSIONS and dot and stem not in _HARMLESS):
        return "Secret file by its name; it is never read."
    if name.startswith(".env") and (name == ".env" or name[4] in ".-_") and ext not in _HARMLESS:
        return "Secret file by its name; it is never read."
    if "." in path and any(path.endswith(place) for place in _SECRET_PLACES):
        return "Secret file by its name; it is never read."
    return None


def refuse_secret_content(path: str, text: bytes) -> str | None:
    """Why a file that was read turns out to be a secret as a whole (a key file, a token file), or None."""
    name = path.rpartition("/")[2].lower()
    ext = name.rpartition(".")[2]
    if ext in _KEY_EXTENSIONS and b"PRIVATE KEY" in text:
        return "Private key file."
    if name in (".npmrc", ".yarnrc", ".yarnrc.yml") and re.search(rb"(?i)_auth|_password|npmAuth", text):
        return "Package manager settings with a token."
    return None


def mask_secrets(text: bytes, path: str = "") -> tuple[bytes, int]:
    """UTF-8 text with every secret overwritten by ``*`` and how many there were. Length and line ends are kept."""
    masked = 0
    out = bytearray(text)
    for match in _PRIVATE_KEY.finditer(text):
        start, end = match.span("body")
        out[start:end] = re.sub(rb"[^\r\n]", b"*", text[start:end])
        masked += 1
    return (bytes(out) if masked else text), masked
