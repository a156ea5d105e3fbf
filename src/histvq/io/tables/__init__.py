"""How tables of one's own are understood: columns, cells, times."""
