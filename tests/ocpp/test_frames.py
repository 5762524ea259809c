"""Frames: what is well-formed is read as it stands, what is not as far as it can be, and nothing raises."""

import json
import time

import pytest

from gateway.ocpp.frames import (
    MAX_DEPTH,
    MAX_FRAMES,
    Call,
    CallError,
    CallResult,
    Frame,
    Malformed,
    decode,
    encode_call,
    encode_error,
    encode_result,
    encode_send,
)


def only(text: str | bytes) -> Frame:
    frames = decode(text)
    assert len(frames) == 1
    return frames[0]


def call(text: str | bytes) -> Call:
    frame = only(text)
    assert isinstance(frame, Call), frame
    return frame


def malformed(text: str | bytes) -> Malformed:
    frame = only(text)
    assert isinstance(frame, Malformed), frame
    return frame


def codes(frame: Frame) -> list[str]:
    assert not isinstance(frame, Malformed), frame
    return [violation["code"] for violation in frame.violations]


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


# ---------------------------------------------------------------- as the specification has them


def test_a_call_keeps_its_payload_as_it_was_written() -> None:
    frame = call('[2,"id-1","DataTransfer",{"b" : 1.50,"a":[]}]')
    assert (frame.message_id, frame.action, frame.payload) == ("id-1", "DataTransfer", {"b": 1.5, "a": []})
    assert frame.raw == '{"b" : 1.50,"a":[]}'
    assert frame.violations == []


def test_blanks_between_the_elements_are_json() -> None:
    frame = call(' [ 2 , "id-1" ,\n"Heartbeat" ,\t{ } ] \r\n')
    assert (frame.action, frame.payload, frame.raw, frame.violations) == ("Heartbeat", {}, "{ }", [])


def test_a_result() -> None:
    assert only('[3,"id-1",{"status":"Accepted"}]') == CallResult(
        "id-1", {"status": "Accepted"}, '{"status":"Accepted"}', []
    )


def test_an_error_and_an_error_of_a_result() -> None:
    assert only('[4,"i","GenericError","why",{"a":1}]') == CallError("i", "GenericError", "why", {"a": 1})
    assert only('[5,"i","FormatViolation","",{}]') == CallError("i", "FormatViolation", "", {}, of_result=True)


def test_a_send() -> None:
    frame = call('[6,"i","NotifyPeriodicEventStream",{"id":1}]')
    assert frame.send
    assert codes(frame) == []


def test_escapes_in_id_and_strings_are_read() -> None:
    frame = call('[2,"a\\"b\\u00e4","DataTransfer",{"vendorId":"\\u20ac"}]')
    assert (frame.message_id, frame.payload, frame.raw) == ('a"bä', {"vendorId": "€"}, '{"vendorId":"\\u20ac"}')


def test_integers_beyond_64_bits_are_unharmed_in_raw() -> None:
    assert call('[2,"i","DataTransfer",{"data":123456789012345678901234567890}]').raw.count("0123456789") == 2


# ---------------------------------------------------------------- as chargers send them (rows 15 to 17 of the quirks)

DEVIATIONS = {
    # text → codes of the violations; each is read as a Heartbeat with id "1" and payload {}
    '\ufeff[2,"1","Heartbeat",{}]': ["surrounding_noise"],
    '[2,"1","Heartbeat",{}]\x00\x00': ["surrounding_noise"],
    '[2,"1","Heart\x00beat",{}]': ["surrounding_noise"],
    ',[2,"1","Heartbeat",{}],': ["surrounding_noise"],
    '[,2,"1","Heartbeat",{}]': ["stray_comma"],
    '[2,"1","Heartbeat",{,}]': ["stray_comma"],
    '[2,"1",,"Heartbeat",{},]': ["stray_comma"],
    '[2,1,"Heartbeat",{}]': ["message_id_not_text"],
    '["2","1","Heartbeat",{}]': ["frame_type_as_text"],
    '[2.0,"1","Heartbeat",{}]': [],
    '[2,"1","Heartbeat",null]': ["payload_null"],
    '[2,"1","Heartbeat",[]]': ["payload_not_an_object"],
    '[2,"1","Heartbeat",[{}]]': ["payload_not_an_object"],
    '[2,"1","Heartbeat","{}"]': ["payload_not_an_object"],
    '[2,"1","Heartbeat",7]': ["payload_not_an_object"],
    '[2,"1","Heartbeat"]': ["payload_missing"],
    '[2,"1","Heartbeat",{},"more"]': ["extra_elements"],
}


@pytest.mark.parametrize("text", DEVIATIONS, ids=ascii)
def test_a_deviation_is_read_and_named(text: str) -> None:
    frame = call(text)
    assert (frame.message_id, frame.action, frame.payload) == ("1", "Heartbeat", {})
    assert codes(frame) == DEVIATIONS[text]


