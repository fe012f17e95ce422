"""Compiled loops on arrays: numpy, numba and each other, nothing else. Slow twins of the same names: tests/reference."""
