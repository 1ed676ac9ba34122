"""Command line: typer commands, one file a family; no logic of their own."""
