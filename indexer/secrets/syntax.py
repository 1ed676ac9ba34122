"""Places of secrets: in URLs, headers, options of commands, calls that log in, files of settings and passwords.

Each place has a word that its line contains (lower case, for a quick look), what RE2 looks for first, the expression,
whose group ``v`` is the secret, a check of it, and how many bytes after the line may belong to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from indexer.secrets.checks import (
    KEY_START,
    is_basic,
    is_coded,
    is_drawn,
    is_key_in_path,
    is_machine_key,
    is_password,
    is_private_key,
    is_salt,
    is_url_password,
    is_user_key,
)
from indexer.secrets.judging import is_harmless, is_written

Check = Callable[[bytes], bool]


class Place(NamedTuple):
    """One way to write a secret."""

    word: bytes
    first: bytes
    expression: bytes
    check: Check
    further: int = 0


_TOOLS = (
    rb"(?:sshpass|docker|helm|podman|az|oc|redis-cli|ldap\w+|unzip|7z|rar|zip|smbclient|mongo\w*|sqlcmd|bcp|twine|skopeo"
    rb"|ipmitool)"
)
"""Commands with an option of one letter for the password."""

_URLS = (
    Place(
        b"://",
        rb"://[^\s/@\"'<>]*:[^\s@\"'<>]{3,}@",
        rb"://[^\s:/?#@\"'<>]{0,100}:(?P<v>[^\s@\"'<>`]{3,256})@(?=[\w$\[{])",
        is_url_password,
    ),
    Place(b"://", rb"://[^\s/:@\"'<>]{16,}@", rb"://(?P<v>[\w-]{16,256})@", is_user_key),
    Place(
        b"hooks.slack",
        rb"hooks\.slack\.com/\w",
        rb"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<v>[A-Z][A-Z0-9]{6,}/[\w/]{12,})",
        lambda value: not is_harmless(value) and len(set(value)) > 9,
    ),
    Place(b"/webhooks/", rb"/webhooks/\d{16}", rb"/webhooks/\d{16,22}/(?P<v>[\w-]{40,100})", is_drawn),
    Place(b"/webhook", rb"/webhookb?2?/", rb"/webhookb?2?/(?P<v>[\w@-]{36,}/IncomingWebhook/[\w-]+/[\w-]+)", bool),
    Place(b"/bot", rb"/bot\d{6,}:", rb"/bot(?P<v>\d{6,12}:[\w-]{30,50})", lambda value: len(set(value)) > 14),
    Place(
        b"/",
        rb"(?:infura\.io|alchemy(?:api)?\.(?:com|io)|quiknode\.pro|rpc\.ankr\.com)/",
        rb"(?:infura\.io/(?:ws/)?v3|alchemy(?:api)?\.(?:com|io)/(?:nft/)?v[23]|quiknode\.pro|rpc\.ankr\.com/\w{1,40})"
        rb"/(?P<v>[\w-]{20,80})",
        is_key_in_path,
    ),
)
_HEADERS = (
    Place(
        b" ",
        rb"(?i:bearer|ntlm|apikey|ssws|token|splunk)\s+[\w.~+/=-]{12}",
        rb"(?i)\b(?:bearer|ntlm|apikey|ssws|token|splunk)\s+(?P<v>[\w.~+/-]{12,4096}=*)",
        is_drawn,
    ),
    Place(b"basic", rb"(?i:basic)\s+[\w+/=-]{8}", rb"(?i)\bbasic\s+(?P<v>[\w+/-]{8,4096}=*)", is_basic),
    Place(
        b"auth",
        rb"auth[\"']?\s*[:=]\s*[\"']?[\w+/-]{8}",
        rb"\b_?auth[\"']?\s*[:=]\s*[\"']?(?P<v>[A-Za-z0-9+/]{8,4096}=*)",
        is_basic,
    ),
    Place(KEY_START.lower(), KEY_START, rb"(?P<v>" + KEY_START + rb"[\w+/=-]{40,100000})", is_private_key),
)
_COMMANDS = (
    Place(
        b"-p",
        rb"\b(?:mysql|mariadb)\w* [^\n]*-p",
        rb"\b(?:mysql|mariadb)\w*\b[^\n|]{0,300}?\s-p[\"']?(?P<v>[^\s\"'|]{5,128})",
        is_password,
    ),
    Place(
        b"curl",
        rb"\bcurl\b[^\n]*\s(?:-u|--user|--proxy-user|-U)",
        rb"\s(?:-u|--user|--proxy-user|-U)[ =]?[\"']?[^\s\"':]{0,64}:(?P<v>[^\s\"']{4,128})",
        is_password,
    ),
    Place(
        b" -",
        rb"\b" + _TOOLS + rb" [^\n]*-[pPawU]",
        rb"\b" + _TOOLS + rb"\b[^\n|]{0,300}?\s-[pPawU] ?[\"']?(?P<v>[^\s\"'|-][^\s\"'|]{4,128})",
        is_password,
    ),
    Place(
        b"htpasswd",
        rb"htpasswd[^\n]*\s-\w*b",
        rb"\bhtpasswd\s(?:-\w+\s)*-?\w*b\w*\s(?:\S+\s){2}[\"']?(?P<v>[^\s\"']{5,128})",
        is_password,
    ),
    Place(b":", rb"(?:pass|pw):\S", rb"[\s\"'](?:pass|pw):(?P<v>[^\s\"']{5,128})", is_password),
    Place(b"-pass", rb"-pass(?:in|out)? pass:", rb"\s-pass(?:in|out)? pass:(?P<v>[^\s\"']{5,128})", is_written),
    Place(
        b"gpg",
        rb"gpg2?\b[^\n]*--passphrase[ =]",
        rb"\bgpg2?\b[^\n|]{0,300}?\s--passphrase[ =][\"']?(?P<v>[^\s\"'|-][^\s\"'|]{4,128})",
        is_written,
    ),
    Place(
        b"echo",
        rb"(?:chpasswd|passwd --stdin|--password-stdin|sudo -S)",
        rb"\becho\s+(?:-\w\s+)?[\"']?(?:[\w.-]+:)?(?P<v>[^\s\"'|]{5,128})[\"']?\s*\|",
        is_password,
    ),
    Place(
        b"/",
        rb"\b(?i:sqlplus|rman|expdp|impdp) [^\n]*/",
        rb"(?i)\b(?:sqlplus|rman|expdp|impdp)\s+(?:-\w\s+)*\w+/[\"']?(?P<v>[^\s@\"']{5,128})@",
        is_password,
    ),
    Place(
        b"openssl",
        rb"\bopenssl \w[^\n]* -k ",
        rb"\bopenssl \w[^\n|]{0,300}?\s-k [\"']?(?P<v>[^\s\"']{5,128})",
        is_password,
    ),
    Place(b":thin:", rb":thin:\w*/", rb":thin:\w*/(?P<v>[^\s/@\"']{4,128})@", is_password),
    Place(
        b"wifi.begin",
        rb"WiFi\.begin\(",
        rb"\bWiFi\.begin\([^,\n]{1,80},\s*[\"'](?P<v>[^\"'\n]{8,63})[\"']",
        is_password,
    ),
    Place(
        b"net use",
        rb"(?i:net use[^\n]*/user:)",
        rb"(?i)\bnet use[^\n]{0,200}/user:\S+\s+(?P<v>[^\s/]{5,128})",
        is_password,
    ),
    Place(
        b"net user",
        rb"(?i:\bnet user\s+\S+\s+[^\s/]*[0-9])",
        rb"(?i)\bnet user\s+(?:\"[^\"\n]{1,60}\"|\S{1,60})\s+\"?(?P<v>[^\s/*\"]{5,128})",
        is_password,
    ),
    Place(
        b"securestring",
        rb"-us[er]{0,2}\s|ConvertTo-SecureString",
        rb"(?i)ConvertTo-SecureString\s+(?:-String\s+)?[\"'](?P<v>[^\"'\s$]{5,256})[\"']",
        is_password,
    ),
    Place(
        b"set password",
        rb"(?i:\bset password\b[^\n]*=)",
        rb"(?i)\bset password\b[^\n=]{0,120}=\s*(?:password\()?'(?P<v>[^'\n]{5,128})'",
        is_password,
    ),
    Place(
        b"conn",
        rb"(?i:\bconn(?:ect)?\s+\w+/[^\s@/]+@)",
        rb"(?i)^\s*conn(?:ect)?\s+\w{1,60}/[\"']?(?P<v>[^\s@/\"']{5,128})[\"']?@",
        is_password,
    ),
)
_OTHER = rb"[^,()\"'\n]{0,60}(?:(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')[^,()\"'\n]{0,60})?,\s{0,60}"
"""An argument before the password."""
_PAIRS = (
    rb"SetBasicAuth|setBasicAuth|NetworkCredential|UsernamePasswordCredentials|HTTPBasicAuth|PasswordAuthentication"
)
_CONNECTIONS = (
    rb"pymysql\.connect|MySQLdb\.connect|DriverManager\.getConnection|new PDO|DBI->connect|mysqli(?:_connect)?"
)
_CALLS = (
    Place(
        b"auth",
        rb"(?:%s)\([^\n]" % _PAIRS,
        rb"\b(?:%s)\(\s{0,60}%s@?[\"'](?P<v>[^\"'\n]{5,128})[\"']" % (_PAIRS, _OTHER),
        is_password,
        200,
    ),
    Place(
        b"credential",
        rb"(?:NetworkCredential|UsernamePasswordCredentials)\(",
        rb"\b(?:%s)\(\s{0,60}%s@?[\"'](?P<v>[^\"'\n]{5,128})[\"']" % (_PAIRS, _OTHER),
        is_password,
        200,
    ),
    Place(
        b"(",
        rb"(?:%s)\(" % _CONNECTIONS,
        rb"\b(?:%s)\(\s{0,60}(?:%s){2}[\"'](?P<v>[^\"'\n]{5,128})[\"']" % (_CONNECTIONS, _OTHER),
        is_password,
        300,
    ),
    Place(
        b"pass",
        rb"(?i:passw?o?r?d?)[\"'`\])]+[^\n;]*\.(?:send_?[kK]eys|type|fill|setValue|typeText)\(",
        rb"(?i)pass(?:word|wd)?[\"'`\])]+[^\n;]{0,40}?\.(?:send_?keys|type|fill|setvalue|typetext)\([\"'](?P<v>[^\"'\n]{5,128})[\"']",
        is_password,
    ),
    Place(
        b"pass",
        rb"\.(?:fill|type)\([\"'][^\n]*(?i:pass)[^\n]*,",
        rb"(?i)\.(?:fill|type)\((?:\"[^\"\n]{0,60}pass[^\"\n]{0,60}\"|'[^'\n]{0,60}pass[^'\n]{0,60}'),\s?[\"'](?P<v>[^\"'\n]{5,128})[\"']",
        is_password,
    ),
    Place(
        b"jwt.",
        rb"jwt\.(?:sign|verify|encode|decode)\(",
        rb"\bjwt\.(?:sign|verify|encode|decode)\([^\n\"']{1,120}?,\s*[\"'](?P<v>[^\"'\s]{6,200})[\"']",
        is_machine_key,
    ),
    Place(
        b"secretkeyspec",
        rb"SecretKeySpec\(\s*\"",
        rb"\bSecretKeySpec\(\s*\"(?P<v>[^\"\s]{6,200})\"",
        is_machine_key,
    ),
    Place(
        b".create",
        rb"create(?:Hmac|Cipheriv|Decipheriv)\(",
        rb"\bcreate(?:Hmac|Cipheriv|Decipheriv)\([\"'][\w-]{1,30}[\"'],\s*[\"'](?P<v>[^\"'\s]{6,200})[\"']",
        is_machine_key,
    ),
    Place(b"signing_salt", rb"signing_salt: ", rb"\bsigning_salt: \"(?P<v>[\w+/=-]{8,64})\"", is_salt),
    Place(
        b"accounts",
        rb"accounts\b[^\n]*\[\s*[\"'](?:0x)?[0-9a-fA-F]{64}",
        rb"\baccounts\b[^\n\[]{0,40}\[\s{0,80}[\"'](?P<v>(?:0x)?[0-9a-fA-F]{64})[\"']",
        lambda value: len(set(value)) > 9,
        200,
    ),
    Place(
        b"akia",
        rb"(?:AKIA|ASIA)[A-Z0-9]{16}",
        rb"(?:AKIA|ASIA)[A-Z0-9]{16}[\s\S]{0,100}?(?<![A-Za-z0-9+/])(?P<v>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])",
        is_drawn,
        150,
    ),
    # Keys of JSON Web Keys, in the same object as their kind.
    Place(
        b"kty", rb"[\"']kty[\"']", rb"[\"'](?:d|k|p|q|dp|dq|qi)[\"']\s*:\s*[\"'](?P<v>[\w-]{22,4096})[\"']", is_drawn
    ),
    Place(
        b":",
        rb"[\"'](?:d|k)[\"']\s*:\s*[\"'][\w-]{40}",
        rb"[\"'](?:d|k)[\"']\s*:\s*[\"'](?P<v>[\w-]{40,4096})[\"']",
        is_drawn,
    ),
)
_FILES = (
    # Lines of password files: .netrc, .pgpass.
    Place(
        b"login",
        rb"login\s+\S+\s+(?:account\s+\S+\s+)?password\s+\S",
        rb"\blogin\s+\S+\s+(?:account\s+\S+\s+)?password\s+(?P<v>\S{4,256})",
        is_password,
    ),
    Place(
        b"login",
        rb"(?:machine\s+\S+|default)\s+login\s+\S+\s+password\s+\S",
        rb"\b(?:machine\s+\S+|default)\s+login\s+\S+\s+password\s+(?P<v>\S{4,256})",
        is_written,
    ),
    Place(
        b":",
        rb"(?m:^)(?:[\w.*-]|\\:)+:(?:\d{2,5}|\*):[\w.*-]+:[\w.*-]+:\S",
        rb"^(?:[\w.*-]|\\:)+:(?:\d{2,5}|\*):[\w.*-]+:[\w.*-]+:(?P<v>[^\s:]{5,128})\s*$",
        is_password,
    ),
    # Routers and agents.
    Place(
        b"community",
        rb"(?:snmp-server |r[ow])community6?\s+\S",
        rb"(?:\bsnmp-server community|^\s*r[ow]community6?)\s+(?P<v>[^\s\"']{5,64})",
        is_written,
    ),
    Place(
        b" ",
        rb"(?:password|secret|key) [05-9] [0-9A-F$]",
        rb"\b(?:password|secret|key) [05-9] (?P<v>[0-9A-F]{8,128}|\$\d{1,2}\$[^\s\"']{20,128})\s*$",
        is_coded,
    ),
    # XML.
    Place(
        b"<apikeys>",
        rb"(?i:<apikeys>)",
        rb"(?i)<apikeys>\s*<add\s+key=\"[^\"\n]*\"\s+value=\"(?P<v>[^\"\n]{16,400})\"",
        is_drawn,
        400,
    ),
    Place(
        b"value=",
        rb"(?i:\bvalue=[\"'][^\"'\n]{5,}[\"']\s+(?:key|name)=[\"'][\w.:-]*(?:passw|pwd|secret|api-?key|token))",
        rb"(?i)\bvalue=[\"'](?P<v>[^\"'\n]{5,256})[\"']\s+(?:key|name)=[\"'][\w.:-]{0,60}?"
        rb"(?:passw\w{0,6}|pwd|secret|api-?key|token)[\"']",
        is_password,
    ),
    Place(
        b"<user",
        rb"<user\s[^>\n]*password=[\"'][^\"'\n]{5,}",
        rb"<user\s[^>\n]{0,200}?\bpassword=[\"'](?P<v>[^\"'\n]{5,128})[\"']",
        is_written,
    ),
)

PLACES: tuple[Place, ...] = (*_URLS, *_HEADERS, *_COMMANDS, *_CALLS, *_FILES)
