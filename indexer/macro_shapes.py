"""What macros of C and C++ look like, by where they stand (``indexer.macros``)."""

from __future__ import annotations

import re

_STRING = rb'"(?:[^"\\\n]|\\.)*+"'
_IN_1 = rb"(?:[^()\"]++|" + _STRING + rb")*+"
_IN_2 = rb"(?:[^()\"]++|" + _STRING + rb"|\(" + _IN_1 + rb"\))*+"
_IN_3 = rb"(?:[^()\"]++|" + _STRING + rb"|\(" + _IN_2 + rb"\))*+"
_ARGUMENTS = rb"(?:\(" + _IN_3 + rb"\))"
_NO_CODE = rb"(?:\((?:[^(){};\"]++|" + _STRING + rb"|\(" + _IN_2 + rb"\))*+\))"
"""Arguments without statements."""
_SPACE = rb"(?:\s|//[^\n]*\n|/\*(?:[^*]|\*(?!/)){0,2000}+\*/)"
_UPPER = rb"(?:[A-Z_][A-Z0-9_]{2,}\b)"
_EXPORT = rb"(?:[A-Za-z_]\w*(?:EXPORTS?|_API|_ABI|_export|_api)\b|CV_EXPORTS_W\w*+)"
_LOWER = (
    rb"(?:__(?!(?:attribute|asm|declspec|extension|typeof|inline|int\d+|restrict|volatile|const|signed|unaligned"
    rb"|global|device|host|shared|constant|managed|launch_bounds|forceinline|grid_constant)(?:__)?\b)[a-z_]\w*+)"
)
_MACRO = rb"(?:" + _UPPER + rb"|" + _LOWER + rb")"
_START = rb"[A-Z_](?<![\w\"'#.:$@].)(?:[A-Z0-9_]{2,}+\b|(?<=_)" + _LOWER.replace(rb"(?:__", rb"(?:_", 1) + rb")"
"""The same at its first letter, so that a search need not try every place."""
_NAME = rb"[A-Za-z_]\w*+"
_PATH = rb"[A-Za-z_](?:\w|::)*+"
_ANGLES = rb"(?:<(?:[^<>;{}()]++|<(?:[^<>;{}()]++|<[^<>;{}()]*+>)*+>)*+>)"
_SPECIFIER = rb"static|extern|inline|virtual|constexpr|consteval|constinit|explicit|friend|typedef|mutable|register"
_BUILT_IN = rb"void|bool|char|short|int|long|float|double|signed|unsigned|size_t|auto|wchar_t"
_OPERATOR = rb"and|or|xor|bitand|bitor|not"

TYPES = frozenset(_BUILT_IN.split(b"|"))
_NO_TYPE = (
    _SPECIFIER + rb"|struct|class|union|enum|typename|using|template|const|volatile|return|else|case|goto|new|delete"
    rb"|throw|do|define|operator|namespace|public|private|protected|emit|defined|ifdef|ifndef|if|sizeof|final"
    rb"|noexcept|override|co_return|co_yield|co_await|__inline|__inline__|__extension__|" + _OPERATOR
)  # fmt: skip
NO_TYPES = frozenset(_NO_TYPE.split(b"|"))
"""Words after which a name may be a type, so that it need not be a macro."""
CONTROL = frozenset(
    b"""if for while switch catch return sizeof defined constexpr consteval alignas alignof decltype typeof
    __attribute__ __declspec __asm__ asm noexcept throw requires static_assert co_await""".split()
)
"""Words before a bracket that holds no parameters."""
EACH = re.compile(rb"(?i)for_?each|_for_")

MACRO = re.compile(
    rb"(?<![\w:])((?!(?:" + _SPECIFIER + rb"|const|noexcept|override|final|" + _BUILT_IN + rb")\b)" + _NAME + rb")(\s*"
    + _ARGUMENTS + rb")?"
)  # fmt: skip
WORD_OR_STRING = re.compile(_STRING + rb"|\b([A-Za-z_]\w*)")
NAME = re.compile(_PATH)
SPLIT = re.compile(_STRING + rb"|[][(){}<>,]")

