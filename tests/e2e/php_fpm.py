"""php_fpm: PHP as most sites have it today: php-fpm on a unix socket, with as many processes as a test says."""
import glob
import os

from support import missing, wait_until


def php_fpm():
    """Debian puts the version into the program's name."""
    found = sorted(glob.glob("/usr/sbin/php-fpm[0-9]*"))
    return found[-1] if found else missing("php-fpm is not installed")


class PhpFpm:
    """lines: further lines of its pool, as `php_value[session.save_path] = /x`. ini: with the machine's php.ini and its
    extensions, opcache among them. path: where to connect to."""

    def __init__(self, folder, run, processes, children=2, lines=(), ini=False):
        self.processes, self.options = processes, [] if ini else ["-n"]
        self.path, self.log_path, self.settings = os.path.join(run, "php.sock"), f"{folder}/fpm.log", f"{folder}/fpm.conf"
        user = ("user = www-data", "group = www-data", "listen.owner = www-data", "listen.group = www-data")
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write("\n".join(("[global]", "daemonize = no", f"error_log = {self.log_path}", "[www]",
                                  *(user if os.geteuid() == 0 else ()), f"listen = {self.path}", "listen.backlog = 511",
                                  "pm = static", f"pm.max_children = {children}", *lines, "")))

    def start(self):
        self.process = self.processes.start(php_fpm(), "-F", *self.options, "-y", self.settings)
        wait_until(self.listens, what="php-fpm listens")
        return self

    def listens(self):
        assert self.process.poll() is None, self.log()
        return os.path.exists(self.path) and "ready to handle connections" in self.log()

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def stop(self):
        self.processes.stop(self.process)
