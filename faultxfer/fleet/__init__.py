"""Many machines from one command: each by the product's own list of steps, and by itself.

A machine's crash, refusal or bad file touches no other. What came of each is kept by the content of
its request and files, so that a command that was killed goes on where it stopped.
"""
