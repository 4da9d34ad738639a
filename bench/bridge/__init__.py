"""What the bridge costs, beside raw pass-through and what a person would write by hand."""
