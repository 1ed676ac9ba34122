"""Adapting small models: distilling the static embedding that the package ships."""
