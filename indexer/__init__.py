"""Ground floor: bytes → symbols → chunks → vectors → search. No language model, no editor protocol."""
