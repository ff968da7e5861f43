"""What is known of each model, what people corrected, and which of them are drawn."""
