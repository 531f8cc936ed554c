"""HVM guests: their device model, its disks and cards, and the timer that Xen emulates."""
