"""What a sound's file claims, checked before it is decoded."""