def test_a_comma_before_the_first_sample_is_passed_over() -> None:
    """Row 15 (ZJ Beny): strings that hold such commas stay as they are."""
    frame = call('[2,"1","MeterValues",{"meterValue":[{"sampledValue":[,{"value":"[,1,,]"}]}]}]')
    assert frame.payload == {"meterValue": [{"sampledValue": [{"value": "[,1,,]"}]}]}
    assert codes(frame) == ["stray_comma"]
    assert frame.raw == '{"meterValue":[{"sampledValue":[,{"value":"[,1,,]"}]}]}'


@pytest.mark.parametrize(
    ("before", "raw", "after"),
    [
        ('[2,"1","DataTransfer",', '{ "a" : [,1,, 2] , "b":NaN }', " ] "),
        ('\ufeff[2,"1","DataTransfer", ', '{"a":"S\x00\x00",\x00"b":1}', "]\x00"),
        ('[,2,,"1","DataTransfer",', '{"b":123456789012345678901234567890}', ',{"more":1},]'),
        ('[2,1,"DataTransfer" , ', '[ {"vendorId":"\\ud800"} ]', "]"),
        ('[2,"0","Heartbeat",{,}] ,[2,"1","DataTransfer",', '{"c":1e999}', "]"),
    ],
    ids=ascii,
)
def test_a_payload_is_told_as_it_was_written_whatever_was_mended(before: str, raw: str, after: str) -> None:
    frame = decode(before + raw + after)[-1]
    assert isinstance(frame, Call)
    assert (frame.message_id, frame.action, frame.raw) == ("1", "DataTransfer", raw)


def test_padding_with_nul_bytes_is_taken_off() -> None:
    """Row 15 (Wallbe)."""
    frame = call('[2,"1","BootNotification",{"chargePointVendor":"Vendor\x00\x00"}]\x00')
    assert frame.payload == {"chargePointVendor": "Vendor"}
    assert codes(frame) == ["surrounding_noise"]


def test_a_list_of_one_object_is_that_object() -> None:
    frame = call('[2,"1","Authorize",[{"idTag":"A"}]]')
    assert (frame.payload, frame.raw) == ({"idTag": "A"}, '[{"idTag":"A"}]')


def test_what_no_number_is_reads_as_null_and_stays_in_raw() -> None:
    frame = call('[2,"1","DataTransfer",{"a":NaN,"b":-Infinity,"c":1e999,"d":1}]')
    assert frame.payload == {"a": None, "b": None, "c": None, "d": 1}
    assert frame.raw == '{"a":NaN,"b":-Infinity,"c":1e999,"d":1}'
    assert codes(frame) == ["invalid_json"]


def test_control_characters_in_strings_are_kept_and_named() -> None:
    frame = call('[2,"1","DataTransfer",{"data":"a\nb"}]')
    assert (frame.payload, codes(frame)) == ({"data": "a\nb"}, ["invalid_json"])


def test_half_a_character_is_replaced_wherever_it_stands() -> None:
    frame = call('[2,"\\ud800","Data\\udc00",{"\\ud800":["\\udfff","\\ud83d\\ude00"]}]')
    assert (frame.message_id, frame.action, frame.payload) == ("?", "Data?", {"?": ["?", "😀"]})
    assert frame.raw == '{"\\ud800":["\\udfff","\\ud83d\\ude00"]}'


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    frame = call(b'[2,"1","DataTransfer",{"data":"\xff"}]')
    assert (frame.payload, codes(frame)) == ({"data": "\ufffd"}, ["not_utf8"])
    assert codes(call('[2,"1","DataTransfer",{"data":"ü"}]'.encode())) == []


def test_two_frames_in_one_text_are_two_frames() -> None:
    first, second = decode('[2,"1","Heartbeat",{}]\n[3,"2",{}]')
    assert isinstance(first, Call)
    assert isinstance(second, CallResult)
    assert codes(second) == ["several_frames"]


def test_what_follows_a_frame_does_not_spoil_it() -> None:
    first, rest = decode('[2,"1","Heartbeat",{}][2,"2","Hea')
    assert isinstance(first, Call)
    assert isinstance(rest, Malformed)
    assert (rest.message_id, rest.kind) == ("2", 2)


def test_no_text_makes_more_than_a_few_frames() -> None:
    assert len(decode("[]" * 1000)) == MAX_FRAMES + 1


@pytest.mark.parametrize(
    ("text", "code", "description", "details"),
    [
        ('[4,"1","GenericError","why"]', "GenericError", "why", {}),
        ('[4,"1","GenericError"]', "GenericError", "", {}),
        ('[4,"1"]', "GenericError", "", {}),
        ('[4,"1",null,null,null]', "GenericError", "", {}),
        ('[4,"1","X","",["d"]]', "X", "", ["d"]),
    ],
)
def test_an_error_with_parts_missing(text: str, code: str, description: str, details: object) -> None:
    frame = only(text)
    assert isinstance(frame, CallError)
    assert (frame.message_id, frame.code, frame.description, frame.details) == ("1", code, description, details)


def test_odd_message_ids_are_kept_and_named() -> None:
    assert codes(call(f'[2,"{"i" * 37}","Heartbeat",{{}}]')) == ["message_id_too_long"]
    assert codes(call('[2,"","Heartbeat",{}]')) == ["message_id_empty"]
    frame = call('[2,4711,"Heartbeat",{}]')
    assert (frame.message_id, frame.numeric_id) == ("4711", True)


