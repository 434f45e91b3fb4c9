"""From a picture, or an XML file, to a face crop that is ready for a network."""
