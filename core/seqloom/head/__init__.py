"""What turns a memory into a loss and into predictions."""

from seqloom.head.base import Head
from seqloom.head.ctc import CtcHead
from seqloom.head.sequence import SequenceHead

__all__ = ["CtcHead", "Head", "SequenceHead"]
