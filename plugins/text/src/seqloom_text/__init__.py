"""Text as a modality."""
