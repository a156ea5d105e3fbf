"""What the readers are made of; no format of its own."""
