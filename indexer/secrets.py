"""What must never be stored: files that hold secrets, by name or content, and secrets inside other files.

Masking goes in two steps. One compiled expression over the bytes finds what looks like a secret (most files hold
nothing and are done); what it finds is decided line by line: known token formats by detect-secrets' own patterns,
values behind a telling name ("password", "api_key") by how random they look. detect-secrets' scanner itself is not
used: its results give no offsets, and several of its patterns yield only a token's prefix.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Iterator
from functools import cache

from indexer.kinds import extension, words

_KEY_EXTENSIONS = frozenset(["pem", "key", "p8", "pk8", "asc"])
_SECRET_NAMES = words(
    """
    .netrc _netrc .pgpass .my.cnf .htpasswd .git-credentials .dockercfg .pypirc .vault-token .envrc .boto .s3cfg id_rsa
    id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk credentials.json master.key .secrets
    application_default_credentials.json secrets.yml secrets.yaml secrets.json secrets.toml terraform.tfstate.backup
    """
)
_SECRET_EXTENSIONS = words("kdbx kdb p12 pfx jks keystore ppk agekey tfstate env")
_SECRET_PLACES = (".aws/credentials", ".docker/config.json", ".kube/config", ".cargo/credentials.toml")
_HARMLESS = words("example examples sample template tmpl tpl dist defaults schema")
"""Words in a name that say: this shows the form, it holds no secrets."""

_BY_NAME = "Secret file by its name: it is never read."


def refuse_secret_name(path: str) -> str | None:
    """Why a file with this name is taken to hold secrets and never read, as one sentence, or None."""
    name = path.rpartition("/")[2].lower()
    stem, dot, ext = name.rpartition(".")
    if name in _SECRET_NAMES or (ext in _SECRET_EXTENSIONS and dot and stem not in _HARMLESS):
        return _BY_NAME
    if name.startswith(".env.") and ext not in _HARMLESS:
        return _BY_NAME
    return _BY_NAME if path.endswith(_SECRET_PLACES) else None


def refuse_secret_content(path: str, text: bytes) -> str | None:
    """Why a file that was read turns out to be a secret as a whole (a key file, a token file), or None."""
    name = path.rpartition("/")[2].lower()
    ext = name.rpartition(".")[2]
    if ext in _KEY_EXTENSIONS and b"PRIVATE KEY" in text:
        return "Private key file."
    if ext == "pem":
        return "Certificate or key data."
    if name in (".npmrc", ".yarnrc", ".yarnrc.yml") and re.search(rb"(?i)_auth|_password|npmAuth", text):
        return "Package manager settings that hold a token."
    return None


# The first step. Every branch starts with a literal byte, a rare one wherever possible, and looks back from it: the
# expression engine then skips to candidates about as fast as memory is read. A case-insensitive flag would undo that.
_NAME_BRANCHES = (
    rb"p(?:[aA][sS][sS](?i:w(?:or)?d|phrase)?|[wW][dD])",
    rb"c[rR][eE](?:[tT](?<=(?i:secret))|[dD](?i:ential)?[sS]?)",
    rb"k[eE](?:[nN](?<=(?i:token))|[yY](?:(?<=(?i:(?:api|ess|ate|uth|ion|unt|ing|age|ter|ice|ent)key))"
    rb"|(?<=(?i:(?:api|ess|ate|uth|ion|unt|ing|age|ter|ice|ent)[_-]key))))",
)
"""Names that tell: password, secret, credential, token; key after api, access, private, auth, encryption, account …"""

_ASSIGNED = rb"[\w.-]{0,30}[\"'\])]{0,2}[ \t]{0,8}(?::[ \t]?[\w.\[\]?| ]{1,30}=|:=|=>|[=!]={0,2}|[:,(])[ \t]{0,8}"
_QUOTED = rb"[A-Za-z@]{0,2}[\"'`][^\"'`\s]{6,200}[\"'`]"
_ASSIGNED_SETTING = rb"[\w.-]{0,30}[\"'\])]{0,2}[ \t]{0,8}(?:value[ \t]?=|:=|=>|[=!]={0,2}|[:,(>])[ \t]{0,8}"
_BARE = rb"[^\s\"'`,;<>(){}\[\]$]{6,200}"

_FORMATS = (
    rb"A(?:[SKB]IA|CCA|3T[A-Z0-9])[0-9A-Z]{16}|A(?<=pypi-A)gE[\w-]{50}",
    rb"g(?:h[pousr]_[A-Za-z0-9]{36}|l(?:pat|dt|ft|soat|rt|ptt|agent|oas)-[\w-]{20}|ithub_pat_\w{50})",
    rb"x(?:ox[abeoprs]|app)-[\w-]{10}",
    rb"k(?:-[\w-]{32}(?<=[^A-Za-z0-9]sk-.{32})|_live_(?<=[sr]k_live_)[0-9a-zA-Z]{24}|\.com/services/T(?<=slack.com/services/T))",
    rb"J(?<=eyJ)(?<!\weyJ)[\w=-]{8,}\.[\w=-]{8}",
    rb"z(?<=AIz)a[\w-]{35}",
    rb"q(?<=sq)0(?:csp|atp)-[\w-]{22}",
    rb"G(?<=SG)\.[\w-]{22}\.[\w-]{43}",
    rb"K(?<=AccountK)ey=[A-Za-z0-9+/=]{88}",
    rb":(?=//)//[^\s:/?#\[\]@\"'<>]{0,64}:[^\s:/?#\[\]@\"'<>]{3,128}@",
)


def _prefilter(assigned: bytes, value: bytes) -> re.Pattern[bytes]:
    named = (
        first + branch[1:] + assigned + value for branch in _NAME_BRANCHES for first in (branch[:1], branch[:1].upper())
    )
    return re.compile(b"|".join((*_FORMATS, *named)))


_IN_CODE = _prefilter(_ASSIGNED, _QUOTED)
_IN_SETTINGS = _prefilter(_ASSIGNED_SETTING, rb"(?:" + _QUOTED + rb"|" + _BARE + rb")")

_SETTINGS = words(
    """
    yaml yml ini cfg conf config cnf properties toml env envrc rc sh bash zsh fish ksh ps1 psm1 bat cmd tf tfvars hcl
    json json5 jsonc xml plist md markdown rst adoc txt dockerfile service example sample template dist tpl tmpl
    """
)
"""Extensions of files in which a value needs no quotes."""

# The second step.
_NAMED_VALUE = re.compile(
    rb"(?i)(?P<name>(?:passw(?:or)?d|passphrase|(?-i:(?<![A-Za-z])[pP]ass|(?<=[a-z])Pass|(?<![A-Z])PASS)(?![a-z])|pwd|token|secret|cred(?:ential)?s?"
    rb"|(?:api|access|private|auth|encryption|account|signing|storage|master|service|client)[_-]?key)[\w.-]{0,30})"
    rb"[\"'\])]{0,2}[ \t]{0,8}(?P<sign>value[ \t]?=|:[ \t]?[\w.\[\]?| ]{1,30}=|:=|=>|[=!]={0,2}|[:,(>])[ \t]{0,8}"
    rb"(?:[a-z@]{0,2}(?P<quote>[\"'`])(?P<quoted>[^\"'`\s]{6,200})(?P=quote)"
    rb"|(?P<bare>[^\s\"'`,;<>(){}\[\]$]{8,200})(?=[ \t]*(?:[\r\n#;,<&]|$)))"
)
_OTHER_FORMATS = re.compile(
    rb"\bgithub_pat_\w{50,}|\bnpm_[A-Za-z0-9]{36}\b|\bhf_[A-Za-z0-9]{30,}\b|\bAIza[\w-]{35}\b|\bxapp-[\w-]{20,}"
    rb"|(?<![\w-])sk-(?=[\w-]*[0-9])(?=[\w-]*[A-Z])[\w-]{32,}"
)
"""Token formats that detect-secrets 1.5 does not know: GitHub fine-grained, npm, Hugging Face, Google, Slack app …"""

_TOKEN_SIGNS = re.compile(
    rb"AccountKey=|gh[pousr]_|gl[a-z]{2,5}-|GR1348941|T3BlbkFJ|pypi-AgE|SG\.[\w-]{22}|(?i:xox[abposr]-|hooks\.slack\.com)|sq0csp-"
    rb"|[rs]k_live_|A(?:3T[A-Z0-9]|BIA|CCA|KIA|SIA)[0-9A-Z]{16}|(?i:aws).{0,60}[\"'][0-9a-zA-Z/+]{40}[\"']"
    rb"|://[^:/\s]+:[^:/\s]+@|eyJ[\w=-]+\."
)
"""What every token that detect-secrets knows has. Hardly a line does, and importing its patterns takes 0.1 s: with
requests, to ask services about tokens, which is never done here."""

_KEY_BLOCK = re.compile(
    rb"-----BEGIN (?P<kind>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----(?P<body>"
    rb"(?:(?!-----BEGIN)[\s\S]){1,20000}?(?=-----END (?P=kind)-----)"
    rb"|(?:[^\n]{0,8}[A-Za-z0-9+/=]{32,200}[^\n]{0,8}(?:\n|$)|[ \t\r]*\n)+)"
)
_KEY_DATA = re.compile(rb"(?=\S{0,60}[0-9])(?=\S{0,60}[A-Z])(?=\S{0,60}[a-z])[A-Za-z0-9+/=]{24}")
_KEY_CHARACTERS = re.compile(rb"\\[nrt]|[A-Za-z0-9+/=]{2,}|[A-Za-z0-9/=]")

_NO_SECRET_SUFFIX = re.compile(
    rb"(?i)(?:url|uri|path|file|dir|name|type|field|header|label|regex|pattern|format|endpoint|hint|placeholder|prefix"
    rb"|suffix|class|env|var|expir\w*|length|size|id|algorithm|policy|scope|kind|column|param\w*|selector|text|title"
    rb"|message|help|description|template|source|backend|generator|validator\w*|hasher\w*|factory|manager|spec"
    rb"|provider|service|types)s?$"
)
"""Ends of a telling name that mean something about the secret, not the secret."""

_DUMMY_WORDS = re.compile(
    rb"(?i)password|passwd|passphrase|passw|pass|pwd|secret|token|apikey|key|credentials?|example|sample|dummy|fake"
    rb"|testing|test|placeholder|change-?_?me|your|user|admin|root|foo|bar|baz|qux|spam|eggs|hello|world|x{3,}|y{3,}"
    rb"|none|null|undefined|default|redacted|replace|insert|here|todo|string|value|mock|invalid|wrong|valid"
    rb"|auth|access|private|public|client|server|session|csrf|jwt|bearer|insecure|abcd?(?:efg?)?"
)
"""What made-up values are made of; what is left after taking them away must still look like a secret."""

_TEMPLATE = re.compile(rb"[{}<>\\|]|\$\(|%[(sdr]|^[$%&@#/.~:]|\*{3}|\.\.\.|^https?:|\w\(|\)$")
_WORDS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_TEST_PATH = re.compile(
    r"(?i)(?:^|/)(?:[\w-]*tests?|testing|testdata|specs?|__tests__|fixtures?|examples?|samples?|docs?|mocks?|demos?)/"
    r"|(?:^|/)(?:test_|conftest)|[._-](?:test|spec)s?\.|(?:^|/)[^/]*(?:test|tests|example|sample)\.\w+$"
)
_WINDOW = 2_000
"""Bytes on either side of a candidate that are looked at when its line is longer."""


def mask_secrets(text: bytes, path: str = "") -> tuple[bytes, int]:
    """UTF-8 text with every secret overwritten by ``*``, and how many there were.

    Length and line ends are kept, and the text stays valid UTF-8. ``path`` helps to judge: unquoted values count in
    settings files only, and in tests and documentation a value must look more random.
    """
    spans = _merged(_secrets(text, path))
    blocks = [match.span("body") for match in _key_blocks(text)]
    if not spans and not blocks:
        return text, 0
    out = bytearray(text)
    for start, end in spans:
        start, end = _whole_characters(text, start, end)
        out[start:end] = re.sub(rb"[^\r\n]", b"*", text[start:end])
    for start, end in blocks:
        out[start:end] = _KEY_CHARACTERS.sub(_stars, bytes(out[start:end]))
    return bytes(out), len(spans) + len(blocks)


def _key_blocks(text: bytes) -> Iterator[re.Match[bytes]]:
    """Private keys in PEM or PGP armour, cut off ones too; not the mere markers, as programs that read keys have."""
    if b"PRIVATE KEY" in text:
        for match in _KEY_BLOCK.finditer(text):
            if _KEY_DATA.search(match.group("body")):
                yield match


def _stars(match: re.Match[bytes]) -> bytes:
    """Stars for key data; the line ends of a key written as a string literal stay."""
    found = match.group()
    return found if found.startswith(b"\\") else b"*" * len(found)


def masking_rules(path: str) -> tuple[bool, bool]:
    """What masking reads from a path: two files of equal contents and rules are masked alike."""
    return _is_settings(path), _TEST_PATH.search(path) is not None


def _is_settings(path: str) -> bool:
    name = path.rpartition("/")[2]
    return extension(path) in _SETTINGS or name.startswith((".", "Dockerfile", "Makefile"))


def _secrets(text: bytes, path: str) -> Iterator[tuple[int, int]]:
    """Byte ranges of the secrets in the lines that the prefilter hits; they may overlap."""
    settings = _is_settings(path)
    testing: bool | None = None
    done = 0
    for candidate in (_IN_SETTINGS if settings else _IN_CODE).finditer(text):
        if candidate.end() <= done:
            continue
        start, end = _line_around(text, *candidate.span())
        # Where a window cuts a line, what stands near the cut is looked at again, whole, in the next one.
        done = end if text[end : end + 1] in (b"", b"\n") else end - _WINDOW // 2
        line = text[start:end]
        if testing is None:
            testing = _TEST_PATH.search(path) is not None
        for match in _NAMED_VALUE.finditer(line):
            if (settings or match["quote"]) and _is_secret_value(match, strict=testing):
                group = "quoted" if match["quote"] else "bare"
                yield start + match.start(group), start + match.end(group)
        for first, last in _tokens(line):
            yield start + first, start + last


def _line_around(text: bytes, start: int, end: int) -> tuple[int, int]:
    """The line or lines that ``text[start:end]`` lies in, or a window of them where they are very long."""
    lowest, highest = max(0, start - _WINDOW), min(len(text), end + _WINDOW)
    before = text.rfind(b"\n", lowest, start)
    after = text.find(b"\n", end, highest)
    return (lowest if before < 0 else before + 1), (highest if after < 0 else after)


def _tokens(line: bytes) -> Iterator[tuple[int, int]]:
    """Where tokens of a known format stand in a line."""
    # One character a byte, so that offsets in the string are offsets in the line.
    text = line.decode("latin-1")
    for pattern, group, accept in _providers() if _TOKEN_SIGNS.search(line) else ():
        end = 0
        for match in pattern.finditer(text):
            if match.start() < end:
                continue
            start, end = match.span(group)
            if group == 0:
                # A token is a word of its own; the patterns stop at the shortest length, the word may go on.
                while end < len(text) and (text[end].isalnum() or text[end] in "_-"):
                    end += 1
                if text[start - 1 : start].isalnum():
                    continue
            if accept(text[start:end]):
                yield start, end
    for other in _OTHER_FORMATS.finditer(line):
        yield other.span()


@cache
def _providers() -> tuple[tuple[re.Pattern[str], int, Callable[[str], bool]], ...]:
    """detect-secrets' patterns for known tokens, the group that holds the secret, and a check of what was found."""
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.basic_auth import BasicAuthDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.openai import OpenAIDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.stripe import StripeDetector

    def any_token(_: str) -> bool:
        return True

    def key_id_or_secret(token: str) -> bool:
        return len(token) in (20, 40)

    def password(value: str) -> bool:
        given = value.encode("latin-1")
        return not _TEMPLATE.search(given) and len(_DUMMY_WORDS.sub(b"", given)) >= 3

    def web_token(token: str) -> bool:
        # Of header, payload and signature the first two are JSON.
        return bool(JwtTokenDetector.is_formally_valid(".".join(token.split(".")[:2])))

    plain = (
        AzureStorageKeyDetector,
        GitHubTokenDetector,
        GitLabTokenDetector,
        OpenAIDetector,
        PypiTokenDetector,
        SendGridDetector,
        SlackDetector,
        SquareOAuthDetector,
        StripeDetector,
    )
    providers: list[tuple[re.Pattern[str], int, Callable[[str], bool]]]
    providers = [(pattern, 0, any_token) for detector in plain for pattern in detector.denylist]
    providers += [(pattern, pattern.groups, key_id_or_secret) for pattern in AWSKeyDetector.denylist]
    providers += [(pattern, 1, password) for pattern in BasicAuthDetector.denylist]
    providers += [(pattern, 0, web_token) for pattern in JwtTokenDetector.denylist]
    return tuple(providers)


