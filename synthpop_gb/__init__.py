"""Synthetic populations of Great Britain."""
