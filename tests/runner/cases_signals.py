"""Runs that are stopped by signals, and what `resume` makes of them: a part of `cases_stops.py`."""

from __future__ import annotations

import functools
import signal

from compare_runs import differences
from small import Listens, refused, sends, small_config, steps_with_checkpoint, summary_of

from grokkeras.logging import QuietDisplay
from grokkeras.runner import Interrupted, resume, run
from grokkeras.runner.interrupts import Interrupts

CONFIG = functools.partial(small_config, "torch")


def stopped(out, display, kind=Interrupted, **settings):
    """The message with which a run ends that does not come to its end."""
    return refused(lambda: run(CONFIG(**settings), out=out, display=display), kind)


def one_signal(number, out):
    before = signal.getsignal(number)
    message = stopped(out, sends(33, number))
    assert signal.getsignal(number) is before
    (step,) = set(steps_with_checkpoint(out)) - {20}
    assert 33 <= step < 40
    assert message == (
        f"Interrupted at step {step}; a checkpoint was written. Go on with: grokkeras resume {out}"
    )
    assert Interrupted.exit_code == 130
    summary = summary_of(out)
    assert summary["status"] == "interrupted"
    assert summary["steps"] == step
    assert "error" not in summary

    whole = out.with_name("whole")
    run(CONFIG(), out=whole)
    listener = Listens()
    assert resume(out, display=listener).status == "finished"
    assert listener.first_step == step
    assert listener.past[-1] <= step
    assert f"Going on from the checkpoint of step {step}." in listener.notices
    assert differences(whole, out) == []


def several_signals(count, out):
    message = stopped(out, sends(33, *[signal.SIGINT] * count))
    assert "Stopped at once, at step 3" in message, message
    assert f"To go on from the checkpoint of step 20: grokkeras resume {out}" in message
    assert steps_with_checkpoint(out) == [20]
    assert summary_of(out)["status"] == "interrupted"
    assert not list(out.glob("**/.tmp-*"))
    assert resume(out).steps == 60


def signal_while_starting(number, out):
    class Sends(QuietDisplay):
        def start(self, *arguments):
            signal.raise_signal(number)

    message = stopped(out, Sends())
    expected = "Stopped before the first step. To go on from the start: grokkeras resume "
    assert message == f"{expected}{out}"
    assert summary_of(out)["status"] == "interrupted"
    listener = Listens()
    assert resume(out, display=listener).steps == 60
    assert "There is no sound checkpoint: beginning at step 0." in listener.notices


def signal_swallowed_by_an_import(out):
    """An `except:` in somebody's module must not make the run deaf to Ctrl-C."""

    class Swallows(QuietDisplay):
        def start(self, *arguments):
            try:
                signal.raise_signal(signal.SIGINT)
            except BaseException:
                return
            raise AssertionError("nothing was raised")

    assert "a checkpoint was written" in stopped(out, Swallows())


def signal_turned_into_another_error(out):
    class Turns(QuietDisplay):
        def start(self, *arguments):
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise ImportError("cannot import name") from None

    assert "Stopped before the first step" in stopped(out, Turns())


def signals_before_patience(out):
    with Interrupts() as interrupts:
        for raised in (True, False, False):
            try:
                signal.raise_signal(signal.SIGTERM)
            except KeyboardInterrupt:
                assert raised
            else:
                assert not raised
        assert interrupts.wished


CASES = {
    "SIGINT": functools.partial(one_signal, signal.SIGINT),
    "SIGTERM": functools.partial(one_signal, signal.SIGTERM),
    "two signals": functools.partial(several_signals, 2),
    "four signals": functools.partial(several_signals, 4),
    "SIGINT while starting": functools.partial(signal_while_starting, signal.SIGINT),
    "SIGTERM while starting": functools.partial(signal_while_starting, signal.SIGTERM),
    "signal swallowed by an import": signal_swallowed_by_an_import,
    "signal turned into another error": signal_turned_into_another_error,
    "signals before patience": signals_before_patience,
}
