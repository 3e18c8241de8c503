"""Measurements of speed: `python -m benchmarks`, or `make bench`. See README.md."""
