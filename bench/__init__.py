"""Benchmarks: toolstream beside its peers, in one process, in one run. See README.md."""