def _is_secret_value(match: re.Match[bytes], *, strict: bool) -> bool:
    """Whether a value behind a telling name is a secret: not a template, a dummy or a word, but something random."""
    name, value = match["name"], match["quoted"] or match["bare"]
    if match["sign"] in b",(" and (not match["quote"] or b"." in name):
        # A list or a call, not an assignment; ``.put("password", "…")`` and ``setPassword("…")`` are meant.
        return False
    if _NO_SECRET_SUFFIX.search(name) or _TEMPLATE.search(value) or len(set(value)) < 5:
        return False
    rest = _DUMMY_WORDS.sub(b"", value)
    digits = re.search(rb"\d", rest) is not None
    special = re.search(rb"[!@#$%^&*+=?]", rest) is not None
    if not (digits or special) or not re.search(rb"[A-Za-z]", rest):
        return False
    if digits and len(value) >= 16 and _is_random(value):
        return True
    if name[:5].lower() == b"token" or name[:4].lower() == b"cred":
        # Parsers call much a token that is none.
        return False
    if strict:
        return digits and special and len(rest) >= 10
    return len(rest) >= 6 if digits else len(rest) >= 10 and not value.islower()


def _is_random(value: bytes) -> bool:
    """Short runs of one kind of character and high entropy: no identifier, however long."""
    runs = _WORDS.findall(value)
    if sum(map(len, runs)) >= 3.2 * len(runs):
        return False
    characters = value.decode("latin-1")
    return _entropy(characters) >= 3.0 and not any(characters.upper() in sequence for sequence in _SEQUENCES)


def _entropy(characters: str) -> float:
    """Shannon entropy in bits a character, over those of base64; detect-secrets' measure."""
    shares = (characters.count(c) / len(characters) for c in _BASE64)
    return -sum(share * math.log2(share) for share in shares if share)


_BASE64 = string.ascii_letters + string.digits + "+/\\-_="
_SEQUENCES = (
    2 * string.ascii_uppercase + string.digits + "+/",
    string.digits + 2 * string.ascii_uppercase + "+/",
    2 * (string.digits + string.ascii_uppercase),
    2 * string.digits,
    2 * string.hexdigits.upper(),
    string.ascii_uppercase + "=/",
)
"""What is counted up in made-up values, by detect-secrets."""


def _merged(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted, overlapping ones joined."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _whole_characters(text: bytes, start: int, end: int) -> tuple[int, int]:
    """The range widened so that it cuts no UTF-8 character."""
    while start > 0 and text[start] & 0xC0 == 0x80:
        start -= 1
    while end < len(text) and text[end] & 0xC0 == 0x80:
        end += 1
    return start, end
