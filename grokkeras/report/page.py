"""The report as one HTML file: nothing in it is loaded from elsewhere, and nothing in it runs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from grokkeras import __version__
from grokkeras.report.drawing import DARK, LIGHT
from grokkeras.report.many import many_runs
from grokkeras.report.parts import name_of
from grokkeras.report.single import single_run
from grokkeras.run_folder import RunRecord

_STYLE = """
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.55 system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; }
main { max-width: 820px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 34px 0 6px; }
h3 { font-size: 15px; margin: 18px 0 2px; }
p { margin: 6px 0; }
.lead { font-size: 18px; }
.dim, figcaption { color: var(--dim); }
figure { margin: 14px 0; }
figure svg { max-width: 100%; height: auto; }
.small { display: flex; flex-wrap: wrap; gap: 0 12px; }
.small figure { margin: 8px 0; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 12px 3px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--grid); }
.n { text-align: right; }
.n, .name { white-space: nowrap; }
code, pre { font: 13px/1.5 ui-monospace, 'DejaVu Sans Mono', monospace; }
pre { background: var(--memorizing); padding: 10px 12px; overflow-x: auto; border-radius: 4px; }
.cause { border-left: 3px solid var(--run-1); padding: 2px 0 2px 12px; margin: 12px 0; }
i.chip { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
.scroll { overflow-x: auto; }
details { margin: 10px 0; }
summary { cursor: pointer; }
"""


def report_page(records: Sequence[RunRecord]) -> str:
    """The report of one run, or of several side by side.

    Args:
        records: the runs, one or more.
    """
    one = records[0] if len(records) == 1 else None
    title = name_of(records[0]) if one else f"{len(records)} runs"
    body = list(single_run(one) if one else many_runs(records))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        # Nothing may be loaded and nothing run, whatever a run's name or settings hold.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}: grokkeras report</title><style>{_colors()}{_STYLE}</style></head>"
        f"<body><main>{''.join(body)}"
        f'<p class="dim">Made by grokkeras {__version__}.</p></main></body></html>\n'
    )


def _colors() -> str:
    def variables(palette: dict[str, str]) -> str:
        return ":root{" + "".join(f"--{name}:{value};" for name, value in palette.items()) + "}"

    return (
        f"{variables(LIGHT)}:root{{color-scheme:light dark}}"
        f"@media(prefers-color-scheme:dark){{{variables(DARK)}}}"
    )
