"""What turns spectra into vectors."""
