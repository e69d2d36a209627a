"""What a run takes over from an earlier one before its first step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from grokkeras.config.base import Section

Text = Annotated[str, Field(min_length=1)]


class TransferOptions(Section):
    """Initial weights from an earlier run, such as a smaller one (GrokTransfer, arXiv 2504.13292).

    Attributes:
        run: the earlier run's folder, finished, or a `.keras` file.
        what: `all` weights, the `embedding`, or a list of names of weights, in which `*` stands
            for anything: `[table/*, block_0/*]`. Default all.
        method: `exact` takes weights of the same shape only; `overlap` copies the block that both
            shapes have; `projection` brings an embedding to another width. Default exact.
    """

    run: Text
    what: Annotated[
        Literal["all", "embedding"] | Annotated[list[Text], Field(min_length=1)],
        Field(description="all, embedding, or a list of names of weights such as [block_0/*]"),
    ] = "all"
    method: Literal["exact", "overlap", "projection"] = "exact"
