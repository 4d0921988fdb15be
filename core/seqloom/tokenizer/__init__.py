"""Text to ids and back: what a tokenizer is, and those of the core."""

from seqloom.tokenizer.base import BOS, EOS, PAD, SPECIALS, UNK, NormalForm, Tokenizer
from seqloom.tokenizer.files import read_tokenizer_file, save_tokenizer
from seqloom.tokenizer.subwords import BpeTokenizer, ByteTokenizer, UnigramTokenizer
from seqloom.tokenizer.words import UNKNOWN_TEXT, CharTokenizer, WordTokenizer

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "SPECIALS",
    "UNK",
    "UNKNOWN_TEXT",
    "BpeTokenizer",
    "ByteTokenizer",
    "CharTokenizer",
    "NormalForm",
    "Tokenizer",
    "UnigramTokenizer",
    "WordTokenizer",
    "read_tokenizer_file",
    "save_tokenizer",
]
