"""The command line: one thin click command a file, imported when it is used.

A user's mistake is one message on the standard error and exit code 2, work that failed exit code
1, an interruption 130. An exception of any other kind is a bug of ours and keeps its traceback.
"""

from grokkeras.cli.program import main, program

__all__ = ["main", "program"]
