"""A page to look at runs and models with: ``seqloom ui``. It reads; nothing can be changed through it."""
