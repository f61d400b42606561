"""Likeness to reference answers: edit distance, token F1, BLEU, chrF, ROUGE."""
