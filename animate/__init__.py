"""What a user of trained networks needs: one drawing comes alive."""
