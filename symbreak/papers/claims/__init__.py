"""Claims of the papers and the rules that give verdicts on them."""
