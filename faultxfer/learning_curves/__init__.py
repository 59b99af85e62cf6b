"""How transfer and training from scratch get better with labelled rows."""
