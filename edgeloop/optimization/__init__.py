"""Making a model smaller without making it worse: recipes, their judgement, and what is tried when one fails.

Schemes (`edgeloop.quantization`) make files by a recipe; what is here decides which recipes are tried and which file is
good enough.
"""

ANY_SIZE = 10
"""As the most that a file may be of its float file: its size is not judged."""
