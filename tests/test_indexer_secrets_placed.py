"""Secrets by syntax: one line for each way in which files of other formats and languages write them."""

from __future__ import annotations

import pytest

from benchmarks.secrets import hidden
from indexer.secrets import mask_secrets, refuse_secret_content, refuse_secret_name

CHOSEN = "Kettle77xBl"
LETTERS = "bluekettle"
HEX32 = "9f8a7b6c5d4e3f2a1b0c4d7e8f9a6b5c"
BASE40 = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYzUj3kLqA9Z"
DRAWN = "Xq7ZkW9vJpQ2mT4nB8rL"
PHRASE = "ripple scissors kick mammal hire column oak again sun offer wealth tomorrow"

SETTINGS = [
    ("a.yaml", "token_of_registry: cio§\n", "4kR7tYw9ZxPq2LmN8vBc5HdFgJs3Ka6Q"),
    ("a.yaml", "registry: cio§\n", "4kR7tYw9ZxPq2LmN8vBc5HdFgJs3Ka6Q"),
    ("a.env", "MYSQL_ROOT_PASSWORD=§\n", LETTERS),
    ("a.properties", "server.ssl.key-store-password=§\n", LETTERS),
    ("gradle.properties", "signing.password=§\n", LETTERS),
    ("gradle.properties", "STORE_PASSWORD=§\n", LETTERS),
    ("a.ini", "[db]\npassword = §\n", LETTERS),
    ("a.env", 'DB_PASSWORD="§"\n', "blue kettle 77"),
    ("a.properties", "db.password=\\\n    §\n", CHOSEN),
    ("a.toml", "password = '''§'''\n", CHOSEN),
    ("pypirc", "[pypi]\nusername: bob\npassword: §\n", LETTERS),
    ("netrc", "machine h login bob password §\n", LETTERS),
    ("netrc", "default login bob password §\n", LETTERS),
    ("pgpass", "db\\:1:5432:prod:bob:§\n", CHOSEN),
    ("a.json", '{"kind": "Secret", "data": {"anything": "§"}}\n', "a2V0dGxlNzd4Qmw="),
    ("a.json", '{\n  "kind": "Secret",\n  "data": {\n    "anything": "§"\n  }\n}\n', "a2V0dGxlNzd4Qmw="),
    ("a.yaml", 'env:\n  - {name: X_PASSWORD, value: "§"}\n', CHOSEN),
    ("values.yaml", "auth:\n  postgresPassword: §\n", LETTERS),
    ("a.yaml", "password: >-\n  §\n", CHOSEN),
    ("snmpd.conf", "rocommunity §\n", CHOSEN),
    ("a.tf", "password = <<EOT\n§\nEOT\n", CHOSEN),
    ("settings.xml", "<passphrase>\n  §\n</passphrase>\n", CHOSEN),
    ("nuget.config", '<apikeys>\n  <add key="https://nuget.h/v3" value="§" />\n</apikeys>\n', DRAWN),
    ("web.config", '<add value="§" key="SmtpPassword" />\n', CHOSEN),
    ("tomcat-users.xml", '<user username="bob" password="§" roles="manager"/>\n', LETTERS),
    ("a.yaml", "secrets:\n  - §\n", DRAWN),
    ("a.yaml", "api_keys:\n  - §\n", HEX32),
    ("a.json", '{"jwtSecret": "§"}\n', CHOSEN),
    ("a.json", '{"secrets": ["§", "x"]}\n', DRAWN),
    ("esphome.yaml", 'wifi:\n  ssid: "Home"\n  password: "§"\n', LETTERS),
    ("wiki.md", "| user | password |\n|---|---|\n| bob | § |\n", CHOSEN),
    ("users.csv", "user,password,age\nbob,§,31\n", CHOSEN),
    ("router.cfg", "username bob password 7 §\n", "094F471A1A0A57"),
    ("router.cfg", "snmp-server community § RO\n", CHOSEN),
]
URLS = [
    ("a.py", 'U = "https://api.telegram.org/bot§/getMe"\n', "123456789:AAE" + "kR7tYw9ZxPq2LmN8vBc5HdFgJs3Ka6Qz"),
    ("a.js", 'const u = "https://mainnet.infura.io/v3/§";\n', HEX32),
    ("a.js", 'const u = "https://eth-mainnet.g.alchemy.com/v2/§";\n', DRAWN + "aB3dE5fG7hJ9"),
    ("a.sh", "curl https://hooks.slack.com/services/§\n", "T0AB12CD3/B0EF45GH6/" + "Xq7ZkW9vJpQ2mT4nB8rLcD1e"),
    ("a.java", '"jdbc:oracle:thin:bob/§@db:1521/x"\n', CHOSEN),
]
CODE = [
    ("a.py", 'Client("AKIA' + 'IOSFODNN7QWERTYU",\n       "§")\n', BASE40),
    ("a.ipynb", '{"source": ["login(key=\\"§\\")\\n"]}', DRAWN),
    ("a.py", 'pymysql.connect("h", "bob", "§")\n', CHOSEN),
    ("A.java", 'c = DriverManager.getConnection(url, "bob", "§");\n', CHOSEN),
    ("a.php", "$db = new PDO($dsn, 'bob', '§');\n", CHOSEN),
    ("a.pl", "my $d = DBI->connect($dsn, 'bob', '§');\n", CHOSEN),
    ("a.go", 'req.SetBasicAuth("bob", "§")\n', CHOSEN),
    ("a.cs", 'var c = new NetworkCredential("bob", "§");\n', CHOSEN),
    ("a.py", "connect(\"host=h user=bob password='§'\")\n", LETTERS + "x1"),
    ("a.py", 'p = os.getenv("DB_PASSWORD", "§")\n', CHOSEN),
    ("a.py", 'p = os.getenv("DB_PASSWORD") or "§"\n', CHOSEN),
    ("a.js", 'const p = process.env.DB_PASSWORD || "§";\n', CHOSEN),
    ("a.py", 'd.find_element(By.ID, "password").send_keys("§")\n', CHOSEN),
    ("a.js", "cy.get('#password').type('§')\n", CHOSEN),
    ("a.js", "app.use(session({ secret: '§' }));\n", CHOSEN),
    ("a.js", 'const t = jwt.sign(payload, "§");\n', CHOSEN),
    ("a.js", "cookieSession({ keys: ['§'] })\n", DRAWN),
    ("A.java", 'k = new SecretKeySpec("§".getBytes(UTF_8), "AES");\n', DRAWN),
    ("a.kt", 'val password = """\n    §\n""".trim()\n', CHOSEN),
    ("a.go", 'var jwtKey = []byte("§")\n', CHOSEN),
    ("a.cs", 'private readonly string _jwtKey = "§";\n', CHOSEN),
    ("a.rb", "PASSWORD = %q(§)\n", CHOSEN),
    ("a.swift", 'let password: String = "§"\n', CHOSEN),
    ("a.lua", "local password = [[§]]\n", CHOSEN),
    ("a.pl", "my %o = (passwd => '§');\n", CHOSEN),
    ("a.R", 'Sys.setenv(X_PASSWORD = "§")\n', CHOSEN),
    ("a.exs", 'live_view: [signing_salt: "§"]\n', "Xq7ZkW9v"),
    ("hardhat.config.js", 'accounts: ["0x§"]\n', HEX32 * 2),
    ("a.js", 'const mnemonic = "§";\n', PHRASE),
    ("a.env", "MNEMONIC=§\n", PHRASE),
]
COMMANDS = [
    ("a.sh", "openssl enc -aes-256-cbc -k § -in a\n", CHOSEN),
    ("a.sh", "openssl rsa -in a -passout pass:§\n", LETTERS),
    ("a.sh", "unzip -P § a.zip\n", CHOSEN),
    ("a.sh", "gpg --batch --passphrase § -d a.gpg\n", LETTERS),
    ("a.bat", "net user bob § /add\n", CHOSEN),
    ("a.ps1", '[string]$Password = "§"\n', CHOSEN),
    ("Makefile", "PASSWORD ?= §\n", LETTERS),
    ("a.sql", "SET PASSWORD FOR 'bob'@'%' = '§';\n", CHOSEN),
    ("a.sql", "CONNECT bob/§@db\n", CHOSEN),
]
NAMES = [
    (f"a.{kind}", text.format(name=name), CHOSEN)
    for name in (
        "kennwort",
        "passwort",
        "contraseña",
        "contrasena",
        "motdepasse",
        "mot de passe",
        "senha",
        "parola",
        "wachtwoord",
        "пароль",
        "密码",
        "mot_de_passe",
    )
    for kind, text in (("ini", "{name} = §\n"), ("md", "{name}: §\n"))
]
HARMLESS = [
    ("chart/templates/a.yaml", "password: {{ .Values.password | quote }}\n"),
    ("chart/templates/a.yaml", 'password: "{{ include "a.secretName" . }}x9"\n'),
    ("a.txt", "key ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8f7Wm0Rk1qf9aZkq0cTtYx2LmW8Xb3n2Qd8 bob\n"),
    ("a.yaml", "public_key: MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8f7Wm0Rk1qf9aZkq0cTtYx2LmW8Xb3n2Qd8f7Wm0Rk1==\n"),
    ("a.txt", "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8f7Wm0Rk1-----END PUBLIC KEY-----\n"),
    ("a.html", '<script nonce="r4nd0mXq7ZkW9vJpQ2mT4nB8rL">\n'),
    ("a.html", "<meta content=\"script-src 'nonce-Xq7ZkW9vJpQ2mT4nB8rL'\">\n"),
    ("a.service", "LoadCredential=password:/etc/creds/db1.pw\n"),
    ("a.env", "DB_PASSWORD=changeme\nA_PASSWORD=\nB_PASSWORD=${X}\nC_PASSWORD=true\nD_PASSWORD=password\n"),
    ("a.yaml", "password: string\nrequire_password: false\npassword: required\npassword: null\n"),
    ("a.yaml", "messages:\n  password: Password\n  password: Required\n"),
    ("docs/a.env", "DB_PASSWORD=bluekettle\n"),
    ("a.md", "password: bluekettle\n"),
    ("a.py", 'conn = connect("localhost", "bob", timeout)\n'),
    ("a.py", 'x = getenv("DB_PASSWORD", "")\n'),
    ("a.csv", "user,age\nbob,Kettle77xBl\n"),
    ("a.md", "| name | value |\n|---|---|\n| bob | Kettle77xBl |\n"),
]


@pytest.mark.parametrize(("path", "text", "value"), [*SETTINGS, *URLS, *CODE, *COMMANDS, *NAMES])
def test_secrets_are_found_in_every_syntax(path: str, text: str, value: str) -> None:
    assert hidden(path, text.replace("§", value), value)


@pytest.mark.parametrize(("path", "text"), HARMLESS)
def test_references_and_public_values_stay(path: str, text: str) -> None:
    assert mask_secrets(text.encode(), path) == (text.encode(), 0)


def test_files_of_digests_and_keys_are_never_read() -> None:
    assert refuse_secret_name("conf/htdigest") and refuse_secret_name(".htdigest") and refuse_secret_name("htpasswd")
    assert refuse_secret_content("config/credentials/production.key", HEX32.encode() + b"\n")
    assert refuse_secret_content("config/credentials/names.key", b"# a list of keys\n") is None
