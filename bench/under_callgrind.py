"""under_callgrind: servers whose instructions are counted."""
import glob
import os

from servers import Floor, Tidings, program


class Counted:
    """Mixed into a server: its program runs under callgrind, and leaves its counts in the files `counts`."""

    @classmethod
    def missing(cls):
        return None if program("valgrind") else "valgrind is not installed"

    def counts(self):
        """A file of each process."""
        return glob.glob(os.path.join(self.folder, "callgrind.out.*"))

    def run(self, *command, **options):
        return super().run("valgrind", "--quiet", "--tool=callgrind",
                           f"--callgrind-out-file={self.folder}/callgrind.out.%p", *command, **options)


class TidingsCounted(Counted, Tidings):
    """Ends by SIGTERM in good order, so that callgrind writes."""


class FloorCounted(Counted, Floor):
    """SIGTERM just ends it; callgrind writes all the same."""
