"""Pictures drawn from plain numbers, wherever those come from: curves, tables, grids."""
