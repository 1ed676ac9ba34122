"""Models that another server already runs: llama-server, Ollama and OpenAI-compatible endpoints over HTTP."""
