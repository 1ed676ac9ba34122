"""One script a figure. ``make bench`` runs them; README.md shows the figures and how to get them again."""
