"""The ordinary words around the names in a question, in several languages: what they mean, and that they are no names.

A question of a developer is often one word of code in a sentence of another language ("Wo werden abgelaufene Sessions
entfernt?"). The sentence must not count against the word.
"""

from __future__ import annotations

import re
from functools import lru_cache

from assistant.names import is_compound
from indexer.terms import QUESTION_WORDS, STOP_WORDS

_ASKING = """
    about again also any anything anyone argument arguments behaviour behavior brief briefly call called calls can
    cannot cause caused check code come comes content contents contain contained contains could define defined defines
    definition describe description detail details different do does doing done else error example exactly exist exists
    explain explained explanation fail fails file files find first fix folder folders full function functions general
    get gets give gives got happen happened happens have help implemented implementation info information inside issue
    job just kind know like line lines list located location look looks main make makes mean means method methods module
    more much need object one only outline overview overall package parameter parameters part parts please point
    problem purpose read reads repo responsible responsibility result return returned returns role said say says see
    short should show shows simple solve something source still stored structure structured sum summarise summarize
    summary task tell thanks thing things trigger try understand use used uses using want went work working works
    wrong class classes directory script scripts symbol type variable constant header document documentation
    i me my we us he she hello hi hey dear ok okay yes s t re ve ll d m isn aren doesn don didn won wasn let here now
"""
ASKING = frozenset({*_ASKING.split(), *STOP_WORDS, *QUESTION_WORDS})
"""English words that say how a question is asked, not what it is about."""

_FOREIGN = """
    aber alle als also am an auch auf aus bei beim bin bitte da das dass datei dateien dem den denn der des die dies
    diese diesem diesen dieser dieses dir doch du ein eine einem einen einer eines er erkläre erklären erklär es etwas
    für funktion funktioniert funktionen genau gibt hat haben hier ich ihr im in ins inhalt ist ja kann kannst kein
    keine klasse klassen können macht machen man mein meine methode mich mir mit muss nach nicht noch nur ob oder ohne
    ordner programm projekt sein sich sie sind soll steht tut über um und uns unter variable vom von vor wann warum was
    welche welchem welchen welcher welches wenn wer werden wie wieso wir wird wo woher wofür womit wozu wurde wurden zu
    zum zur zweck zusammen fasse verzeichnis enthält befindet benutzt verwendet aufgerufen definiert zeige

    à afin au aussi aux avec c ce cela ces cet cette chez classe comment dans de depuis des dois donc dossier du elle
    elles en est et étaient était être eu explique expliquer expliquez fait faire fichier fichiers fonction fonctionne
    fonctions il ils j je l la le les leur lui ma mais méthode même mes moi mon n ne nos notre nous on ont ou où par
    pas peut plus pour pourquoi projet qu quand que quel quelle quelles quels qui quoi répertoire résume s sa sans sert
    ses si son sont sous sur t ta te tes toi ton tous tout trouve tu un une utilisé utilisée veut vos votre vous y
    contient défini définie appelé appelée montre

    al algo archivo archivos así carpeta clase como cómo con contiene cual cuál cuando cuándo del desde directorio donde
    dónde el ella ello ellos entre era eres esa ese eso esta está están este esto estos explica fichero función
    funciona funciones hace hacer hay hasta las lo los más método mi mis muy nada no o para pero por porque proyecto
    puede qué quien quién se ser si sí sin sirve sobre son su sus también te tiene tienen todo tu un una unas uno unos
    usa ya resume definida definido

    ao aos arquivo até com da dele diretório dos ela ele em essa esse está estão eu explique faz fazer função há isso
    isto mais mas não na nas nem no nos num o onde os ou para pasta pela pelo por porquê projeto quais qual quando que
    quem são sem ser serve seu sua também tem uma usado você

    alla anche che chi ci cosa così da dal dalla dei del della delle di dove e è ed fa fare funzione funziona gli ha
    hanno il io la lo metodo nel nella non per perché più progetto quale quali quando quello questa questo sono spiega
    su sua suo tra una uno viene cartella contenuto

    aan als bij bestand dat de deze die dit door doet een en er geen het hij hoe ik in is kan klasse maar map me met
    mijn naar niet of om onder ons op over te tot uit van voor waar waarom wat we welke werkt wie wordt worden zijn zo

    а без бы был была были было быть в вам вас весь во вот все всё вы где да для до его ее её если есть еще ещё же за
    зачем здесь и из или им их к как какая какие какой когда кто ли либо меня метод метода мне может мы на над нам нас
    не него нет ни но о об объясни один он она они оно от отвечает папке папка по под почему при проект с сделать свой
    себя со содержит так такое также там то тот только ты у уже файл файла файле функции функция функцию чем через что
    чтобы это этот эта эти этом этого этой я класс класса классе делает делают работает находится определён определен
    определена используется нужен нужна нужно удаляется удаляются покажи расскажи
"""
FOREIGN = frozenset(_FOREIGN.split())
"""Function words of German, French, Spanish, Portuguese, Italian, Dutch and Russian, and their "file", "class", …."""
_BOTH = FOREIGN & ASKING

