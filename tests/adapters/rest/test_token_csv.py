"""Files of tokens, as spreadsheets write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.rest.token_csv import MAX_PROBLEMS, CsvInvalid, read_tokens, write_tokens
from gateway.core.ports import IdToken

A = IdToken("A")
FULL = IdToken("A", "blocked", "ISO14443", "2027-12-31T23:00:00.000Z", "G", ("X-*", "Y"), 'van "12", red')


@pytest.mark.parametrize(
    ("file", "tokens"),
    [
        (b"id\nA\n", [A]),
        (b"id\r\nA\r\nB", [A, IdToken("B")]),
        (b"\xef\xbb\xbfid\nA\n", [A]),
        (b"ID , Status\nA, \n\n , \n", [A]),
        (b"status;id\r\nblocked;A\r\n", [IdToken("A", "blocked")]),
        (b"note\tid\nx,y;z\tA\n", [IdToken("A", note="x,y;z")]),
        (b"id,note,,\nA,x,,\n", [IdToken("A", note="x")]),
        (b"id,status,note\nA\n", [A]),
        (
            b"id,status\nA,Accepted\nB,ConcurrentTx\nC,NO_CREDIT\nD,NotAtThisLocation\n",
            [A, IdToken("B", "concurrent_tx"), IdToken("C", "no_credit"), IdToken("D", "not_at_this_location")],
        ),
        (b"id,chargers\nA,X-*;Y  Z\n", [IdToken("A", chargers=("X-*", "Y", "Z"))]),
        (b'id;chargers\nA;"X-*;Y"\n', [IdToken("A", chargers=("X-*", "Y"))]),
        (b'id,note\nA,"one\ntwo"\nB,\n', [IdToken("A", note="one\ntwo"), IdToken("B")]),
        (b"id,expires_at\nA,2028-01-01T00:00:00+01:00\n", [IdToken("A", expires_at="2027-12-31T23:00:00.000Z")]),
        ("id,note\nÄ,日本\n".encode(), [IdToken("Ä", note="日本")]),
        (b"id\n", []),
        (write_tokens([FULL, IdToken("=1+1")]), [FULL, IdToken("=1+1")]),
    ],
)
def test_what_is_read(file: bytes, tokens: list[IdToken]) -> None:
    assert read_tokens(file) == tokens


@pytest.mark.parametrize(
    ("file", "location", "told"),
    [
        (b"", "line 1", "id must be one"),
        (b"A\nB\n", "line 1", "id must be one; known are id, status"),
        (b"id,expires\nA,\n", "line 1", "unknown column 'expires'"),
        (b"id,note,ID\nA,,\n", "line 1", "column 'id' is there twice"),
        (b"id\nA\n\n\xe4\n", "line 4", "CSV UTF-8"),
        (b"id,status\nA,ok\n", "line 2, status", "'accepted', 'blocked'"),
        (b"id,status\n,blocked\n", "line 2, id", "every token needs one"),
        (b"id\n" + b"x" * 256, "line 2, id", "at most 255"),
        (b"id\nA\x01B\n", "line 2, id", "control character"),
        (b"id,expires_at\nA,31.12.2027\n", "line 2, expires_at", "2027-12-31T23:00:00Z"),
        (b"id,expires_at\nA,2027-12-31\n", "line 2, expires_at", "with a zone"),
        (b"id,expires_at\nA,2027-12-31T23:00:00\n", "line 2, expires_at", "with a zone"),
        (b"id,note\nA,x,y\n", "line 2", "3 fields"),
        (b'id,note\nA,"x\ny"\nA,\n', "line 4, id", "the same token as in line 2"),
        (b"id\nAb\naB\n", "line 3, id", "the same token as in line 2"),
        (b'id\n"A\n', "line 2", "not CSV"),
        (b'id\n"A"x\n', "line 2", "not CSV"),
        (b"id,note\nA," + b"x" * 200_000 + b"\n", "line 2", "not CSV"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(file: bytes, location: str, told: str) -> None:
    with pytest.raises(CsvInvalid) as error:
        read_tokens(file)
    (problem,) = error.value.problems
    assert problem["location"] == location
    assert told in problem["message"]
    assert str(error.value).startswith(f"Nothing was imported. {location}: ")


def test_every_wrong_line_is_told_up_to_a_hundred() -> None:
    with pytest.raises(CsvInvalid, match=r"and 149 more") as error:
        read_tokens(b"id,status\n" + b"A,ok\n" * 150)
    assert [problem["location"] for problem in error.value.problems] == [
        f"line {number}, status" for number in range(2, 2 + MAX_PROBLEMS)
    ]


_PRINTED = ("L", "M", "N", "P", "S")
_TEXT = st.lists(st.text(st.characters(categories=_PRINTED), min_size=1, max_size=7), min_size=1, max_size=3).map(
    " ".join
)
_PATTERN = st.text(st.characters(categories=_PRINTED, exclude_characters=";"), min_size=1, max_size=20)
_NOTE = st.text(st.characters(codec="utf-8"), max_size=30).map(str.strip).filter(lambda text: "\0" not in text)
_TOKENS = st.builds(
    IdToken,
    id=_TEXT,
    status=st.sampled_from(["accepted", "blocked", "no_credit"]),
    type=st.none() | _TEXT,
    group=st.none() | _TEXT,
    chargers=st.lists(_PATTERN, max_size=3).map(tuple),
    note=_NOTE.map(lambda note: note or None),
)


@given(st.lists(_TOKENS, max_size=5, unique_by=lambda token: token.id.casefold()))
def test_what_was_written_reads_back(tokens: list[IdToken]) -> None:
    assert read_tokens(write_tokens(tokens)) == tokens


@given(
    st.binary(max_size=100) | st.text("id,;\t\"'\n\rAä\0", max_size=30).map(lambda text: f"id,note\n{text}".encode())
)
def test_no_file_breaks_the_reading(file: bytes) -> None:
    tokens: list[IdToken] = []
    with suppress(CsvInvalid):
        tokens = read_tokens(file)
    assert all(token.id for token in tokens)
