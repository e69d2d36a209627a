"""What explains a run, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One thing that explains a run.

    Attributes:
        name: in a few words.
        evidence: what in the run says so, with its numbers.
        advice: what to change, with the setting's name; empty where nothing need be.
        source: where this is known from.
    """

    name: str
    evidence: str
    advice: str = ""
    source: str = ""
