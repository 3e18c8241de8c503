"""The counter of the no-certificate city (无证明城市窗口): matters, proofs, look-ups."""
