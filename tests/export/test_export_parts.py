"""The parts of an export that need no backend: comparison, circle, card, versions, manifest."""

from __future__ import annotations

import hashlib
import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from grokkeras.config import load_config
from grokkeras.errors import GrokkerasError, UserError
from grokkeras.export.card import card_of_rows, card_of_task
from grokkeras.export.circle import counting_order, embedding_circle
from grokkeras.export.manifest import write_manifest
from grokkeras.export.parity import TIE, compare
from grokkeras.export.pipeline import refuse_mismatch, sample_inputs
from grokkeras.export.publish import choose_version, publish, scratch_folder, versions
from grokkeras.serving.card import read_card
from grokkeras.serving.solve import read_solve
from grokkeras.tasks import make_task


def task_and_options(**task):
    config = load_config("quickstart", {f"task.{key}": value for key, value in task.items()})
    return make_task(config.task, config.seed), config.task


def served_card(tmp_path, card):
    """A card as the server reads it back."""
    folder = tmp_path / "assets.extra"
    folder.mkdir(exist_ok=True)
    (folder / "grokkeras.json").write_text(json.dumps(card.to_dict()))
    return read_card(tmp_path)


class TestCompare:
    def test_equal_logits_agree(self):
        logits = np.array([[1.0, 2.0], [3.0, 0.0]])
        assert compare(logits, logits) == {
            "largest_difference": 0.0,
            "argmax_agreement": 1.0,
            "mismatches": 0,
            "first_mismatch": None,
        }

    def test_a_tie_may_fall_either_way_and_a_clear_answer_may_not(self):
        reference = np.array([[1.0, 1.0 + TIE / 2], [1.0, 1.0 + 2 * TIE], [0.0, 5.0]])
        swapped = reference[:, ::-1]
        found = compare(reference[:1], swapped[:1])
        assert (found["mismatches"], found["argmax_agreement"]) == (0, 0.0)
        found = compare(reference, swapped)
        assert (found["mismatches"], found["first_mismatch"]) == (2, 1)
        assert found["largest_difference"] == 5.0

    def test_nan_in_one_alone_is_a_mismatch(self):
        sound = np.array([[1.0, 2.0], [3.0, 4.0]])
        broken = np.array([[1.0, 2.0], [np.nan, 4.0]])
        for pair in ((sound, broken), (broken, sound)):
            assert compare(*pair)["mismatches"] == 1
        assert compare(broken, broken)["mismatches"] == 0

    def test_a_mismatch_refuses_to_publish(self):
        sound = {"mismatches": 0, "class_is_argmax": True}
        report = {"backend": "jax", "inputs": 9, "tie": TIE}
        report |= dict.fromkeys(("keras", "saved_model", "onnx"), sound)
        refuse_mismatch(report)
        wrong = {"mismatches": 2, "first_mismatch": 7, "largest_difference": 0.5}
        with pytest.raises(GrokkerasError, match=r"onnx .* 2 of 9 inputs .* input 7"):
            refuse_mismatch({**report, "onnx": {**sound, **wrong}})
        with pytest.raises(GrokkerasError, match="not the largest logit"):
            refuse_mismatch({**report, "onnx": {**sound, "class_is_argmax": False}})


class TestCircle:
    @pytest.mark.parametrize("frequency", [1, 5, 48])
    def test_finds_a_planted_frequency(self, frequency):
        rng = np.random.default_rng(0)
        angle = 2 * np.pi * frequency * np.arange(97) / 97
        waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        plane = np.linalg.qr(rng.normal(size=(16, 2)))[0].T
        found = embedding_circle(waves @ plane + rng.normal(size=(97, 16)) * 0.01, np.arange(97))
        assert found["frequency"] == frequency
        assert found["share"] > 0.99
        radii = np.linalg.norm(np.array(found["points"]), axis=1)
        assert radii.min() > 0.9
        # The next token in the circle's order stands one step of the frequency further on.
        turns = np.diff(np.unwrap(np.arctan2(*np.array(found["points"]).T[::-1])))
        assert np.allclose(np.cos(turns), np.cos(2 * np.pi * frequency / 97), atol=0.1)

    def test_products_are_counted_by_powers_of_a_generator(self):
        order = counting_order("multiply", 7)
        assert sorted(order) == [1, 2, 3, 4, 5, 6]
        ratios = {int(b) * pow(int(a), -1, 7) % 7 for a, b in itertools.pairwise(order)}
        assert len(ratios) == 1
        assert list(counting_order("multiply", 8)) == list(range(8))  # has no generator
        assert list(counting_order("add", 5)) == [0, 1, 2, 3, 4]

    def test_nothing_to_see_gives_none(self):
        assert embedding_circle(np.ones((10, 4)), np.arange(10)) is None
        assert embedding_circle(np.full((10, 4), np.nan), np.arange(10)) is None
        assert embedding_circle(np.eye(2), np.arange(2)) is None


