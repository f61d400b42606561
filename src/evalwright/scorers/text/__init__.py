"""What scorers know about text: words, sentences, numbers, normal forms. Pure functions, no scorer."""
