"""The header fields of a call say what gRPC says, and read what others say."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.http2 import call
from maim_protocol.http2.codes import CallFailed, ErrorCode, Status, status_of_reset

GOOD = dict(call.request("/a.B/C", "host:1", "https", None))


def but(name: str, value: str | None) -> tuple[tuple[str, str], ...]:
    """A good request but for one field."""
    fields: dict[str, str | None] = {**GOOD, name: value}
    return tuple((name, value) for name, value in fields.items() if value is not None)


def test_a_request_is_read_as_it_was_made() -> None:
    fields = call.request("/a.B/C", "host:1", "https", "sesame")
    assert fields[:4] == (
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/a.B/C"),
        (":authority", "host:1"),
    )
    found = call.read_request(fields)
    assert found.path == "/a.B/C"
    assert ("authorization", "Bearer sesame") in found.metadata
    assert not any(name.startswith(":") for name, _ in found.metadata)
    assert "sesame" not in repr(found)


def test_no_table_keeps_the_token() -> None:
    encoder, decoder = Encoder(), Decoder()
    fields = call.request("/a.B/C", "host:1", "https", "sesame")
    decoder.decode(encoder.encode(fields))
    for table in (encoder.header_table, decoder.header_table):
        assert not any(b"sesame" in value for _, value in table.dynamic_entries)


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        (but(":method", "GET"), Status.INTERNAL, "expected :method POST, got GET"),
        (but("te", None), Status.INTERNAL, "expected te trailers, got none"),
        (but("content-type", "text/html"), Status.INTERNAL, "got text/html"),
        (but("content-type", "application/grpc-web"), Status.INTERNAL, "content-type"),
        (but(":path", None), Status.INTERNAL, "expected a :path"),
        (but("grpc-encoding", "gzip"), Status.UNIMPLEMENTED, "got grpc-encoding gzip"),
        ((), Status.INTERNAL, "expected :method POST"),
        ((("", ""),), Status.INTERNAL, "expected :method POST"),
    ],
)
def test_what_begins_no_call_is_refused(
    fields: tuple[tuple[str, str], ...], status: Status, text: str
) -> None:
    with pytest.raises(CallFailed, match=text) as caught:
        call.read_request(fields)
    assert caught.value.status is status


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+proto"])
def test_subtypes_of_grpc_are_grpc(kind: str) -> None:
    assert call.read_request((*but("content-type", kind), ("grpc-encoding", "identity")))


@given(st.sampled_from(Status), st.text(max_size=300))
def test_a_status_and_its_text_arrive(status: Status, text: str) -> None:
    fields = call.trailers(status, text, alone=False)
    assert all(value.isascii() and value.isprintable() for _, value in fields)
    assert call.read_trailers(fields) == (status, text)


def test_trailers_that_come_alone_are_a_response_too() -> None:
    fields = call.trailers(Status.ABORTED, "no", [("more", "1")], alone=True)
    assert call.read_response(fields)
    assert call.read_trailers(fields) == (Status.ABORTED, "no")
    assert fields[-1] == ("more", "1")


def test_a_long_text_is_cut() -> None:
    assert call.read_trailers(call.trailers(Status.OK, "é" * 9999, alone=True))[1] == "é" * 1000


def test_a_text_that_is_no_unicode_is_sent_as_what_can_be() -> None:
    [_, (_, value)] = call.trailers(Status.OK, "\ud800", alone=False)
    assert value == "?"


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ([], Status.UNKNOWN, "expected a grpc-status, got none"),
        ([("grpc-status", "99")], Status.UNKNOWN, "expected a grpc-status, got 99"),
        ([("grpc-status", "x"), ("grpc-message", "why")], Status.UNKNOWN, "why"),
        ([("grpc-status", "5"), ("grpc-message", "100%")], Status.NOT_FOUND, "100%"),
        ([("grpc-status", "5"), ("grpc-message", "%zz%E4")], Status.NOT_FOUND, "%zz\ufffd"),
        ([("grpc-status", "5"), ("grpc-status", "0")], Status.NOT_FOUND, ""),
    ],
)
def test_odd_trailers_are_read_as_far_as_they_go(
    fields: list[tuple[str, str]], status: Status, text: str
) -> None:
    assert call.read_trailers(tuple(fields)) == (status, text)


@pytest.mark.parametrize(
    ("http", "status"),
    [
        ("400", Status.INTERNAL),
        ("401", Status.UNAUTHENTICATED),
        ("403", Status.PERMISSION_DENIED),
        ("404", Status.UNIMPLEMENTED),
        ("503", Status.UNAVAILABLE),
        ("418", Status.UNKNOWN),
        ("200", Status.UNKNOWN),
        ("", Status.UNKNOWN),
    ],
)
def test_what_speaks_no_grpc_has_the_status_of_its_http_status(http: str, status: Status) -> None:
    with pytest.raises(CallFailed, match="expected a gRPC response") as caught:
        call.read_response(((":status", http), ("content-type", "text/html")))
    assert caught.value.status is status


def test_an_interim_response_is_none() -> None:
    assert not call.read_response(((":status", "103"),))
    assert call.read_response(call.RESPONSE)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ErrorCode.NO_ERROR, Status.INTERNAL),
        (ErrorCode.REFUSED_STREAM, Status.UNAVAILABLE),
        (ErrorCode.CANCEL, Status.CANCELLED),
        (ErrorCode.ENHANCE_YOUR_CALM, Status.RESOURCE_EXHAUSTED),
        (ErrorCode.INADEQUATE_SECURITY, Status.PERMISSION_DENIED),
        (ErrorCode.PROTOCOL_ERROR, Status.INTERNAL),
    ],
)
def test_a_reset_has_its_status(code: ErrorCode, status: Status) -> None:
    assert status_of_reset(code) is status
