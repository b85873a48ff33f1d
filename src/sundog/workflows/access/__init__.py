"""Signing in, and what a token stands for."""
