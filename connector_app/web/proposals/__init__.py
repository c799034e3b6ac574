"""What buyers proposed: seen beside what the invoice says, approved or declined."""
