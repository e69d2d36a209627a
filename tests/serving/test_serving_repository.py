"""Versions that come, go, and are not what they should be."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from served import NAME, copy_version, make_version, renew_manifest

from grokkeras.serving.card import OUTPUTS
from grokkeras.serving.errors import NotFoundError, UnsoundVersionError
from grokkeras.serving.repository import Repository, fingerprint
from grokkeras.serving.settings import Settings
from grokkeras.serving.tensorflow_rest import write_status
from grokkeras.serving.version import load_engine

ROW = np.array([[12, 95, 97]], np.int32)


def states(repository):
    found = write_status(NAME, repository.models.get(NAME), None)["model_version_status"]
    return {int(each["version"]): each["state"] for each in found}


async def settled(repository):
    """Refreshes, and waits for what drains."""
    await repository.refresh()
    while repository._drains:
        await asyncio.sleep(0.01)


def test_the_newest_versions_serve_and_older_ones_go(tmp_path):
    async def main():
        repository = Repository(Settings(tmp_path, keep_versions=2))
        assert not repository.ready
        await repository.refresh()
        with pytest.raises(NotFoundError, match=r"Latest\(quickstart\)"):
            repository.find(NAME)
        for number in (1, 2, 10):
            copy_version(tmp_path, number)
        await settled(repository)
        assert states(repository) == {2: "AVAILABLE", 10: "AVAILABLE"}
        assert repository.ready
        assert repository.find(NAME).number == 10  # as a number, not as text
        assert repository.find(NAME, "2").number == 2
        for number in ("1", "3", "02x", "-1", "9" * 30, "../1"):
            with pytest.raises(NotFoundError, match="Versions that are served: 2, 10"):
                repository.find(NAME, number)
        answers = await repository.find(NAME).batcher.run(ROW, OUTPUTS)
        assert answers["class"].tolist() == [10]
        copy_version(tmp_path, 11)
        await settled(repository)
        assert states(repository) == {2: "END", 10: "AVAILABLE", 11: "AVAILABLE"}
        shutil.rmtree(tmp_path / NAME)
        await settled(repository)
        assert not repository.ready

    asyncio.run(main())


def test_a_version_that_goes_finishes_what_it_has(tmp_path):
    copy_version(tmp_path, 1)

    async def main():
        repository = Repository(Settings(tmp_path, keep_versions=1))
        await repository.refresh()
        with repository.find(NAME).lease() as old:
            copy_version(tmp_path, 2)
            await repository.refresh()
            assert states(repository) == {1: "UNLOADING", 2: "AVAILABLE"}
            assert repository.find(NAME).number == 2
            await asyncio.sleep(0.12)
            assert states(repository)[1] == "UNLOADING"
            assert (await old.batcher.run(ROW, OUTPUTS))["class"].tolist() == [10]
        await settled(repository)
        assert states(repository) == {1: "END", 2: "AVAILABLE"}

    asyncio.run(main())


def damage_manifest(version):
    (version / "manifest.json").write_text("{")


def lose_manifest(version):
    (version / "manifest.json").unlink()


def change_a_byte(version):
    path = version / "assets.extra" / "model.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_a_file(version):
    path = version / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:1000])


def lose_the_card(version):
    (version / "assets.extra" / "grokkeras.json").unlink()
    renew_manifest(version)


def ruin_the_graph(version):
    (version / "assets.extra" / "model.onnx").write_bytes(b"no graph")
    renew_manifest(version)


def name_a_file_outside(version):
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["files"]["../../outside"] = {"sha256": "0" * 64, "bytes": 1}
    (version / "manifest.json").write_text(json.dumps(manifest))


def change_the_format(version):
    path = version / "assets.extra" / "grokkeras.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    renew_manifest(version)


def put_a_pipe(version):
    path = version / "assets.extra" / "model.onnx"
    path.unlink()
    os.mkfifo(path)


def leave_the_graph_out_of_the_manifest(version):
    manifest = json.loads((version / "manifest.json").read_text())
    del manifest["files"]["assets.extra/model.onnx"]
    (version / "manifest.json").write_text(json.dumps(manifest))


def nest_the_manifest(version):
    (version / "manifest.json").write_text("[" * 100_000)


DAMAGES = {
    put_a_pipe: "assets.extra/model.onnx is no file",
    leave_the_graph_out_of_the_manifest: "assets.extra/model.onnx is not among the files",
    nest_the_manifest: "loading it failed (RecursionError",
    damage_manifest: "manifest.json cannot be used",
    lose_manifest: "manifest.json is missing",
    change_a_byte: "assets.extra/model.onnx is not the file",
    cut_a_file: "variables.data-00000-of-00001 is not the file",
    lose_the_card: "grokkeras.json is missing",
    ruin_the_graph: "model.onnx cannot be loaded",
    name_a_file_outside: "names a file outside the version",
    change_the_format: "expected format 1, received 2",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_version_is_skipped_and_the_older_one_serves_on(tmp_path, damage, caplog):
    copy_version(tmp_path, 1)
    broken = copy_version(tmp_path, 2)
    damage(broken)

    async def main():
        repository = Repository(Settings(tmp_path, keep_versions=1))
        with caplog.at_level(logging.INFO, "grokkeras.serving"):
            for _ in range(3):  # said once, not at every look
                await settled(repository)
        assert states(repository) == {1: "AVAILABLE", 2: "END"}
        skipped = [each for each in caplog.records if each.getMessage() == "version_skipped"]
        assert len(skipped) == 1
        assert DAMAGES[damage] in skipped[0].reason
        # Mended, it serves.
        shutil.rmtree(broken)
        copy_version(tmp_path, 2)
        await settled(repository)
        assert states(repository) == {1: "END", 2: "AVAILABLE"}

    asyncio.run(main())


def test_a_folder_that_cannot_be_read_for_once_ends_nothing(tmp_path, monkeypatch, caplog):
    copy_version(tmp_path, 1)
    real = Path.iterdir

    def refuse(path):
        if path.name == NAME:
            raise PermissionError(13, "Permission denied")
        return real(path)

    async def main():
        repository = Repository(Settings(tmp_path))
        await settled(repository)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "iterdir", refuse)
            await settled(repository)
            assert states(repository) == {1: "AVAILABLE"}
        await settled(repository)
        assert states(repository) == {1: "AVAILABLE"}

    with caplog.at_level(logging.ERROR, "grokkeras.serving"):
        asyncio.run(main())
    assert [record.message for record in caplog.records] == ["model_unreadable"]


def test_a_version_is_looked_at_again_once_it_may_be_read(tmp_path):
    copy_version(tmp_path, 1)
    before = fingerprint(tmp_path / NAME / "1")
    (tmp_path / NAME / "1" / "saved_model.pb").chmod(0o600)
    assert fingerprint(tmp_path / NAME / "1") != before


def test_what_is_no_version_is_passed_over(tmp_path):
    copy_version(tmp_path, 1)
    for name in ("007", "notes", ".export-x", "1.5"):
        (tmp_path / NAME / name).mkdir()
    (tmp_path / NAME / "5").write_text("a file")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "empty").mkdir()

    async def main():
        repository = Repository(Settings(tmp_path))
        await settled(repository)
        assert states(repository) == {1: "AVAILABLE"}
        with pytest.raises(NotFoundError):
            repository.find("empty")
        with pytest.raises(NotFoundError):
            repository.find("../" + NAME)

    asyncio.run(main())


def test_one_model_alone_may_be_served(tmp_path):
    copy_version(tmp_path, 1)
    copy_version(tmp_path, 1, name="other")

    async def main():
        repository = Repository(Settings(tmp_path, model_name="other"))
        await repository.refresh()
        assert list(repository.models) == ["other"]

    asyncio.run(main())


def test_a_graph_with_other_outputs_than_the_card_says_is_unsound(tmp_path):
    version = make_version(tmp_path / "1", np.eye(5, 4))
    path = version / "assets.extra" / "grokkeras.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_classes": 3}))
    renew_manifest(version)
    with pytest.raises(UnsoundVersionError, match=r"logits has shape \(1, 4\), expected \(1, 3\)"):
        load_engine(version, "onnx")