# class MACRO Name {
_ARGUMENTS_OR_SPACE = rb"(?:\s*" + _ARGUMENTS + rb"\s*|\s+)"
_NAMED = _PATH + rb"\s*" + _ANGLES + rb"?\s*"
CLASS = re.compile(
    rb"\b(?:class|struct|union|enum(?:\s+(?:class|struct)\b)?)\s+(?:"
    rb"((?:(?:" + _MACRO + rb"|" + _EXPORT + rb"|(?<=class )(?!(?:final|alignas|__declspec|__attribute__)\b)" + _NAME
    + rb")" + _ARGUMENTS_OR_SPACE + rb")+)(?!(?:final|sealed|abstract|alignas|__attribute__|__declspec)\b)(?=" + _NAMED
    + rb"(?:(?:final|sealed)\b\s*)?(?:\{(?!\s*\}\s*[^\s;])|:\s*[A-Za-z_:]))"
    rb"|(?<=class )((?:(?:" + _UPPER + rb"|" + _EXPORT + rb")" + _ARGUMENTS_OR_SPACE + rb")+)(?=" + _NAMED + rb";)"
    rb"|((?:" + _EXPORT + _ARGUMENTS_OR_SPACE + rb")+)(?=" + _NAMED + rb"[;:]))"
)  # fmt: skip
"""Without a body a struct may be the type of a variable, unless the macro's name tells."""

# MACRO type name, type MACRO name(, type name MACRO;
_KEYWORD = (
    rb"(?:" + _SPECIFIER + rb"|template|using|class|struct|union|enum|namespace|typename|" + _BUILT_IN + rb")\b"
    rb"(?!\s*[;,)=(\]>|&^:])"
)
_INDIRECT = rb"(?:" + _ANGLES + rb"?\s*[*&]+\s*|" + _ANGLES + rb"\s+|\s+)"
_CONST = rb"const\s+" + _PATH + rb"(?:" + _ANGLES + rb"?\s*[*&]|\s+\w)"
_TWO = (
    rb"(?!(?:" + _OPERATOR + rb"|else|while|const|volatile)\b)" + _PATH + _INDIRECT
    + rb"(?!(?:override|final|const|noexcept|volatile|" + _OPERATOR + rb")\b|__|" + _UPPER + rb")[A-Za-z_~]"
)  # fmt: skip
_TWO_UPPER = rb"(?<=EXPORT |INLINE |EXTERN |STATIC )" + _UPPER + rb"\s+[A-Z_]\w*\s*\("
_CONSTRUCTOR = _NAME + rb"\s*" + _ARGUMENTS + rb"\s*(?:noexcept\b\s*)?:(?![:)])\s*\w"
_ACCESS = rb"(?:public|private|protected|signals|Q_SIGNALS)\b[ \w]*:(?!:)"
PLACED = re.compile(
    rb"(?P<macro>" + _START + rb"(?:\s*" + _NO_CODE + rb")?)(?:(?P<leading>" + _SPACE + rb"++(?=" + _KEYWORD
    + rb"|~\w|\[\[|" + _CONST + rb"|" + _TWO + rb"|" + _TWO_UPPER + rb"|" + _CONSTRUCTOR + rb"|" + _ACCESS + rb"))"
    rb"|(?P<second>\s+(?=[*&]*~?" + _PATH + rb"\s*\())"
    rb"|(?P<last>(?=(?:\s*" + _MACRO + rb"(?:\s*" + _NO_CODE + rb")?){0,3}\s*(?:[;{]|=(?!=)))))"
)  # fmt: skip
"""Before a type, between a type and the name of a function, or after a name."""
# name(parameters) MACRO;
TRAILING = re.compile(
    rb"\)\s*(?:(?:const|volatile|noexcept|override|final)\b\s*|=\s*0\s*)*+((?:" + _MACRO + rb"(?:\s*" + _NO_CODE
    + rb")?\s*)++)(?=[;{]|=\s*(?:0|default|delete)\b|:(?!:)\s*\w|->|(?:const|override|final|noexcept|__attribute__)\b)"
)  # fmt: skip
DECLARED = re.compile(
    rb"\s*(?:(?:" + _SPECIFIER + rb"|const|volatile|unsigned|signed|long|short|struct|enum|union|class|typename)\s+)*"
    rb"(?!(?:" + _NO_TYPE + rb")\b)" + _PATH + _INDIRECT + rb"(?:const\s+)?(?!(?:" + _NO_TYPE + rb"|" + _BUILT_IN
    + rb")\b)" + _NAME + rb"\s*(?:\[[^\]\n]*\]\s*)*"
)  # fmt: skip
# } MACRO;
CLOSING = re.compile(
    rb"\}[ \t]*((?:__packed\b|__aligned|____cacheline\w*|__randomize_layout|PACKED\b|[A-Z]\w*_(?:PACKED|ALIGNED)\b)"
    rb"(?:\s*" + _NO_CODE + rb")?)(?=\s*;)"
)  # fmt: skip
ENUMERATOR = re.compile(rb"\w[ \t]+((?:UMETA|\w*_(?:AVAILABLE|DEPRECATED)\w*)\s*" + _NO_CODE + rb")(?=\s*[,}])")

