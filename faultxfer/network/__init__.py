"""The Keras network: build, freeze, fit, store. With ``strategies`` the only importer of keras and tensorflow."""
