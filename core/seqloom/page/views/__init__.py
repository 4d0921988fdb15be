"""What is shown at which address: a file a noun."""
