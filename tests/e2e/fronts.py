"""fronts: the real web servers, each with the files of conf/ as they are: only the paths are replaced."""
import grp
import os

from http_raw import fetch
from support import TOP, free_port, need, wait_until

MODULES = "/usr/lib/apache2/modules"


class Place:
    """Where one test's servers live, and what stands for the paths of conf/. Everything is readable for the user that a
    server started by root changes to."""

    def __init__(self, folder, publish_program):
        self.folder = folder
        self.run = os.path.join(folder, "run")
        self.settings = os.path.join(folder, "tidings.conf")
        self.publish_program = publish_program
        os.mkdir(self.run)
        os.mkdir(os.path.join(folder, "www"))
        for path in (folder, self.run):
            os.chmod(path, 0o777 if path == self.run else 0o755)
        self.streamer_socket = os.path.join(self.run, "streamer.sock")
        self.publish_socket = os.path.join(self.run, "publish.sock")

    def write_settings(self, **settings):
        with open(self.settings, "w", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def conf(self, name):
        """A file of conf/ with the paths of this test."""
        with open(os.path.join(TOP, "conf", name), encoding="utf-8") as file:
            text = file.read()
        for theirs, ours in (("/run/tidings", self.run), ("/etc/tidings/tidings.conf", self.settings),
                             ("/usr/bin/tidings-publish", self.publish_program),
                             ("/usr/share/tidings/", os.path.join(TOP, "conf/"))):
            text = text.replace(theirs, ours)
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def open_to_the_web_server(self, path):
        """As an administrator does with the web server's group."""
        if os.geteuid() == 0:
            os.chown(path, -1, grp.getgrnam("www-data").gr_gid)


class Front:
    """A running web server; address is where to connect to."""

    program = None
    app_port = None  # of an application of the test's, which gets what begins with /app
    more = ""        # lines of configuration that a test adds: nginx's into the server block, Apache's and lighttpd's at the end

    def __init__(self, place, processes):
        need(self.program)
        self.place, self.processes = place, processes
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.log = os.path.join(place.folder, self.program + ".log")

    def launch(self, *command, **options):
        with open(self.log, "ab") as log:
            self.process = self.processes.start(*command, stdout=log, stderr=log, **options)
        wait_until(self.answers, what=self.program)
        return self

    def answers(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                raise AssertionError(f"{self.program} ended: {file.read()}")
        try:
            return fetch(self.address, "/health").status > 0
        except OSError:
            return False


class Nginx(Front):
    program = "nginx"
    connections = 2048

    def start(self):
        folder = self.place.folder
        self.place.conf("nginx-http.conf")
        self.place.conf("nginx.conf")
        os.symlink("/etc/nginx/fastcgi_params", os.path.join(folder, "fastcgi_params"))
        user = "user www-data;" if os.geteuid() == 0 else ""
        temp = "".join(f"{kind}_temp_path {folder}/ng-{kind};\n" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return self.launch("nginx", "-p", folder, "-c", self.place.write("nginx-main.conf", f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {self.log} warn; {user}
events {{ worker_connections {self.connections}; }}
http {{
    access_log off;
    {temp}
    include {folder}/nginx-http.conf;
    server {{
        listen 127.0.0.1:{self.port};
        root {folder}/www;
        include {folder}/nginx.conf;
        {f"location /app {{ proxy_pass http://127.0.0.1:{self.app_port}; }}" if self.app_port else ""}
        {self.more}
    }}
}}
"""), "-e", self.log)


class Lighttpd(Front):
    program = "lighttpd"

    def start(self):
        folder = self.place.folder
        self.place.conf("lighttpd.conf")
        return self.launch("lighttpd", "-D", "-f", self.place.write("lighttpd-main.conf", f"""
server.bind = "127.0.0.1"
server.port = {self.port}
server.document-root = "{folder}/www"
server.errorlog = "{self.log}"
server.max-fds = 4096
mimetype.assign = ( ".html" => "text/html; charset=utf-8" )
include "{folder}/lighttpd.conf"
{self.app_lines() if self.app_port else ""}
{self.more}
"""))

    def app_lines(self):
        return f'''$HTTP["url"] =~ "^/app" {{
    proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => {self.app_port} )) ) }}'''


class Apache(Front):
    """publish: which of the three ways, "fcgid", "proxy-fcgi" or "cgid"."""

    program = "apache2"

    def start(self, publish="fcgid"):
        folder = self.place.folder
        events = self.place.conf("apache-events.conf")
        publishing = self.place.conf(f"apache-{publish}.conf")
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        loaded = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in
                         ("mpm_event", "authz_core", "alias", "env", "proxy", "proxy_http", "proxy_fcgi", "fcgid", "cgid"))
        return self.launch("apache2", "-DFOREGROUND", "-f", self.place.write("apache.conf", f"""
ServerRoot "{folder}"
ServerName localhost
Listen 127.0.0.1:{self.port}
PidFile {folder}/apache.pid
ErrorLog {self.log}
LogLevel warn
Mutex file:{self.place.run} default
{loaded}
{user}
DocumentRoot "{folder}/www"
ScriptSock {self.place.run}/cgid.sock
FcgidIPCDir {self.place.run}
FcgidProcessTableFile {self.place.run}/fcgid_shm
<Directory />
    Require all granted
</Directory>
Include {events}
Include {publishing}
{f'ProxyPass "/app" "http://127.0.0.1:{self.app_port}/app"' if self.app_port else ""}
{self.more}
"""))


class Haproxy(Front):
    program = "haproxy"
    app_port = 8080

    def start(self):
        path = self.place.conf("haproxy.cfg")
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("bind :80\n", f"bind 127.0.0.1:{self.port}\n")
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{self.app_port}")
        if os.geteuid() != 0:  # who is not root can't become somebody else
            text = text.replace("\tuser haproxy\n", "").replace("\tgroup www-data ", "\t#")
        return self.launch("haproxy", "-db", "-f", self.place.write("haproxy.cfg", text))


FRONTS = {"nginx": Nginx, "lighttpd": Lighttpd, "apache": Apache, "haproxy": Haproxy}
