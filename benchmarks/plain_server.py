"""A server as one writes it first: FastAPI, a pydantic body, one inference a request.

    python -m benchmarks.plain_server VERSION_DIR PORT

`bench serving` measures ours beside it. It loads the same ONNX graph, with the same threads.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Request(BaseModel):
    instances: list[list[int]]
    signature_name: str = "serving_default"


def make_app(version: Path) -> FastAPI:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        version / "assets.extra" / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    app = FastAPI()

    # No `async`: an inference would block the event loop, so FastAPI gives it a thread.
    @app.post("/predict")
    def predict(request: Request) -> dict:
        tokens = np.array(request.instances, dtype=np.int32)
        if request.signature_name == "class":
            return {"predictions": session.run(["class"], {"tokens": tokens})[0].tolist()}
        logits, best, probability = session.run(
            ["logits", "class", "probability"], {"tokens": tokens}
        )
        return {
            "predictions": [
                {"logits": row, "class": number, "probability": share}
                for row, number, share in zip(
                    logits.tolist(), best.tolist(), probability.tolist(), strict=True
                )
            ]
        }

    @app.get("/health")
    def health() -> dict:
        return {"live": True}

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="warning")
