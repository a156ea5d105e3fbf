"""Named settings, a TOML file each."""
