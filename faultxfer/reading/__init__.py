"""How files become tables of text cells: content, encoding, separator, rows, marks; one file for each step."""