_FILE_WORDS_LIST = """
    file files module modules script scripts header document datei dateien
    modul skript fichier fichiers archivo fichero arquivo bestand файл
    файла файле модуль 文件 脚本 模块 檔案 ファイル モジュール スクリプト 파일 모듈
"""
FILE_WORDS = frozenset(_FILE_WORDS_LIST.split())
_FOLDER_WORDS_LIST = """
    folder folders directory directories dir package packages subfolder
    subdirectory ordner verzeichnis paket dossier répertoire repertoire
    paquet carpeta directorio paquete pasta diretório cartella map папка
    папке папки каталог каталоге пакет 目录 文件夹 包 資料夾 フォルダ フォルダー ディレクトリ
    パッケージ 폴더 디렉터리 디렉토리 패키지
"""
FOLDER_WORDS = frozenset(_FOLDER_WORDS_LIST.split())
_SYMBOL_WORDS_LIST = """
    function functions method methods class classes struct enum type trait
    interface macro constant variable constructor decorator fixture field
    property hook component symbol subroutine func fn def klasse funktion
    methode konstante schnittstelle classe fonction méthode constante
    clase función método função metodo funzione класс класса классе
    функция функции функцию метод метода 类 類 函数 方法 接口 变量 クラス 関数 メソッド 変数
    클래스 함수 메서드
"""
SYMBOL_WORDS = frozenset(_SYMBOL_WORDS_LIST.split())

_CJK = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f"
_GLUED = re.compile(rf"(?<=[{_CJK}])(?=[!-~])|(?<=[!-~])(?=[{_CJK}])")
_RUN = re.compile(r"\w+")
_PARTICLE = re.compile(r"(?<=[A-Za-z0-9_)`])\s*の\s*")
_NOUNS = sorted(
    (word for word in FILE_WORDS | FOLDER_WORDS | SYMBOL_WORDS if re.match(rf"[{_CJK}]", word)), key=len, reverse=True
)
_KINDS_CJK = re.compile("|".join(_NOUNS))

