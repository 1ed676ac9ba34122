"""Model floor: prompts, completion, answers, model weights, command line. No editor protocol."""
