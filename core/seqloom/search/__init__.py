"""Searches for good outputs; they ask scorers and know nothing else of a model."""
