"""The example products under `examples/`."""
