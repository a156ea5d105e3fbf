"""Labels that come apart from the motion: tables of segments, and text files."""
