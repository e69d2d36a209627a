# The server with the models of saved_models/ in it, and no Keras, TensorFlow, JAX or PyTorch:
#
#   docker build -t grokkeras . && docker run -p 8501:8501 grokkeras
#
# --target tensorflow serves the SavedModels themselves, with TensorFlow in the image.
# Any base with Python 3.11, its venv module and pip will do: --build-arg BASE_IMAGE=...
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
# Dependencies first: they change less often than the source. Every file is held to its hash.
COPY deploy/requirements.txt deploy/requirements-build.txt deploy/
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip --python /opt/venv install --no-cache-dir --require-hashes --no-deps \
      -r deploy/requirements.txt
RUN python3 -m venv /opt/build \
 && /opt/build/bin/python -m pip install --no-cache-dir --require-hashes --no-deps \
      -r deploy/requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY grokkeras grokkeras
COPY configs configs
COPY benchmarks benchmarks
# The package without its dependencies: serving needs neither Keras nor a backend.
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && python3 -m pip --python /opt/venv install --no-cache-dir --no-deps /wheels/*.whl

FROM build AS build-tensorflow
COPY deploy/requirements-tensorflow.txt deploy/
RUN python3 -m pip --python /opt/venv install --no-cache-dir --require-hashes --no-deps \
      -r deploy/requirements-tensorflow.txt

FROM ${BASE_IMAGE} AS base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="grokkeras" \
      org.opencontainers.image.description="Serves models that grokked, over REST." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV MODEL_BASE_PATH=/models \
    HOST=0.0.0.0 \
    PORT=8501 \
    PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    # Fewer arenas hold less memory that nobody uses.
    MALLOC_ARENA_MAX=2
COPY saved_models /models
USER 10001:10001
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/v2/health/ready', timeout=2)"]
ENTRYPOINT ["grokkeras", "serve"]

FROM base AS tensorflow
# TensorFlow asks for a temporary folder as it is imported; this one is there with a read-only root.
ENV ENGINE=tensorflow \
    TMPDIR=/dev/shm
COPY --from=build-tensorflow /opt/venv /opt/venv

# The last stage is what a build without --target makes.
FROM base AS server
COPY --from=build /opt/venv /opt/venv
