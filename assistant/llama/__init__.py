"""llama.cpp: the model host process, its client, contexts and prompt formats."""
