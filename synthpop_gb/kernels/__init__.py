"""Compiled loops on arrays: numpy, numba and each other, nothing else. Each has a slow twin of the same name in tests/reference."""
