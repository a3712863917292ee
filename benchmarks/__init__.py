"""Speeds that are promised, each as a ratio to a floor of the same run: ``python -m benchmarks.spine``."""
