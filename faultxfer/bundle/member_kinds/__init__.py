"""Kinds of members of a stack: in one file each, how it scores and how it is put into a graph."""
