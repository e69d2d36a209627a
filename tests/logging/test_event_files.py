"""Reading event files: which there are, and where a damaged one ends."""

from grokkeras.logging.event_files import event_files, read_events
from grokkeras.logging.tensorboard import TensorBoardWriter

RECORD = {"train_loss": 0.5, "train_accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.25}


def written(folder):
    writer = TensorBoardWriter(folder)
    for step in (1, 2, 3):
        writer.evaluation({"step": step, "seconds": 0.0, **RECORD})
    writer.close()
    return folder


def steps(path):
    return [event.step for event in read_events(path) if event.HasField("summary")]


def test_files_of_one_folder_or_of_all_beneath(tmp_path):
    board = written(tmp_path)
    assert event_files(board) == []
    assert [path.parent.name for path in event_files(board, below=True)] == ["train", "validation"]
    assert event_files(board / "train") == list((board / "train").iterdir())
    assert event_files(board / "nowhere") == []


def test_a_torn_or_altered_record_is_the_end(tmp_path):
    (path,) = event_files(written(tmp_path) / "train")
    whole = path.read_bytes()
    assert steps(path) == [1, 2, 3]
    path.write_bytes(whole[:-1])
    assert steps(path) == [1, 2]
    path.write_bytes(whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:])
    assert steps(path) == [1, 2]
    path.write_bytes(b"")
    assert steps(path) == []
