"""A real server in a process of its own, talked to over HTTP by clients that are not ours."""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from helpers import REPO
from served import NAME, copy_version, make_version, serving

V1 = f"/v1/models/{NAME}"
V2 = f"/v2/models/{NAME}"
ROW = [12, 95, 97]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    copy_version(folder, 1)
    rng = np.random.default_rng(0)
    (folder / "shapes").mkdir()
    make_version(folder / "shapes" / "1", rng.normal(size=(4, 3)), features=True)
    (folder / "words").mkdir()
    make_version(folder / "words" / "1", np.eye(3), labels=["123", "132", "213"])
    with serving(folder, folder / "log", "--body-seconds", "0.5", "--max-body-mb", "1") as served:
        yield served


def test_the_shipped_model_knows_the_whole_table(server):
    """Held against arithmetic, all 97 * 97 sums, over HTTP."""
    pairs = list(itertools.product(range(97), repeat=2))
    status, answer = server.post(
        f"{V1}:predict", {"signature_name": "class", "inputs": [[a, b, 97] for a, b in pairs]}
    )
    assert status == 200
    assert answer["outputs"] == [(a + b) % 97 for a, b in pairs]


def test_the_task_in_its_own_words(server):
    status, answer = server.post(f"{V1}:solve", {"a": 12, "b": 95})
    assert (status, answer["answer"]) == (200, 10)
    assert 0.9 < answer["probability"] <= 1
    assert server.post(f"{V1}/versions/1:solve", {"b": 95, "a": 12}) == (status, answer)
    status, answer = server.post("/v1/models/words:solve", {"a": "213", "b": 0})
    assert (status, answer["answer"]) == (200, "213")
    status, answer = server.post("/v1/models/words:solve", {"a": "312", "b": 0})
    assert (status, answer["error"][:40]) == (400, "a: expected one of 123, 132, 213, or a n")
    assert server.post("/v1/models/shapes:solve", {"x": [1, 0.5, 0, -2]})[0] == 200


def test_tensorflow_serving_rest_in_all_forms(server):
    status, row = server.post(f"{V1}:predict", {"instances": [ROW, [1, 2, 97]]})
    assert status == 200
    assert [each["class"] for each in row["predictions"]] == [10, 3]
    assert [len(each["logits"]) for each in row["predictions"]] == [97, 97]
    status, column = server.post(f"{V1}/versions/1:predict", {"inputs": {"tokens": [ROW]}})
    assert column["outputs"]["logits"][0] == pytest.approx(
        row["predictions"][0]["logits"], rel=1e-5
    )
    status, only = server.post(f"{V1}:predict", {"instances": [ROW], "signature_name": "class"})
    assert only == {"predictions": [10]}


