"""Reading what others made: in a process of its own, within the memory and the time that its size allows."""
