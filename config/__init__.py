"""What an installation is: settings, and the units and bridges it has."""
