"""What reaches into Keras beyond its documented interface: one file a trick, each with its reason.

Everything else in the package goes by what Keras documents. A test under `tests/` fails for each
file here when Keras changes what it counts on.
"""

from __future__ import annotations
