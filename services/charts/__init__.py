"""Pictures for people: boundaries, courses, designs, incidence."""