class TestCard:
    @pytest.mark.parametrize("layout", ["a b", "a b =", "a op b ="])
    @pytest.mark.parametrize("operation", ["add", "divide"])
    def test_the_server_encodes_residues_as_the_task_does(self, tmp_path, layout, operation):
        task, options = task_and_options(modulus=7, format=layout, operation=operation)
        card = served_card(tmp_path, card_of_task(task, options))
        for a, b in itertools.product(range(7), range(1, 7)):
            assert list(read_solve({"a": a, "b": b}, card)[0]) == list(task.encode(a=a, b=b))
        assert card.label(3) == task.answer(3) == 3

    def test_the_server_encodes_permutations_as_the_task_does(self, tmp_path):
        config = load_config(
            "quickstart", {"task": {"name": "symmetric_group", "degree": 3, "operation": "aba"}}
        )
        task = make_task(config.task, 0)
        card = served_card(tmp_path, card_of_task(task, config.task))
        names = [task.answer(label) for label in range(6)]
        for a, b in itertools.product(names, names):
            assert list(read_solve({"a": a, "b": b}, card)[0]) == list(task.encode(a=a, b=b))
        assert list(read_solve({"a": 2, "b": "123"}, card)[0]) == list(task.encode(a=2, b="123"))
        assert [card.label(label) for label in range(6)] == names

    def test_the_server_encodes_a_mixture_as_the_task_does(self, tmp_path):
        options = {"name": "modular_mixture", "operations": ["add", "divide"], "modulus": 7}
        config = load_config("quickstart", {"task": options})
        task = make_task(config.task, 0)
        card = served_card(tmp_path, card_of_task(task, config.task))
        for operation, a, b in itertools.product(("add", "divide"), range(7), range(1, 7)):
            asked = {"operation": operation, "a": a, "b": b}
            assert list(read_solve(asked, card)[0]) == list(task.encode(**asked))

    def test_bits_and_features_are_one_operand(self, tmp_path):
        config = load_config(
            "quickstart",
            {
                "task": {"name": "sparse_parity", "num_bits": 6, "num_examples": 60},
                "model": {"name": "mlp"},
            },
        )
        task = make_task(config.task, 0)
        card = served_card(tmp_path, card_of_task(task, config.task))
        row = task.train.x[0].tolist()
        assert read_solve({"bits": row}, card)[0].tolist() == row

        features = served_card(tmp_path, card_of_rows(np.zeros((3, 2), "float32"), 4))
        assert features.datatype == "FP32"
        assert read_solve({"x": [0.5, -2]}, features)[0].tolist() == [0.5, -2.0]

    def test_token_ranges_of_a_foreign_model_are_those_of_its_inputs(self):
        card = card_of_rows(np.array([[1, 5], [3, 5]]), 2)
        assert card.input["ranges"] == [[1, 3], [5, 1]]


class TestPublish:
    def test_versions_count_up_and_other_names_are_passed_over(self, tmp_path):
        assert choose_version(tmp_path / "m", None) == 1
        for name in ("1", "3", "notes", ".tmp"):
            (tmp_path / "m" / name).mkdir(parents=True)
        assert versions(tmp_path / "m") == [1, 3]
        assert choose_version(tmp_path / "m", None) == 4
        assert choose_version(tmp_path / "m", 2) == 2
        with pytest.raises(UserError, match="there already"):
            choose_version(tmp_path / "m", 3)
        with pytest.raises(UserError, match="1 or more"):
            choose_version(tmp_path / "m", 0)

    def test_a_version_that_appeared_meanwhile_is_never_replaced(self, tmp_path):
        with scratch_folder(tmp_path) as scratch:
            made = scratch / "version"
            made.mkdir()
            (tmp_path / "m" / "1").mkdir(parents=True)
            (tmp_path / "m" / "1" / "theirs").write_text("x")
            with pytest.raises(UserError, match="Another export"):
                publish(made, tmp_path / "m", None, 1)
        assert (tmp_path / "m" / "1" / "theirs").read_text() == "x"
        assert [path.name for path in tmp_path.iterdir()] == ["m"]  # the scratch folder is gone

    def test_the_manifest_vouches_for_every_file(self, tmp_path):
        (tmp_path / "assets.extra").mkdir()
        files = {"saved_model.pb": b"graph", "assets.extra/labels.txt": b"0\n"}
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        manifest = write_manifest(tmp_path, "m", 3, {"task": "addition"})
        assert manifest == json.loads((tmp_path / "manifest.json").read_text())
        assert manifest["files"] == {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in sorted(files.items())
        }
        assert (manifest["name"], manifest["version"], manifest["task"]) == ("m", 3, "addition")


@given(npst.arrays(np.int32, st.tuples(st.integers(1, 400), st.just(2))), st.integers(1, 50))
def test_samples_are_rows_of_the_inputs_with_both_ends(x, most):
    sample = sample_inputs(x, most)
    assert len(sample) == min(len(x), most)
    assert {*map(tuple, sample)} <= {*map(tuple, x)}
    assert tuple(sample[0]) == tuple(x[0])