# ---------------------------------------------------------------- no frames at all


@pytest.mark.parametrize(
    ("text", "message_id", "kind", "action"),
    [
        ("", None, None, None),
        (" \x00\ufeff,", None, None, None),
        ("hello", None, None, None),
        ("{}", None, None, None),
        ("[]", None, None, None),
        ("null", None, None, None),
        ('["two"]', None, None, None),
        ("[2]", None, 2, None),
        ('[2,null,"Heartbeat",{}]', None, 2, "Heartbeat"),
        ('[2,true,"Heartbeat",{}]', None, 2, "Heartbeat"),
        ('[2,["1"],"Heartbeat",{}]', None, 2, "Heartbeat"),
        ('[2,"1"]', "1", 2, None),
        ('[2,"1",{}]', "1", 2, None),
        ('[2,"1","",{}]', "1", 2, None),
        ('[9,"1","Heartbeat",{}]', "1", 9, "Heartbeat"),
        ('[true,"1","Heartbeat",{}]', None, None, None),
        ('[2,"1","Heartbeat",{]', "1", 2, "Heartbeat"),
        ('[2,17,"Heartbeat",{', "17", 2, "Heartbeat"),
        ('[2,"a\\u0062","Heartbeat",{', "ab", 2, "Heartbeat"),
        ('[3,"1",{"configurationKey":[]', "1", 3, None),
        ('[2,"1","X"' + ",1" * 100 + "]", "1", 2, "X"),
    ],
    ids=ascii,
)
def test_what_can_be_told_of_a_broken_frame(
    text: str, message_id: str | None, kind: int | None, action: str | None
) -> None:
    frame = malformed(text)
    assert (frame.message_id, frame.kind, frame.action) == (message_id, kind, action)
    assert frame.reason


@pytest.mark.parametrize("length", range(1, len('[2,"1","Authorize",{"idTag":"AB"}]')))
def test_a_truncated_call_is_malformed_wherever_it_ends(length: int) -> None:
    malformed('[2,"1","Authorize",{"idTag":"AB"}]'[:length])


def test_nesting_is_bounded() -> None:
    assert call(f'[2,"1","DataTransfer",{nested(MAX_DEPTH - 1)}]').violations == []
    for depth in (MAX_DEPTH + 1, 300, 1100, 100_000):
        assert "nested" in malformed(f'[2,"1","DataTransfer",{nested(depth)}]').reason
        assert malformed(f'[2,"1","DataTransfer",{nested(depth)}]').message_id == "1"


def test_many_brackets_are_not_deep() -> None:
    frame = call(f'[2,"1","DataTransfer",{{"data":[{",".join(["{}"] * 1000)}]}}]')
    assert frame.violations == []


@pytest.mark.parametrize(
    "text",
    [
        "\0" * 10_000_000,
        "x" * 10_000_000,
        "[" * 10_000_000,
        "[]" * 5_000_000,
        " " * 10_000_000,
        "[" + "," * 10_000_000,
        '[2,"a","Heartbeat",{"a":"' + '\\"' * 5_000_000,
        '[2,"a","Heartbeat",{"a":"' + '\\"' * 30_000,
        '[2,"a","Heartbeat",{"a":' + " ," * 30_000,
        '[2,"a","' + "[" * 10_000_000 + '"]',
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_megabytes_of_garbage_cost_little(text: str) -> None:
    started = time.process_time()
    decode(text)
    assert time.process_time() - started < 5.0  # tenths of a second in fact; what is quadratic takes minutes


# ---------------------------------------------------------------- encoding


def test_frames_are_written_without_blanks() -> None:
    assert encode_call("i", "Reset", {"type": "Soft", "n": [1, 2]}) == '[2,"i","Reset",{"type":"Soft","n":[1,2]}]'
    assert encode_result("i", {"status": "Accepted"}) == '[3,"i",{"status":"Accepted"}]'
    assert encode_error("i", "GenericError", "why", {"a": 1}) == '[4,"i","GenericError","why",{"a":1}]'
    assert encode_error("i", "GenericError", kind=5) == '[5,"i","GenericError","",{}]'
    assert encode_send("i", "X", {}) == '[6,"i","X",{}]'


def test_json_that_is_encoded_already_is_taken_as_it_stands() -> None:
    assert encode_result("i", b'{"a":1}') == encode_result("i", '{"a":1}') == '[3,"i",{"a":1}]'
    assert encode_result("i", b"") == '[3,"i",{}]'


def test_whatever_stands_in_an_id_the_frame_is_json_in_utf8() -> None:
    for message_id in ('a"b', "\\", "\n", "ä€😀", "\ud800"):
        text = encode_result(message_id, {"a": 2**70})
        text.encode()
        assert json.loads(text) == [3, message_id, {"a": 2**70}]


def test_descriptions_keep_to_the_length_that_ocpp_allows() -> None:
    assert len(json.loads(encode_error("i", "X", "d" * 1000))[3]) == 255
