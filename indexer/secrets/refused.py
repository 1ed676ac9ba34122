"""Files that hold secrets as a whole, by their name or content: they are never read or stored."""

from __future__ import annotations

import re

from indexer.kinds import words

_KEY_EXTENSIONS = frozenset(["pem", "key", "p8", "pk8", "asc"])
_SECRET_NAMES = words(
    """
    .netrc _netrc .pgpass .my.cnf .htpasswd .git-credentials .dockercfg .pypirc .vault-token .envrc .boto .s3cfg id_rsa
    id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk credentials.json master.key .secrets
    application_default_credentials.json secrets.yml secrets.yaml secrets.json secrets.toml terraform.tfstate.backup
    .flaskenv pgpass.conf .mylogin.cnf .smbcredentials .mysql_history .psql_history .bash_history .zsh_history
    .rediscli_history secring.gpg secring.pgp htpasswd .htdigest htdigest
    """
)
_SECRET_EXTENSIONS = words("kdbx kdb p12 pfx jks keystore ppk agekey tfstate env")
_SECRET_PLACES = (".aws/credentials", ".docker/config.json", ".kube/config", ".cargo/credentials.toml")
_HARMLESS = words("example examples sample template tmpl tpl dist defaults schema")
"""Words in a name that say: this shows the form, it holds no secrets."""
_BACKUP = re.compile(r"(?:~|\.(?:bak|old|orig|save|backup|copy|sw[op]|\d))$")
"""Ends of names that editors and careful people give to copies."""

_BY_NAME = "Secret file by its name: it is never read."


def refuse_secret_name(path: str) -> str | None:
    """Why a file with this name is taken to hold secrets and never read, as one sentence, or None."""
    path = _BACKUP.sub("", path)
    name = path.rpartition("/")[2].lower()
    stem, dot, ext = name.rpartition(".")
    if name in _SECRET_NAMES or (ext in _SECRET_EXTENSIONS and dot and stem not in _HARMLESS):
        return _BY_NAME
    if name.startswith((".env.", ".env-", ".env_")) and not _HARMLESS.intersection(re.split(r"[.\W_]", name)):
        return _BY_NAME
    return _BY_NAME if path.endswith(_SECRET_PLACES) else None


def refuse_secret_content(path: str, text: bytes) -> str | None:
    """Why a file that was read turns out to be a secret as a whole (a key file, a token file), or None."""
    name = path.rpartition("/")[2].lower()
    ext = name.rpartition(".")[2]
    if ext in _KEY_EXTENSIONS and b"PRIVATE KEY" in text:
        return "Private key file."
    if ext == "key" and re.fullmatch(rb"[0-9a-f]{32}\s*", text):
        return "Key file."
    if ext == "pem":
        return "Certificate or key data."
    if name in (".npmrc", ".yarnrc", ".yarnrc.yml") and re.search(rb"(?i)_auth|_password|npmAuth", text):
        return "Package manager settings that hold a token."
    return None