def test_status_and_metadata_fit_tensorflows_own_protos(server):
    assert server.get(V1) == (
        200,
        {
            "model_version_status": [
                {
                    "version": "1",
                    "state": "AVAILABLE",
                    "status": {"error_code": "OK", "error_message": ""},
                }
            ]
        },
    )
    assert server.get(f"{V1}/versions/1")[1] == server.get(V1)[1]
    status, metadata = server.get(f"{V1}/metadata")
    assert metadata["model_spec"] == {"name": NAME, "signature_name": "", "version": "1"}
    assert server.get(f"{V1}/versions/1/metadata") == (status, metadata)
    code = """
import json, sys
from google.protobuf import text_format
from google.protobuf.json_format import ParseDict
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse, ModelVersionStatus
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig
metadata, status, config = json.loads(sys.stdin.read())
(version,) = ParseDict(status, GetModelStatusResponse()).model_version_status
assert (version.version, version.state) == (1, ModelVersionStatus.AVAILABLE)
assert version.status.error_code == 0
models = text_format.Parse(config, ModelServerConfig()).model_config_list.config
assert [model.base_path for model in models] == ["/models/quickstart"]
found = {}
for name, signature in ParseDict(metadata, SignatureDefMap()).signature_def.items():
    found[name] = {
        side: {
            key: [info.dtype, [dim.size for dim in info.tensor_shape.dim]]
            for key, info in getattr(signature, side).items()
        }
        for side in ("inputs", "outputs")
    } | {"method": signature.method_name}
print(json.dumps(found))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(
            [
                metadata["metadata"]["signature_def"],
                server.get(V1)[1],
                (REPO / "deploy" / "tensorflow-serving" / "models.config").read_text(),
            ]
        ),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    int32, float32 = 3, 1
    tokens = {"tokens": [int32, [-1, 3]]}
    assert json.loads(done.stdout) == {
        "serving_default": {
            "inputs": tokens,
            "outputs": {
                "logits": [float32, [-1, 97]],
                "class": [int32, [-1]],
                "probability": [float32, [-1]],
            },
            "method": "tensorflow/serving/predict",
        },
        "class": {
            "inputs": tokens,
            "outputs": {"class": [int32, [-1]]},
            "method": "tensorflow/serving/predict",
        },
    }


@pytest.mark.parametrize("binary", [False, True])
def test_tritonclient_gets_what_it_expects(server, binary):
    triton = pytest.importorskip("tritonclient.http")
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready(NAME)
        assert not client.is_model_ready("nobody")
        assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
        metadata = client.get_model_metadata(NAME)
        assert metadata["inputs"] == [{"name": "tokens", "datatype": "INT32", "shape": [-1, 3]}]
        rows = np.array([ROW, [96, 96, 97]], np.int32)
        tokens = triton.InferInput("tokens", list(rows.shape), "INT32")
        tokens.set_data_from_numpy(rows, binary_data=binary)
        wanted = [
            triton.InferRequestedOutput(name, binary_data=binary)
            for name in ("class", "probability")
        ]
        result = client.infer(NAME, [tokens], outputs=wanted, request_id="mine")
        assert result.as_numpy("class").tolist() == [10, 95]
        assert result.as_numpy("probability").dtype == np.float32
        assert result.get_response()["id"] == "mine"
        # Without a wish it asks for everything as raw bytes.
        every = client.infer(NAME, [tokens], model_version="1")
        assert every.as_numpy("logits").shape == (2, 97)
        assert every.as_numpy("logits").argmax(axis=1).tolist() == [10, 95]
        rows[1, 0] = 97
        tokens.set_data_from_numpy(rows, binary_data=binary)
        with pytest.raises(triton.InferenceServerException, match=r"inputs\[0\].data\[1\]\[0\]"):
            client.infer(NAME, [tokens])


# As deep as the JSON parser goes.
DEEP = b"[" * 1_000 + b"1" + b"]" * 1_000
REFUSED = [
    ("POST", f"{V1}:predict", {"instances": [[12, -1, 97]]}, 400, r"instances[0][1]: expected"),
    ("POST", f"{V1}:predict", {"instances": [[12, 97, 97]]}, 400, r"instances[0][1]: expected"),
    ("POST", f"{V1}:predict", {"instances": []}, 400, "one row at least"),
    ("POST", f"{V1}:predict", {"instances": [ROW] * 10_001}, 400, "at most 10,000"),
    ("POST", f"{V1}:predict", b'{"instances": [[NaN,1,97]]}', 400, "not valid JSON"),
    ("POST", f"{V1}:predict", b"\xff", 400, "not valid JSON"),
    ("POST", f"{V1}:predict", b"[" * 10_000, 400, "not valid JSON"),
    ("POST", f"{V1}:predict", b'{"instances":[[%b,1,97]]}' % DEEP, 400, "[0][0]: expected an int"),
    ("POST", f"{V1}:predict", b'{"instances":[%b]}' % DEEP, 400, "instances[0]: expected a row"),
    ("POST", f"{V1}:predict", b'{"instances":[{"a":%b}]}' % DEEP, 400, "instances[0]: expected"),
    ("POST", f"{V1}:predict", b'{"inputs":1,"signature_name":%b}' % DEEP, 400, "signature_name: "),
    ("POST", f"{V1}:solve", b'{"a":%b,"b":1}' % DEEP, 400, "a: expected an integer"),
    ("POST", f"{V2}/infer", b'{"inputs":%b}' % DEEP, 400, "inputs"),
    ("POST", f"{V2}/infer", b'{"inputs":[],"id":%b}' % DEEP, 400, "id: expected"),
    ("POST", f"{V1}:predict", {"instances": [ROW], "signature_name": "x"}, 400, "not found"),
    ("POST", "/v1/models/nobody:predict", {"instances": [ROW]}, 404, "Servable not found"),
    ("POST", f"{V1}/versions/9:predict", {"instances": [ROW]}, 404, "Specific(quickstart, 9)"),
    ("POST", f"{V1}/labels/stable:predict", {"instances": [ROW]}, 404, "Malformed request"),
    ("POST", f"{V1}:classify", {}, 404, "Malformed request: POST"),
    ("POST", f"{V1}:predict", b" " * (20 * 2**20), 413, "larger than 1,048,576 bytes"),
    ("GET", f"{V1}:predict", None, 405, "expected POST"),
    ("DELETE", V1, None, 405, "expected GET"),
    ("POST", f"{V2}/infer", {"inputs": []}, 400, "inputs: expected a list of one tensor"),
    ("POST", f"{V2}/versions/2/infer", {"inputs": []}, 404, "Servable not found"),
    ("POST", "/v2/models/..%2f..%2fetc/infer", {"inputs": []}, 404, ""),
    ("GET", "/v1/models/..%2f..%2fetc%2fpasswd", None, 404, ""),
    ("GET", "/v1/models/%00", None, 404, ""),
    ("GET", "/../../etc/passwd", None, 404, "Malformed request"),
    ("GET", f"{V1}/versions/2", None, 404, "Could not find any versions 2"),
    ("GET", "/v2/models/nobody/ready", None, 404, "Servable not found"),
    ("POST", "/v1/models/shapes:predict", {"instances": [[1, 2, 3, 1e39]]}, 400, "finite number"),
    ("POST", "/v1/models/shapes:predict", {"instances": [[1, 2, None, 3]]}, 400, "[0][2]"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0]} {case[1]} {case[4]}"[:60])
def test_what_is_wrong_is_refused_in_the_protocols_words(server, case):
    method, path, body, expected, said = case
    status, answer, _ = server.request(method, path, body)
    assert status == expected, answer
    assert list(answer) == ["error"]
    assert said in answer["error"]
    assert server.post(f"{V1}:solve", {"a": 12, "b": 95})[1]["answer"] == 10


def test_a_compressed_body_is_said_to_be_one(server):
    body = gzip.compress(json.dumps({"instances": [ROW]}).encode())
    status, answer = server.post(f"{V1}:predict", body, **{"Content-Encoding": "gzip"})
    assert (status, answer["error"][:16]) == (415, "Content-Encoding")


def test_the_page_is_whole_and_loads_nothing_from_elsewhere(server):
    for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "javascript")):
        status, content, headers = server.request("GET", path)
        assert status == 200
        assert kind in headers["content-type"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert b"http://" not in content.replace(b"http://www.w3.org/2000/svg", b"")
        assert b"https://" not in content
        asked = server.request("GET", f"{path}?content=%3Cscript%3E&kind=text/html%0d%0aX:y")
        assert asked[:2] == (status, content)
        assert asked[2]["content-type"] == headers["content-type"]
    status, task = server.get(f"{V1}/task")
    assert task["formula"] == "a + b mod 97"
    assert len(task["circle"]["points"]) == 97
    assert server.get("/v1/models")[1] == {"models": [NAME, "shapes", "words"]}


def test_metrics_are_prometheus_text_at_both_paths(server):
    from prometheus_client.parser import text_string_to_metric_families

    server.post(f"{V1}:solve", {"a": 1, "b": 2})
    server.post("/v1/models/nobody:solve", {"a": 1, "b": 2})
    for path in ("/metrics", "/monitoring/prometheus/metrics"):
        text = server.get(path)[1]
        samples = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        }
        assert samples["grokkeras_requests_total", "200", NAME, "solve"] >= 1
        assert samples["grokkeras_requests_total", "404", "solve", "unknown"] >= 1
        assert samples["grokkeras_version_state", "1", "available", NAME] == 1
        assert samples["grokkeras_batch_rows_count", NAME] >= 1
        assert samples[("grokkeras_queued_rows",)] == 0
        assert samples[("process_resident_memory_bytes",)] > 0


def test_requests_of_many_threads_share_batches_and_each_gets_its_own(server):
    wrong = []

    def ask(seed):
        rng = np.random.default_rng(seed)
        for a, b in rng.integers(0, 97, (25, 2)):
            status, answer = server.post(f"{V1}:solve", {"a": int(a), "b": int(b)})
            bad = server.post(f"{V1}:predict", {"instances": [[int(a), 97 + int(b), 97]]})
            if (status, answer.get("answer"), bad[0]) != (200, (a + b) % 97, 400):
                wrong.append((a, b, answer, bad))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
