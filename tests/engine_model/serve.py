"""Serve the tiny model over the OpenAI protocol on loopback: `python serve.py MODEL.gguf PORT`; ends with SIGTERM."""

from __future__ import annotations

import signal
import sys

import xllamacpp


def main() -> None:
    """Serve until told to stop."""
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[2])
    params.n_ctx, params.n_parallel = 8192, 4
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.endpoint_metrics = params.use_jinja = True
    server = xllamacpp.Server(params)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    del server


if __name__ == "__main__":
    main()