# lines that begin with a macro
LINE = re.compile(rb"^[ \t]*+(?:(?:" + _SPECIFIER + rb")[ \t]+)*(?=[A-Z_])", re.MULTILINE)
LONE = re.compile(
    rb"[ \t]*((?:" + _UPPER + rb"|[A-Z][A-Z0-9]+_\w+(?=\())([ \t]*" + _NO_CODE + rb")?)[ \t]*(?=\r?(?:\n|\Z)|//|/\*)"
)
NEXT = re.compile(_SPACE + rb"*+")
AFTER_LONE = re.compile(rb"(?!(?:else|while|" + _OPERATOR + rb")\b)(?:[A-Za-z_~#}]|\[\[|\Z)")
CALLED = re.compile(_UPPER + rb"\s*\(")
MARK = re.compile(rb"BEGIN|END|NAMESPACE|DECLS|OBJECT|GADGET|BODY")

# GLOBAL(type) name(
WRAPPED_TYPE = re.compile(
    rb"(?:(?:" + _SPECIFIER + rb")\s+)*([A-Z]\w*[A-Z_]\w*)[ \t]*\(\s*((?:const\s+|struct\s+|unsigned\s+)*" + _PATH
    + rb"[\s*&]*)\)\s+(?=[*&]?(?!" + _UPPER + rb"\s*\()" + _NAME + rb"\s*\()"
)  # fmt: skip

# MACRO(name, …) {
FUNCTION = re.compile(
    rb"(?P<indent>[ \t]*)(?:static\s+)?(?P<macro>" + _UPPER + rb")[ \t]*(?P<arguments>" + _NO_CODE
    + rb")(?P<parameters>\s*" + _NO_CODE + rb")?(?P<decorators>(?:\s*\*\s*" + _PATH + rb"(?:" + _NO_CODE + rb")?)*+)"
    + _SPACE + rb"*+\{"
)  # fmt: skip
TEST = re.compile(rb"TEST|SCENARIO|BENCHMARK")
NO_FUNCTION = re.compile(rb"NAMESPACE|STRUCT|CLASS|UNION|ENUM|FOR_?EACH|^(?:ELSE|IF|WHILE|FOR|SWITCH|EXTERN)")
GROUP = re.compile(rb"TEST_GROUP|TEST_CLASS|FIXTURE|FIXTURE_VARIANT")
PAIRS = re.compile(rb"SYSCALL_DEFINE\d$|BPF_CALL_\d$")
OF_TWO = re.compile(rb"TEST|METHOD|FIXTURE|BENCHMARK")
NAME_FIRST = re.compile(rb"^BOOST_")

# DEFINE_MUTEX(name); DEFINE_PER_CPU(type, name);
VARIABLE = re.compile(
    rb"[DHL](?<![\w\"].)(?:((?:EFINE|ECLARE)_PER_CPU\w*)\(\s*(?P<type>[^(),;]+?)\s*,\s*(?P<typed>\w+)\s*\)"
    rb"|((?:EFINE_(?:MUTEX|SPINLOCK|RAW_SPINLOCK|RWLOCK|SEMAPHORE|RATELIMIT_STATE|TIMER|WAIT|IDA|IDR|XARRAY\w*"
    rb"|HASHTABLE|STATIC_KEY_\w+|SRCU|STATIC_SRCU|STATIC_PERCPU_RWSEM|LOCAL_LOCK)"
    rb"|ECLARE_(?:WAIT_QUEUE_HEAD|RWSEM|COMPLETION|WORK|DELAYED_WORK|BITMAP|HASHTABLE|TASKLET)"
    rb"|(?:LI|I)ST_HEAD))\(\s*(?P<name>\w+)\s*(?:,[^;{}]{0,500})?\))(?=\s*;)"
)  # fmt: skip

# Qt: signals: and public slots:
SECTION = re.compile(
    rb"^[ \t]*(?:(?:public|private|protected)[ \t]+(?P<slots>slots|Q_SLOTS)(?=[ \t]*:)"
    rb"|(?P<signals>signals|Q_SIGNALS)(?=[ \t]*:(?!:))"
    rb"|(?P<section>[A-Z]*_?(?:PRIVATE|PUBLIC|PROTECTED)_?[A-Z_]*)[ \t]*:(?![:]))", re.MULTILINE
)  # fmt: skip
EMIT = re.compile(rb"\b(?:emit|Q_EMIT)[ \t]+(?=[A-Za-z_])")
