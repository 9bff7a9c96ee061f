"""Other servers of the field: how their clients speak, and how they are run."""
