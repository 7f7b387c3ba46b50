"""What PD moves and repairs, what blocks it, and when it ends. Judgements over values, and one round of reading."""
