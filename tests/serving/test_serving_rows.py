"""From requests to rows: what is taken, what is refused, and what the refusal names."""

from __future__ import annotations

import json

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import NAME, SHIPPED

from grokkeras.serving.body import parse_object
from grokkeras.serving.card import read_card
from grokkeras.serving.errors import RequestError
from grokkeras.serving.open_inference import read_infer
from grokkeras.serving.rows import checked_rows
from grokkeras.serving.solve import read_solve
from grokkeras.serving.tensorflow_rest import read_predict, write_predict

CARD = read_card(SHIPPED / NAME / "1")
ROW = [12, 95, 97]
TOKEN = st.integers(0, 96)
ROWS = st.lists(st.tuples(TOKEN, TOKEN, st.just(97)).map(list), min_size=1, max_size=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


def is_sound(values):
    """What the model takes, said a second time."""
    if not isinstance(values, list) or not values:
        return False
    for row in values:
        if not isinstance(row, list) or len(row) != 3:
            return False
        if not all(type(value) is int for value in row):
            return False
        if not (0 <= row[0] <= 96 and 0 <= row[1] <= 96 and row[2] == 97):
            return False
    return True


@given(ROWS)
def test_sound_rows_come_through_as_they_are(values):
    rows = checked_rows(values, CARD, "instances", 100)
    assert rows.dtype == np.int32
    assert rows.tolist() == values


@given(ROWS, st.data())
def test_one_wrong_value_is_found_wherever_it_stands(values, data):
    row = data.draw(st.integers(0, len(values) - 1))
    position = data.draw(st.integers(0, 2))
    wrong = data.draw(
        st.sampled_from([-1, 98, 2**31, 2**63, 2**80, -(2**40), True, False, None, "3", 1.5, 2.0,
                         [1], {}, 1e300])
    )  # fmt: skip
    values[row][position] = wrong
    with pytest.raises(RequestError) as refused:
        checked_rows(values, CARD, "instances", 100)
    assert str(refused.value).startswith(f"instances[{row}][{position}]: expected ")
    assert refused.value.status == 400


@given(JSON | st.lists(st.lists(JSON, min_size=3, max_size=3), max_size=8))
def test_anything_is_taken_or_refused_and_never_fails(values):
    try:
        rows = checked_rows(values, CARD, "instances", 100)
    except RequestError:
        assert not is_sound(values)
    else:
        assert is_sound(values)
        assert rows.shape == (len(values), 3)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "instances: expected one row at least"),
        ([[]], r"instances\[0\]: expected a row of 3 numbers, received 0"),
        ([ROW] * 5 + [[1, 2]], r"instances\[5\]: expected a row of 3 numbers, received 2"),
        ([ROW] * 10_001, "received 10,001 rows, at most 10,000"),
        (ROW, r"instances\[0\]: expected a row of 3 numbers, received 12"),
        ([[ROW]], r"instances\[0\]: expected a row of 3"),
        (None, "expected a list of rows"),
        ("12", "expected a list of rows"),
        ([ROW] * 6 + [[1, 2, 2**70]], r"instances\[6\]\[2\]: expected 97"),
    ],
)
def test_wrong_shapes_are_named(values, said):
    with pytest.raises(RequestError, match=said):
        checked_rows(values, CARD, "instances", 10_000)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "either instances or inputs"),
        ({"instances": [ROW], "inputs": [ROW]}, "and not both"),
        ({"instances": [ROW], "signature": "class"}, "Unknown key 'signature'"),
        ({"instances": [ROW], "signature_name": 3}, "signature_name: expected a string"),
        ({"instances": [{"token": ROW}]}, r"instances\[0\]: expected an object with the key"),
        ({"instances": [ROW, {"tokens": ROW}]}, r"instances\[0\]: expected an object"),
        ({"inputs": {"token": [ROW]}}, "inputs: expected an object with the key 'tokens'"),
        (
            {"instances": [ROW], "signature_name": "nosuch"},
            "'nosuch' not found in signature def; there are serving_default, class",
        ),
    ],
)
def test_tensorflow_requests_that_are_refused(request_, said):
    with pytest.raises(RequestError, match=said):
        read_predict(request_, CARD, 100)


@pytest.mark.parametrize(
    "request_",
    [
        {"instances": [ROW]},
        {"instances": [{"tokens": ROW}]},
        {"inputs": [ROW]},
        {"inputs": {"tokens": [ROW]}},
        {"inputs": [ROW], "signature_name": ""},
    ],
)
def test_every_form_of_a_tensorflow_request_gives_the_same_rows(request_):
    rows, outputs, by_row = read_predict(request_, CARD, 100)
    assert rows.tolist() == [ROW]
    assert outputs == ("logits", "class", "probability")
    assert by_row is ("instances" in request_)


