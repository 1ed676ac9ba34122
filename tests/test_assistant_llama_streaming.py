from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.llama.streaming import TextStream


def pushed(stream: TextStream, pieces: list[bytes]) -> list[str]:
    return [stream.push(piece) for piece in pieces]


def test_characters_split_over_tokens_are_joined():
    smile = "🙂".encode()
    assert pushed(TextStream(), [b"a", smile[:1], smile[1:3], smile[3:] + b"b"]) == ["a", "", "", "🙂b"]


def test_an_unfinished_character_at_the_end_is_dropped():
    stream = TextStream()
    assert stream.push(b"a" + "é".encode()[:1]) == "a"
    assert stream.finish() == ""


def test_invalid_bytes_become_replacement_characters():
    assert TextStream().push(b"a\xff\xfeb") == "a\ufffd\ufffdb"


def test_a_stop_string_over_several_tokens_never_leaks():
    stream = TextStream(("```",))
    assert pushed(stream, [b"x = 1\n`", b"`", b"`py", b"more"]) == ["x = 1\n", "", "", ""]
    assert stream.stopped
    assert stream.finish() == ""


def test_text_that_only_began_like_a_stop_string_is_given_back():
    stream = TextStream(("END!",))
    assert pushed(stream, [b"the EN", b"D of", b" EN"]) == ["the ", "END of", " "]
    assert stream.finish() == "EN"
    assert not stream.stopped


def test_the_earliest_stop_string_counts():
    stream = TextStream(("zz", "\n"))
    assert stream.push(b"a\nzz") == "a"


def test_empty_stop_strings_are_ignored():
    stream = TextStream(("",))
    assert stream.push(b"text") == "text"
    assert not stream.stopped


@given(st.text(alphabet="ab\né🙂", max_size=30), st.lists(st.text(alphabet="ab\né", max_size=3), max_size=3), st.data())
def test_any_cut_into_tokens_gives_the_text_before_the_first_stop(text, stops, data):
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    stream = TextStream(stops)
    shown = "".join(pushed(stream, pieces)) + stream.finish()
    found = [at for s in stops if s and (at := text.find(s)) >= 0]
    # A longer stop string may start earlier but end later than another: whichever is complete first counts.
    if not found:
        assert shown == text and not stream.stopped
    else:
        assert stream.stopped and text.startswith(shown)
        assert all(s not in shown for s in stops if s)
