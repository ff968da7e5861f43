"""What a person looks at: sheets of samples and heads, and a summary in words."""
