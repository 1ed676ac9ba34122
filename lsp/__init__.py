"""The protocol floor: a language server for any editor. No ranking, no prompts."""