PROJECT = re.compile(
    r"\b(?:this|the|your|our|my|that|whole|entire)\s+(?:\w+\s+)?(?:project|repo|repository|code ?base|source tree)\b"
    r"|\b(?:this|your|our)\s+(?:library|package|app|application|program|tool|software|framework|service|plugin|crate)\b"
    r"|\b(?:dies\w*|das|dem|des|im|vom|unser\w*)\s+(?:projekt\w*|repository|repo|codebasis|programm\w*|bibliothek|anwendung)\b"
    r"|\b(?:ce|cet|cette|le|la|du|notre|mon)\s+(?:projet|dépôt|depot|programme|logiciel|bibliothèque|application|code)\b"
    r"|\b(?:este|esta|el|la|del|nuestro)\s+(?:proyecto|repositorio|programa|biblioteca|aplicación|código)\b"
    r"|\b(?:este|esse|o|do)\s+(?:projeto|repositório|programa)\b|\b(?:questo|il|del)\s+(?:progetto|repository|programma)\b"
    r"|\b(?:dit|deze|het|de)\s+(?:project|repository|programma)\b"
    r"|\b(?:проект\w*|репозитори\w*|программ[аыуе]\w*|библиотек[аиуе]\w*)"
    r"|项目|仓库|代码库|这个程序|本工程|專案|プロジェクト|リポジトリ|コードベース|このライブラリ|프로젝트|저장소",
    re.I,
)
"""Names the repository as a whole."""
_WHOLE = re.compile(
    r"^\W*(?:what(?:'s| is| does) (?:this|all this|it)(?: do| about| for| all about)?|what is this for"
    r"|(?:give me |show me )?an? (?:short |brief |quick )?(?:overview|summary)(?: please)?"
    r"|(?:explain|describe) the (?:overall |general )?(?:architecture|structure|design)"
    r"|where (?:do|should) i (?:start|begin)(?: reading)?)\W*$",
    re.I,
)
"""Means the repository as a whole where nothing else is before the user."""
_PROJECT_WORDS_LIST = """
    project repo repository codebase base library package app application program tool software
    framework service plugin crate whole entire architecture design general high level depend
    dependencies dependency license licence install installed installation build built run start
    started entry version author authors written language languages technology technologies stack
    goal goals aim worum geht mache wozu dient abhängigkeiten hat projekts dépendances dependencias
    zusammenfassung überblick aperçu resumen
"""
_PROJECT_WORDS = frozenset(_PROJECT_WORDS_LIST.split())


def spaced(text: str) -> str:
    """``text`` with spaces between words of ASCII and the scripts written without spaces: ``X类`` → ``X 类``."""
    return _GLUED.sub(" ", text)


def words(text: str) -> list[str]:
    """The words of a question in order, kind words of CJK scripts as words of their own."""
    return _RUN.findall(_KINDS_CJK.sub(lambda found: f" {found[0]} ", spaced(text)))


def is_foreign(text: str) -> bool:
    """Whether a question is asked in another language than English."""
    found = [word.casefold() for word in words(text)]
    if any(not _is_latin(word) for word in found):
        return True
    foreign = sum(
        (word in FOREIGN and word not in _BOTH) or (not word.isascii() and not is_compound(word)) for word in found
    )
    return foreign > sum(word in ASKING and word not in _BOTH for word in found)


def content(text: str) -> list[str]:
    """The words that say what a question is about, as written."""
    foreign = is_foreign(text)
    return [word for word in words(text) if not is_plain(word, foreign=foreign)]


def is_plain(word: str, *, foreign: bool) -> bool:
    """Whether a word only says how something is asked. ``foreign``: in a question that is not in English."""
    low = word.casefold()
    if low in FILE_WORDS or low in FOLDER_WORDS or low in SYMBOL_WORDS:
        return True
    return low in FOREIGN or not _is_latin(low) if foreign else low in ASKING


def means_project(text: str) -> bool:
    """Whether a question names the repository as a whole."""
    return bool(PROJECT.search(text) or _WHOLE.search(text))


def only_project(text: str) -> bool:
    """Whether that is all that a question is about."""
    if _WHOLE.search(text):
        return True
    left = [word for word in content(PROJECT.sub(" ", text)) if word.casefold() not in _PROJECT_WORDS]
    return PROJECT.search(text) is not None and len(left) == 0


@lru_cache(maxsize=4096)
def _is_latin(word: str) -> bool:
    """Whether no letter is of another script than Latin."""
    return all(not char.isalpha() or char < "\u0250" or "\u1e00" <= char <= "\u1eff" for char in word)