def test_tensorflow_answers_in_both_forms():
    answers = {
        "logits": np.array([[0.5, 1.5], [2.5, 0.0]], np.float32),
        "class": np.array([1, 0], np.int32),
        "probability": np.array([0.75, 0.5], np.float32),
    }
    names = ("logits", "class", "probability")

    def plain(value):
        return json.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))

    assert plain(write_predict(answers, names, by_row=True)) == {
        "predictions": [
            {"logits": [0.5, 1.5], "class": 1, "probability": 0.75},
            {"logits": [2.5, 0.0], "class": 0, "probability": 0.5},
        ]
    }
    assert plain(write_predict(answers, names, by_row=False)) == {
        "outputs": {"logits": [[0.5, 1.5], [2.5, 0.0]], "class": [1, 0], "probability": [0.75, 0.5]}
    }
    # A single output drops its name, in both forms.
    assert plain(write_predict(answers, ("class",), by_row=True)) == {"predictions": [1, 0]}
    assert plain(write_predict(answers, ("class",), by_row=False)) == {"outputs": [1, 0]}


def tensor(**changes):
    return {"name": "tokens", "shape": [1, 3], "datatype": "INT32", "data": ROW} | changes


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "inputs: expected a list of one tensor, 'tokens'"),
        ({"inputs": [tensor(), tensor()]}, "inputs: expected a list of one"),
        ({"inputs": [tensor(name="x")]}, r"inputs\[0\].name: expected 'tokens', received 'x'"),
        ({"inputs": [tensor(datatype="FP32")]}, r"inputs\[0\].datatype: expected 'INT32'"),
        ({"inputs": [tensor(shape=[3])]}, r"inputs\[0\].shape: expected \[rows, 3\]"),
        ({"inputs": [tensor(shape=[1, -3])]}, r"inputs\[0\].shape"),
        ({"inputs": [tensor(shape=[True, 3])]}, r"inputs\[0\].shape"),
        ({"inputs": [tensor(shape=[2, 3])]}, "expected 6 numbers for shape"),
        ({"inputs": [tensor(shape=[10**9, 3])]}, "at most 100 are taken"),
        ({"inputs": [tensor(data=[1, 2, 3])]}, r"inputs\[0\].data\[0\]\[2\]: expected 97"),
        ({"inputs": [tensor(data=None)]}, r"inputs\[0\].data: expected a list"),
        ({"inputs": [tensor(parameters=[])]}, "parameters: expected an object"),
        ({"inputs": [tensor(parameters={"binary_data_size": 12})]}, "binary_data_size"),
        ({"inputs": [tensor()], "id": 3}, "id: expected a string"),
        ({"inputs": [tensor()], "outputs": [{"name": "x"}]}, r"outputs\[0\].name: expected one of"),
        ({"inputs": [tensor()], "outputs": [{"name": "class"}] * 2}, r"outputs\[1\].name"),
        ({"inputs": [tensor()], "outputs": ["class"]}, r"outputs\[0\].name"),
    ],
)
def test_open_inference_requests_that_are_refused(request_, said):
    with pytest.raises(RequestError, match=said):
        read_infer(json.dumps(request_).encode(), None, CARD, 100)


def test_open_inference_takes_flat_nested_and_binary_data():
    raw = np.array([ROW, [1, 2, 97]], "<i4").tobytes()
    parameters = {"binary_data_size": len(raw)}
    head = json.dumps({"inputs": [tensor(shape=[2, 3], data=0, parameters=parameters)]}).encode()
    flat = {"inputs": [tensor(shape=[2, 3], data=[*ROW, 1, 2, 97])]}
    nested = {"inputs": [tensor(shape=[2, 3], data=[ROW, [1, 2, 97]])]}
    for body, header in (
        (json.dumps(flat).encode(), None),
        (json.dumps(nested).encode(), None),
        (head + raw, b"%d" % len(head)),
    ):
        assert read_infer(body, header, CARD, 100).rows.tolist() == [ROW, [1, 2, 97]]
    wrong = np.array([ROW, [-1, 2, 97]], "<i4").tobytes()
    with pytest.raises(RequestError, match=r"inputs\[0\].data\[1\]\[0\]: expected an integer"):
        read_infer(head + wrong, b"%d" % len(head), CARD, 100)
    for header in (b"-1", b"x", b"%d" % (len(head + raw) + 1), b"9" * 30):
        with pytest.raises(RequestError, match="Inference-Header-Content-Length"):
            read_infer(head + raw, header, CARD, 100)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"a": 1}, "Expected the operands a, b; received 'a'"),
        ({"a": 1, "b": 2, "c": 3}, "Expected the operands a, b"),
        ({"a": 1, "b": 97}, "b: expected an integer from 0 to 96, received 97"),
        ({"a": -1, "b": 9}, "a: expected an integer from 0 to 96, received -1"),
        ({"a": "12", "b": 9}, "a: expected an integer"),
        ({"a": True, "b": 9}, "a: expected an integer"),
        ({"a": [1], "b": 9}, "a: expected an integer"),
        ({"a": 1.0, "b": 9}, "a: expected an integer"),
    ],
)
def test_questions_that_are_refused(request_, said):
    with pytest.raises(RequestError, match=said):
        read_solve(request_, CARD)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b'{"instances": [[NaN, 1, 97]]}', "not valid JSON"),
        (b'{"instances": [[1e999, 1, 97]]}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b"[1, 2]", r"Expected a JSON object, received \[1, 2\]"),
        (b"3", "Expected a JSON object"),
    ],
)
def test_bodies_that_are_no_json_object(body, said):
    with pytest.raises(RequestError, match=said):
        parse_object(body)
