"""Inline completion: request → context → model → one good line or block."""
