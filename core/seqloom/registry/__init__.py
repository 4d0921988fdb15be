"""Which runs were there, and which models did they leave?"""
