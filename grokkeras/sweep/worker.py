"""A process that does one run of a sweep: `python -m grokkeras.sweep.worker FOLDER CORE`.

The configuration comes as YAML on the standard input, up to a line that is only `---end`. The
input stays open as long as the pool lives: when it closes, however the pool ended, the run is
stopped with a checkpoint, so that no run goes on unseen.

Exit codes are the program's: 0 done, 1 failed, 2 refused, 130 stopped with a checkpoint. What
went wrong is told on the standard error.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from grokkeras.sweep.one_core import stay_on

END = "---end"
_PATIENCE_SECONDS = 60.0


def main(arguments: list[str]) -> int:
    """Does the run; returns the exit code."""
    folder, core = Path(arguments[0]), int(arguments[1])
    stay_on(core)
    text = _read_config(sys.stdin)
    _stop_with_the_pool(sys.stdin)
    # Only now, on one core, anything that may start threads.
    from grokkeras.errors import GrokkerasError

    try:
        _do(folder, text)
    except GrokkerasError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _do(folder: Path, text: str) -> None:
    from grokkeras.config import load_config
    from grokkeras.config.yaml_core import parse_yaml
    from grokkeras.runner import resume, run

    _wait_for_lock(folder)
    if (folder / "config.yaml").is_file():
        resume(folder)
        return
    # A kill between the first two files of a run leaves a summary alone, which says nothing.
    (folder / "summary.json").unlink(missing_ok=True)
    data, _ = parse_yaml(text, "the configuration")
    run(load_config(data), out=folder)


def _wait_for_lock(folder: Path) -> None:
    """A run whose pool was killed may still be writing its last checkpoint."""
    from grokkeras.errors import UserError
    from grokkeras.run_folder.lock import FolderLock

    if not folder.is_dir():
        return
    lock = FolderLock(folder)
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            lock.acquire()
        except UserError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            lock.release()
            return


def _read_config(stream: TextIO) -> str:
    lines: list[str] = []
    for line in stream:
        if line.rstrip("\n") == END:
            return "".join(lines)
        lines.append(line)
    raise SystemExit("The pool ended before it had told what to run.")


def _stop_with_the_pool(stream: TextIO) -> None:
    def watch() -> None:
        # `read` of the descriptor, since a lock of the stream would hold up the exit.
        while os.read(descriptor, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    descriptor = stream.fileno()
    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
