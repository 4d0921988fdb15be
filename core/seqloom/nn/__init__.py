"""The sequence parts: interfaces in ``encoder``, ``attention``, ``decoder``; ours beside them.

Nothing here sees a configuration or a name: parts take plain values and other parts.
"""
