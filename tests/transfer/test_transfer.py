"""What a model takes from another: within and across widths, operations and kinds."""

from __future__ import annotations

import numpy as np
import pytest


def test_all_weights_by_name(cases):
    case = cases["same_shape"]
    assert case["equal"]
    assert case["taken"] == 11
    assert case["rest"] == [0, 0]


def test_some_weights_by_pattern(cases):
    case = cases["same_shape"]
    attention = [
        f"block_0/attention/{name}/kernel" for name in ("key", "project", "query", "value")
    ]
    assert case["changed"] == [*attention, "head/kernel"]
    assert case["as_it_was"]
    listing = case["listing"]
    why = {one["name"]: one["why"] for one in listing["left"]}
    assert why["block_1/attention/query/kernel"] == "not in the source"
    assert why["table/token_embedding"] == "not asked for"
    assert {one["why"] for one in listing["unused"]} == {"not asked for"}
    assert listing["message"].startswith("5 of ")
    assert "taken   head/kernel" in case["text"]
    assert "8 x 7" in case["text"]


def test_a_projection_keeps_the_geometry(cases):
    case = cases["widths"]
    table, wide = np.array(case["table"]), np.array(case["wide"]["rows"])
    assert wide.shape == (8, 20)
    np.testing.assert_allclose(wide @ wide.T, table @ table.T, atol=1e-5)
    narrow = np.array(case["narrow"]["rows"])
    lengths = np.linalg.norm(narrow, axis=1) / np.linalg.norm(table, axis=1)
    assert 0.7 < lengths.mean() < 1.3
    assert case["wide"]["how"] == ["projected from 8 x 8", "projected from 3 x 8"]
    assert case["repeats"]
    assert not case["other_seed"]


def test_an_overlap_is_copied_and_the_rest_kept(cases):
    case = cases["widths"]
    assert case["block"]
    assert case["outside"]
    assert case["how"] == "the first 8 x 8 of 8 x 8"


def test_between_kinds_of_model(cases):
    case = cases["kinds"]
    assert case["pairs"] == [["table/token_embedding", "embeddings/embedding_0"]]
    assert case["equal"]
    assert case["left"]["table/position_embedding"] == "not in the source"
    assert case["left"]["head/kernel"] == "not asked for"
    assert case["one_hot"] == [["hidden_0/kernel", "projected from 14 x 16"]]
    # Both first kernels are 14 x 16, and only one of them is an embedding.
    assert case["apart"] == ["hidden_0/bias", "head/kernel", "head/bias"]
    assert case["angles"] < 1e-5
    assert case["renamed"] == [["table/token_embedding", "embeddings/embedding_0"]]


def test_models_not_ours(cases):
    case = cases["keras_models"]
    assert case["equal"]
    assert case["taken"] == ["words/embeddings", "out/kernel", "out/bias"]
    assert case["projected"] == [["words/embeddings", "projected from 8 x 4"]]
    assert case["across"] == [["table/token_embedding", "words/embeddings"]]


@pytest.mark.parametrize(
    ("name", "phrases"),
    {
        "widths": ["do not fit", "head/kernel: 8 x 7 in the source, 20 x 7 here", "overlap"],
        "embedding": ["table/token_embedding: 8 x 8", "projection brings"],
        "vocabulary": ["another vocabulary", "8 rows in the source, 9 here", "without these"],
        "overlap_vocabulary": ["another vocabulary"],
        "nothing": ["Nothing would be taken", "hidden_0/kernel"],
        "pattern": ["'hed/kernel'", "Did you mean 'head/kernel'?"],
        "no_embedding": ["no embedding"],
        "method": ["exact, overlap, projection", "'copy'"],
        "projection": ["Only an embedding can be projected"],
        "unbuilt": ["no weights yet"],
        "rename": ["'foot/kernel'"],
        "no_run": ["no folder", "runs/nowhere"],
        "no_file": ["no file nowhere.keras"],
        "no_model": ["neither a run folder nor a .keras file"],
        "damaged": ["damaged.keras cannot be read as a Keras model"],
    }.items(),
)
def test_refusals(cases, name, phrases):
    for phrase in phrases:
        assert phrase in cases["refusals"][name]


def test_a_refusal_changes_nothing(cases):
    assert cases["refusals"]["unchanged"]


def test_a_run_from_a_run(cases):
    """Another operation at another width; recorded once, and the same when repeated."""
    case = cases["runs"]
    assert case["moved"]
    assert case["others"]
    assert case["losses"] == case["expected"]
    assert case["repeated"]
    (event,) = case["events"]
    assert event["step"] == 0
    assert event["detail"]["message"].startswith("1 of 5 weights start from ")
    assert event["detail"]["taken"][0]["how"] == "projected from 12 x 8"


def test_resume_needs_no_source(cases):
    assert cases["runs"]["resumed"] == [40, 1]


def test_a_refused_run_leaves_no_folder(cases):
    case = cases["runs"]
    assert "no folder" in case["refused"]["gone"]
    assert "do not fit" in case["refused"]["shapes"]
    assert "model.keras is gone" in case["refused"]["unfinished"]
    assert case["folders"] == [False, False]
