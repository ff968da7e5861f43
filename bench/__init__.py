"""Benchmarks and long checks, each file a command of its own."""
