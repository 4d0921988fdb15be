"""Train, run and keep track of sequence-to-sequence models of any modality."""

__version__ = "0.1.0"
