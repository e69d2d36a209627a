"""Serves exported models over HTTP, in two standard protocols from one core.

    grokkeras serve saved_models

Nothing here imports the rest of the package, nor Keras, JAX or PyTorch; TensorFlow only with
`--engine tensorflow`. What a request goes through:

    front.py, app.py    the routes; answering.py    what every inference goes through
    body.py         reads it, within limits of size and time
    tensorflow_rest.py, open_inference.py, solve.py    a protocol's JSON to rows, and back
    rows.py         checks every value before it can meet other requests' rows
    batcher.py      joins the rows of concurrent requests to one inference
    engines/        ONNX Runtime, or the SavedModel itself
    repository.py   which versions there are; watches the folder, loads, drains
"""

from grokkeras.serving.settings import Settings

__all__ = ["Settings"]
