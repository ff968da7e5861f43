"""What a character shall be: numbers and names drawn by chance, no geometry yet."""
