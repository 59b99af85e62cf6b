"""The watch folder: each file that arrives is scored with its machine's version, once.

Files stay where they are. What was done with each is kept by the digest of its content, so that a
copy, a restart or a killed process does nothing twice and loses nothing.
"""
