"""The tamper-evident log (防篡改日志): audit rows ordered into a Merkle tree, signed, served and verified.

`sequencer` orders committed rows, `tree` is how the tree lies in the database, `verify` recomputes everything, `proof`
shows one entry to a stranger. The log is public and reveals nothing: an entry is a salted commitment.
"""
