"""Model registries, one file each."""
