"""The Projector tab's files, read by TensorBoard's own plugin."""

from __future__ import annotations

import json

import numpy as np
import pytest
from werkzeug.test import Client

from grokkeras.logging.projector import write_projector
from grokkeras.logging.tensorboard import TensorBoardWriter


@pytest.fixture
def ask(tmp_path):
    """Answers of the tab's server to a route."""
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin

    board = tmp_path / "a run" / "tensorboard"
    writer = TensorBoardWriter(board)
    writer.evaluation({"step": 1, "train_loss": 1.0, "val_loss": 2.0})
    writer.close()

    def asked(route, **query):
        multiplexer = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
        multiplexer.Reload()
        provider = MultiplexerDataProvider(multiplexer, str(tmp_path))
        plugin = ProjectorPlugin(TBContext(data_provider=provider, logdir=str(tmp_path)))
        app = plugin.get_plugin_apps()[route]
        answer = Client(app).get(route, query_string=query)
        assert answer.status_code == 200, answer.data
        return answer.data

    asked.board = board
    return asked


def test_what_the_tab_reads(ask):
    table = np.array([[1.0, -0.25], [1 / 3, 1e-9]])
    tables = {"best": ("at its best", table), "last": ("at the end", 2 * table)}
    labels = {"token": ["0", "a\tb\n"], "degrees": [0, 90]}
    write_projector(ask.board, tables, labels)
    (run,) = json.loads(ask("/runs"))
    assert run.endswith("train")
    shown = json.loads(ask("/info", run=run))["embeddings"]
    assert [each["tensorName"] for each in shown] == ["at its best", "at the end"]
    assert shown[0]["tensorShape"] == [2, 2]
    for name, expected in (("at its best", table), ("at the end", 2 * table)):
        read = np.frombuffer(ask("/tensor", run=run, name=name), np.float32).reshape(2, 2)
        np.testing.assert_allclose(read, expected, rtol=1e-4)
    words = ask("/metadata", run=run, name="at its best").decode()
    assert words.splitlines() == ["token\tdegrees", "0\t0", "a b\t90"]


def test_a_single_column_has_no_title_and_old_tables_go(ask):
    for size in (3, 2):
        table = np.arange(2.0 * size).reshape(size, 2)
        write_projector(ask.board, {"last": ("the end", table)}, {"token": range(size)})
    run = json.loads(ask("/runs"))[0]
    assert ask("/metadata", run=run, name="the end") == b"0\n1\n"
    assert json.loads(ask("/info", run=run))["embeddings"][0]["tensorShape"] == [2, 2]
