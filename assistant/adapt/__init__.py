"""Adapting small models: the static embedding that the package ships is distilled, then trained on pairs of code."""
