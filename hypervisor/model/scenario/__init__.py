"""What is to be simulated: scenario files, checked."""
