"""Collection (归集): licences that departments keep elsewhere come in by file or in batches, and are sealed here."""
