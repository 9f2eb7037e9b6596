"""The world, one folder per part of it. Adapters implement ports and do not know each other."""
