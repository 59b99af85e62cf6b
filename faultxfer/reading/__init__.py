"""How files become tables of text cells: content, separator, rows, decimal marks, times."""
