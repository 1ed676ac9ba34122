"""Model weights: the catalogue, where files live, how they are fetched and checked."""
