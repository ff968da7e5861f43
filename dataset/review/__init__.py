"""The local page on which a catalogue is looked at and corrected."""
