"""faultxfer: move a fault detector to equipment with hardly any labelled history."""
