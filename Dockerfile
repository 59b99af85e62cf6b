# One image for the servers and the worker of compose.yaml.
FROM python:3.12-slim

# LightGBM's threads.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir uv

WORKDIR /app
COPY . .
RUN uv sync --locked --no-dev --no-cache --extra postgresql --extra authentication --compile-bytecode
ENV PATH=/app/.venv/bin:$PATH

# A new volume takes its owner from the folder that it is mounted on.
RUN useradd --create-home plant && mkdir /artifacts && chown plant /app /artifacts
USER plant
