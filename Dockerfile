# An image that scans, draws and trains on CPUs, with Mesa's software OpenGL. Not built where it was
# written.
#
#   docker build -t opentha .
#   docker run -v /models:/models:ro -v $PWD/out:/out opentha dataset scan /models -o /out/catalog.jsonl
#
# For GPUs take an image of NVIDIA's with Python 3.11 or later and EGL instead, and set
# NVIDIA_DRIVER_CAPABILITIES=all.
FROM python:3.12-slim-bookworm

# Debian takes versions away as they are mended, so none are named.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libarchive13 libegl1 libgl1 libgl1-mesa-dri \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/opentha
COPY pyproject.toml README.md LICENSE ./
COPY contract contract
COPY web web
COPY renderer renderer
COPY characters characters
COPY dataset dataset
COPY models models
COPY train train
COPY animate animate
# The versions stand in pyproject.toml.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu 'torch>=2.9,<3' \
    && pip install --no-cache-dir '.[train,animate,cluster]'

# Models are strangers' files.
RUN useradd --create-home --uid 10001 opentha
USER 10001
WORKDIR /home/opentha
CMD ["dataset", "--help"]
