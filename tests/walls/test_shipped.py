"""What is shipped beside the programs says what it must, line by line: web servers, units, roles, hardening, modes."""
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
import shipped
from test_conf import APART, production

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
WORKERS, SERVICES = (re.search(r"^%s\s*=(.*)" % name, (ROOT / "Makefile").read_text(), re.M)[1].split()
                     for name in ("WORKERS", "SERVICES"))

# Every directive, by its context. What is not listed is not in the file: a default of the server's holds.
NGINX = r"""
main: user www-data
main: pid /run/nginx.pid
main: error_log /var/log/nginx/error.log warn
main: worker_processes auto
main: worker_rlimit_nofile 20000
events: worker_connections 8192
http: log_format private escape=json '{"time":"$time_iso8601","remote":"$remote_addr","method":"$request_method",' \
'"path":"$path_asked","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,"agent":"$http_user_agent"}'
http: access_log /var/log/nginx/tollgate.log private
http: client_body_temp_path /var/lib/nginx/body
http: server_tokens off
http: keepalive_timeout 30s
http: client_header_timeout 10s
http: client_body_timeout 15s
http: send_timeout 15s
http: limit_req_zone $form_client zone=forms:10m rate=2r/s
http: limit_req_status 429
http: limit_req_log_level info
http: limit_conn_zone $form_client zone=bodies:10m
http: limit_conn_zone $form_client zone=streams:10m
http: limit_conn_status 429
http: limit_conn_log_level info
http map $binary_remote_addr $client: default $binary_remote_addr
http map $binary_remote_addr $client: "~(?s)^\x00{10}\xff\xff.{4}$" $binary_remote_addr
http map $binary_remote_addr $client: "~(?s)^(?<network>.{8}).{8}$" $network
http map $request_method $form_client: POST $client
http map $uri $worker: default account
http map $uri $worker: ~^(/[a-z][a-z])?/signin/((with|callback)/[a-z]+|connect)$ authn
http map $uri $worker: ~^(/[a-z][a-z])?/settings/connections$ authn
http map $uri $worker: ~^(/[a-z][a-z])?/(signin/passkey(/[a-z]+)?|settings/passkeys)$ authn
http map $uri $worker: ~^(/[a-z][a-z])?/((signin|register|reset)(/[a-z]+)?|signout)$ signin
http map $uri $worker: ~^(/[a-z][a-z])?/settings/(password|two-factor)$ signin
http map $uri $worker: ~^(/[a-z][a-z])?/settings/email(/[a-z]+)?$ signin
http map $uri $worker: ~^(/[a-z][a-z])?/(signup(/[a-z]+)?|welcome)$ signup
http map $uri $worker: ~^(/[a-z][a-z])?/settings/billing(/[a-z]+)?$ billing
http map $uri $worker: ~^(/[a-z][a-z])?/admin(/[a-z]+(/[0-9A-Za-z-]+)?)?$ admin
http map $uri $worker: /api/billing/plan billing
http map $uri $worker: /api/billing/session billing
http map $uri $worker: ~^/(api/)?webhooks/stripe$ webhooks
http map $uri $worker: /api/billing/sync webhooks
http map $uri $worker: /api/og og
http map $uri $worker: ~^/api/(usage(/[a-z]+)?|cron/[a-z]+)$ usage
http map $uri $worker: ~^(/[a-z][a-z])?/chat(/[0-9A-Za-z_-]+)?$ chat
http map $uri $worker: ~^/api/chat(/[0-9A-Za-z_-]+(/[a-z]+)?)?$ chat
http: fastcgi_cache_path /var/lib/nginx/tollgate keys_zone=images:1m max_size=100m inactive=7d use_temp_path=off
server location = /api/og: fastcgi_cache images
server location = /api/og: fastcgi_cache_key $request_method$request_uri
server location = /api/og: fastcgi_cache_lock on
server location = /api/og: fastcgi_pass unix:/run/tollgate/$worker.sock
server location ~ ^/api/(usage(/[a-z]+)?|cron/[a-z]+)$: limit_conn bodies 100
server location ~ ^/api/(usage(/[a-z]+)?|cron/[a-z]+)$: fastcgi_pass unix:/run/tollgate/$worker.sock
http server: listen 80 default_server
http server: listen [::]:80 default_server
http server: return 308 https://app.example.com$request_uri
http server: listen 443 ssl http2
http server: listen [::]:443 ssl http2
http server: server_name app.example.com
http server: ssl_certificate /etc/letsencrypt/live/app.example.com/fullchain.pem
http server: ssl_certificate_key /etc/letsencrypt/live/app.example.com/privkey.pem
http server: ssl_protocols TLSv1.2 TLSv1.3
http server: ssl_session_cache shared:tls:5m
http server: ssl_session_tickets off
http server: fastcgi_hide_header Strict-Transport-Security
http server: add_header Strict-Transport-Security "max-age=63072000" always
http server: client_max_body_size 1088k
http server: fastcgi_param REQUEST_METHOD $request_method
http server: fastcgi_param REQUEST_URI $request_uri
http server: fastcgi_param QUERY_STRING $query_string
http server: fastcgi_param CONTENT_TYPE $content_type
http server: fastcgi_param CONTENT_LENGTH $content_length
http server: fastcgi_param SERVER_PROTOCOL $server_protocol
http server: fastcgi_param SERVER_NAME $server_name
http server: fastcgi_param REMOTE_ADDR $remote_addr
http server: fastcgi_param HTTPS $https if_not_empty
http server: fastcgi_param HTTP_PROXY ""
http server: fastcgi_keep_conn off
http server: fastcgi_next_upstream off
http server: fastcgi_buffer_size 8k
http server: fastcgi_read_timeout 60s
http server: error_page 413 429 500 503 /tollgate-pages/$error_language/$status.$refused_form
http server: error_page 502 504 =503 /tollgate-pages/$error_language/503.$refused_form
http server: error_page 405 = @method
http server: merge_slashes off
http server: gzip off
server location /: limit_req zone=forms burst=20 nodelay
server location /: limit_conn bodies 100
server location /: fastcgi_pass unix:/run/tollgate/$worker.sock
server location ~ ^(/[a-z][a-z])?/((signin|register|reset)/link|signin/(callback/[a-z]+|connect)|signup/continue|\
invitation|settings/email/(link|undo))\
$: error_log /var/log/nginx/error.log alert
server location ~ ^(/[a-z][a-z])?/((signin|register|reset)/link|signin/(callback/[a-z]+|connect)|signup/continue|\
invitation|settings/email/(link|undo))\
$: limit_req zone=forms burst=20 nodelay
server location ~ ^(/[a-z][a-z])?/((signin|register|reset)/link|signin/(callback/[a-z]+|connect)|signup/continue|\
invitation|settings/email/(link|undo))\
$: limit_conn bodies 100
server location ~ ^(/[a-z][a-z])?/((signin|register|reset)/link|signin/(callback/[a-z]+|connect)|signup/continue|\
invitation|settings/email/(link|undo))\
$: fastcgi_pass unix:/run/tollgate/$worker.sock
server location ~ ^(/[a-z][a-z])?/((signin|register|reset)/link|signin/(callback/[a-z]+|connect)|signup/continue|\
invitation|settings/email/(link|undo))\
$: access_log /var/log/nginx/tollgate.log private
server location ~ ^(/[a-z][a-z])?/(sign(in|up|out)|welcome|workspace|tenant|invitation|settings|admin|login|register\
|reset|dashboard|status)(/|$)|^/api/((auth|billing)/|user(/(export|usage))?$|(audit|status)$): \
limit_req zone=forms burst=20 nodelay
server location ~ ^(/[a-z][a-z])?/(sign(in|up|out)|welcome|workspace|tenant|invitation|settings|admin|login|register\
|reset|dashboard|status)(/|$)|^/api/((auth|billing)/|user(/(export|usage))?$|(audit|status)$): \
limit_conn bodies 100
server location ~ ^(/[a-z][a-z])?/(sign(in|up|out)|welcome|workspace|tenant|invitation|settings|admin|login|register\
|reset|dashboard|status)(/|$)|^/api/((auth|billing)/|user(/(export|usage))?$|(audit|status)$): \
fastcgi_pass unix:/run/tollgate/$worker.sock
server location ~ ^/(api/)?webhooks/stripe$|^/api/billing/sync$: fastcgi_pass unix:/run/tollgate/webhooks.sock
server location = /healthz: return 404
server location ~ ^(/[a-z][a-z])?/chat(/|$)|^/api/chat(/|$): limit_conn streams 100
server location ~ ^(/[a-z][a-z])?/chat(/|$)|^/api/chat(/|$): fastcgi_buffering off
server location ~ ^(/[a-z][a-z])?/chat(/|$)|^/api/chat(/|$): fastcgi_pass unix:/run/tollgate/$worker.sock
server location ~ ^/(style\.css|favicon\.svg|(passkey|chat)\.js)$: \
add_header Strict-Transport-Security "max-age=63072000" always
server location ~ ^/(style\.css|favicon\.svg|(passkey|chat)\.js)$: add_header Vary Accept-Encoding
server location ~ ^/(style\.css|favicon\.svg|(passkey|chat)\.js)$: gzip on
server location ~ ^/(style\.css|favicon\.svg|(passkey|chat)\.js)$: gzip_types text/css image/svg+xml text/javascript
server location ~ ^/(style\.css|favicon\.svg|(passkey|chat)\.js)$: gzip_min_length 512
server location ~ ^/(style\.css|favicon\.svg|(passkey|chat)\.js)$: fastcgi_pass unix:/run/tollgate/$worker.sock
server location @method: internal
server location @method: error_log /var/log/nginx/error.log alert
server location @method: access_log /var/log/nginx/tollgate.log private
server location @method: fastcgi_pass unix:/run/tollgate/$worker.sock
server location @down: internal
server location @down: access_log /var/log/nginx/tollgate.log private
server location @down: default_type text/plain
server location @down: add_header Strict-Transport-Security "max-age=63072000" always
server location @down: add_header Cache-Control no-store always
http map "$uri $http_accept_language" $error_language: include /var/lib/tollgate-pages/*.map
http map $request_uri $path_asked: "~^(?<before_query>[^?]*)" $before_query
http map $status $refused_words: 413 "This is larger than anything we take.\n"
http map $status $refused_words: 429 "Too many requests. Please try again in a moment.\n"
http map $status $refused_words: 500 "Something went wrong. Please try again.\n"
http map $status $refused_words: default "Back in a moment. Please try again.\n"
http map $request_uri $refused_form: default html
http map $request_uri $refused_form: ~^/api/ json
http map $status $refused_json: 413 '{"error":"Request too large","code":"too_large"}'
http map $status $refused_json: 429 '{"error":"Too many requests","code":"limit"}'
http map $status $refused_json: 500 '{"error":"Internal error","code":"internal"}'
http map $status $refused_json: default '{"error":"Service unavailable","code":"unavailable"}'
http map $status $retry_after: 429 5
http map $status $retry_after: 503 5
http map $status $retry_after: default ""
location ^~ /tollgate-pages/ types: text/html html
server location @down: add_header Retry-After $retry_after always
server location @down: return 200 $refused_words
server location ^~ /tollgate-pages/: access_log /var/log/nginx/tollgate.log private
server location ^~ /tollgate-pages/: add_header Cache-Control no-store always
server location ^~ /tollgate-pages/: add_header Content-Security-Policy "default-src 'none'; style-src \
'unsafe-inline'; img-src 'self'" always
server location ^~ /tollgate-pages/: add_header Retry-After $retry_after always
server location ^~ /tollgate-pages/: add_header Strict-Transport-Security "max-age=63072000" always
server location ^~ /tollgate-pages/: add_header Vary Accept-Language always
server location ^~ /tollgate-pages/: add_header X-Content-Type-Options nosniff always
server location ^~ /tollgate-pages/: charset utf-8
server location ^~ /tollgate-pages/: internal
location ^~ /tollgate-pages/ location ~ \.json$: charset off
location ^~ /tollgate-pages/ location ~ \.json$: default_type application/json
location ^~ /tollgate-pages/ location ~ \.json$: return 200 $refused_json
server location ^~ /tollgate-pages/: root /var/lib
server location ^~ /tollgate-pages/: try_files $uri @down
"""
APACHE = r"""
main: User www-data
main: Group www-data
main: Define NAME app.example.com
main: Define LIBEXEC "/usr/local/lib/tollgate"
main: Define CONFIG "/etc/tollgate/tollgate.conf"
main: Define PAGES "/var/lib/tollgate-pages"
main: Define RUN "/run/apache2"
main: Define LOG "/var/log/apache2"
main: ServerRoot "/usr/lib/apache2"
main: ServerName ${NAME}
main: DefaultRuntimeDir ${RUN}
main: PidFile ${RUN}/apache2.pid
main: ErrorLog ${LOG}/error.log
main: LogLevel warn
main: ErrorLogFormat "[%{cu}t] [%-m:%l] [pid %P] %7F: %E: [client\ %a] %M"
main: LogFormat "{\"time\":\"%{%Y-%m-%dT%H:%M:%S%z}t\",\"remote\":\"%a\",\"method\":\"%m\",\"path\":\"%U\",\
\"status\":%>s,\"bytes\":%B,\"microseconds\":%D,\"agent\":\"%{User-Agent}i\"}" private
main: CustomLog ${LOG}/access.log private
main: LoadModule mpm_event_module modules/mod_mpm_event.so
main: ThreadLimit 256
main: ThreadsPerChild 256
main: ServerLimit 16
main: MaxRequestWorkers 4096
main: StartServers 2
main: MinSpareThreads 256
main: MaxSpareThreads 1024
main: ThreadStackSize 1048576
main: LoadModule authz_core_module modules/mod_authz_core.so
main: LoadModule alias_module modules/mod_alias.so
main: LoadModule headers_module modules/mod_headers.so
main: LoadModule reqtimeout_module modules/mod_reqtimeout.so
main: LoadModule filter_module modules/mod_filter.so
main: LoadModule deflate_module modules/mod_deflate.so
main: LoadModule setenvif_module modules/mod_setenvif.so
main: LoadModule negotiation_module modules/mod_negotiation.so
main: LoadModule fcgid_module modules/mod_fcgid.so
main: LoadModule socache_shmcb_module modules/mod_socache_shmcb.so
main: LoadModule ssl_module modules/mod_ssl.so
main: SSLSessionCache shmcb:${RUN}/tls(512000)
main: ServerTokens Prod
main: ServerSignature Off
main: TraceEnable Off
main: HttpProtocolOptions Strict
main: ErrorDocument 413 "This is larger than anything we take."
main: ErrorDocument 500 "Something went wrong. Please try again."
main: ErrorDocument 503 "Back in a moment. Please try again."
main: IncludeOptional "${PAGES}/apache.conf"
main: SetEnvIf Accept-Language "^([a-z][a-z])-" prefer-language=$1
main: SetEnvIf Request_URI "^/([a-z][a-z])(/|$)" prefer-language=$1
main: SetEnvIf REDIRECT_prefer-language "^(..)$" prefer-language=$1
main: SetEnvIf Request_URI "^/(.*)" TARGET=$1
main: ErrorDocument 405 "/%{reqenv:TARGET}"
main: Timeout 60
main: KeepAliveTimeout 30
main: RequestReadTimeout handshake=5 header=5-10,MinRate=500 body=15,MinRate=500
main: MergeSlashes Off
main: AllowEncodedSlashes NoDecode
main: LimitRequestBody 0
main: FcgidMaxRequestLen 1179648
main: FcgidIPCDir ${RUN}/fcgid
main: FcgidProcessTableFile ${RUN}/fcgid.shm
main: FcgidInitialEnv TOLLGATE_CONFIG ${CONFIG}
main: FcgidInitialEnv TOLLGATE_THREADS 1
main: FcgidMaxProcesses 72
main: FcgidMaxProcessesPerClass 10
main: FcgidMinProcessesPerClass 1
main: FcgidConnectTimeout 5
main: FcgidIOTimeout 60
main: FcgidOutputBufferSize 0
main: Listen 80
main: Listen 443
<Directory />: AllowOverride None
<Directory />: Require all denied
<Directory ${LIBEXEC}>: SetHandler fcgid-script
<Directory ${LIBEXEC}>: Options +ExecCGI
<Directory ${LIBEXEC}>: CGIPassAuth On
<Directory ${LIBEXEC}>: Require all granted
<Directory "${PAGES}">: Require all granted
<Directory "${PAGES}">: RequestHeader unset Accept
<Directory "${PAGES}">: Header always set Cache-Control no-store
<Directory "${PAGES}">: Header always set X-Content-Type-Options nosniff
<Directory "${PAGES}">: Header always set Content-Security-Policy "default-src 'none'; style-src 'unsafe-inline'; \
img-src 'self'"
<Directory "${PAGES}">: Header always set Retry-After 5 "expr=%{REQUEST_STATUS} -eq 503"
<Files "*.var">: SetHandler type-map
<Files "*.html">: ForceType "text/html; charset=utf-8"
<VirtualHost *:80>: Redirect 308 / https://${NAME}/
<VirtualHost *:443>: SSLEngine on
<VirtualHost *:443>: SSLCertificateFile /etc/letsencrypt/live/app.example.com/fullchain.pem
<VirtualHost *:443>: SSLCertificateKeyFile /etc/letsencrypt/live/app.example.com/privkey.pem
<VirtualHost *:443>: SSLProtocol -all +TLSv1.2 +TLSv1.3
<VirtualHost *:443>: Header always set Strict-Transport-Security "max-age=63072000"
<If "req_novary('Content-Length') -gt 1114112 && -z %{reqenv:REDIRECT_STATUS}">: Redirect 413
<VirtualHost *:443>: RedirectMatch 404 "^/healthz$"
<VirtualHost *:443>: Alias "/tollgate-pages/" "${PAGES}/"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/signin/((with|callback)/[a-z]+|connect)$" "${LIBEXEC}/authn"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/settings/connections$" "${LIBEXEC}/authn"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/(signin/passkey(/[a-z]+)?|settings/passkeys)$" "${LIBEXEC}/authn"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/((signin|register|reset)(/[a-z]+)?|signout)$" "${LIBEXEC}/signin"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/settings/(password|two-factor)$" "${LIBEXEC}/signin"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/settings/email(/[a-z]+)?$" "${LIBEXEC}/signin"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/(signup(/[a-z]+)?|welcome)$" "${LIBEXEC}/signup"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/settings/billing(/[a-z]+)?$" "${LIBEXEC}/billing"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/admin(/[a-z]+(/[0-9A-Za-z-]+)?)?$" "${LIBEXEC}/admin"
<VirtualHost *:443>: AliasMatch "^/api/billing/plan$" "${LIBEXEC}/billing"
<VirtualHost *:443>: AliasMatch "^/api/billing/session$" "${LIBEXEC}/billing"
<VirtualHost *:443>: AliasMatch "^/api/og$" "${LIBEXEC}/og"
<VirtualHost *:443>: AliasMatch "^/api/(usage(/[a-z]+)?|cron/[a-z]+)$" "${LIBEXEC}/usage"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/chat(/[0-9A-Za-z_-]+)?$" "${LIBEXEC}/chat"
<VirtualHost *:443>: AliasMatch "^/api/chat(/[0-9A-Za-z_-]+(/[a-z]+)?)?$" "${LIBEXEC}/chat"
<IfFile "${LIBEXEC}/chat">: FcgidCmdOptions "${LIBEXEC}/chat" MaxProcesses 32 MinProcesses 1 \
ConnectTimeout 5 IOTimeout 60 InitialEnv "TOLLGATE_CONFIG=${CONFIG}" InitialEnv TOLLGATE_THREADS=1
<VirtualHost *:443>: AliasMatch "^/(api/)?webhooks/stripe$" "${LIBEXEC}/webhooks"
<VirtualHost *:443>: AliasMatch "^/api/billing/sync$" "${LIBEXEC}/webhooks"
<VirtualHost *:443>: AliasMatch "^(/[a-z][a-z])?/(workspace|tenant|invitation|settings|login|dashboard|status)\
(/[a-z]+){0,2}$" "${LIBEXEC}/account"
<VirtualHost *:443>: AliasMatch "^/api/auth/[a-z/]+$" "${LIBEXEC}/account"
<VirtualHost *:443>: AliasMatch "^/api/(user(/(export|usage))?|audit|status)$" "${LIBEXEC}/account"
<VirtualHost *:443>: AliasMatch "^/(style\.css|favicon\.svg|(passkey|chat)\.js)$" "${LIBEXEC}/account"
<VirtualHost *:443>: AliasMatch "^" "${LIBEXEC}/account"
<Location "/style.css">: Header merge Vary Accept-Encoding
<Location "/style.css">: AddOutputFilterByType DEFLATE text/css
"""


def listed(text):
    """The table's lines; a backslash at the end joins two."""
    return set(re.sub(r" ?\\\n", lambda m: m[0][:-2], text).strip().splitlines())


def test_nginx_conf_says_this_and_nothing_else():
    said = shipped.nginx_directives((ROOT / "conf/nginx.conf").read_text())
    assert sorted(said ^ listed(NGINX)) == []


def test_apache_conf_says_this_and_nothing_else():
    said = shipped.apache_directives((ROOT / "conf/apache.conf").read_text())
    assert sorted(said ^ listed(APACHE)) == []


# nginx itself with the shipped file, in front of a program that keeps what it is sent.

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


class Recorder:
    """A FastCGI program: the requests that came, each with its flags, parameters and body. silent: it answers none."""

    def __init__(self, path):
        self.requests, self.begun, self.silent = [], 0, False
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        os.chmod(path, 0o666)
        self.socket.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.begun += 1
            with connection:
                if not self.silent:
                    self.take(connection.makefile("rb"), connection)

    def take(self, stream, connection):
        flags, streams = None, {PARAMS: b"", STDIN: b""}
        while header := stream.read(8):
            _, kind, _, size, padding = struct.unpack(">BBHHBx", header)
            content = stream.read(size)
            stream.read(padding)
            if kind == BEGIN:
                flags = content[2]
            elif size:
                streams[kind] += content
            elif kind == STDIN:
                break
        self.requests.append((flags, parameters(streams[PARAMS]), streams[STDIN]))
        answer = (b"Status: 200 OK\r\nStrict-Transport-Security: max-age=31536000\r\nContent-Type: text/plain\r\n\r\n"
                  b"ok\n")
        connection.sendall(struct.pack(">BBHHBx", 1, STDOUT, 1, len(answer), 0) + answer
                           + struct.pack(">BBHHBx", 1, END, 1, 8, 0) + bytes(8))


def parameters(data):
    pairs = {}
    while data:
        sizes = []
        for _ in range(2):
            wide = data[0] >= 128
            sizes.append(struct.unpack(">I", data[:4])[0] & 0x7fffffff if wide else data[0])
            data = data[4 if wide else 1:]
        name, value, data = data[:sizes[0]], data[sizes[0]:sum(sizes)], data[sum(sizes):]
        pairs[name.decode()] = value.decode()
    return pairs


class Nginx:
    def __init__(self, directory, certificate):
        kinds = ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
        with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
            self.port, self.plain = a.getsockname()[1], b.getsockname()[1]
        self.program = Recorder(directory / "account.sock")
        text = production(
            "nginx.conf", user="user nobody nogroup;" if os.getuid() == 0 else "", pid="pid %s/pid;" % directory,
            error_log="error_log %s/error.log warn;" % directory,
            error_log_quiet="error_log %s/error.log alert;" % directory,
            access_log="access_log %s/access.log private;" % directory,
            temp_paths="".join("%s_temp_path %s/%s;" % (kind, directory, kind) for kind in kinds),
            cache_path="fastcgi_cache_path %s/cache keys_zone=images:1m;" % directory,
            listen_plain="listen 127.0.0.1:%d default_server;" % self.plain,
            listen="listen 127.0.0.1:%d ssl http2;" % self.port, listen_plain_v6="", listen_v6="",
            certificate="ssl_certificate %s/cert.pem;" % certificate,
            certificate_key="ssl_certificate_key %s/key.pem;" % certificate)
        self.conf = directory / "nginx.conf"
        self.conf.write_text(text.replace("unix:/run/tollgate/", "unix:%s/" % directory))
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-e", directory / "error.log", "-c", self.conf, "-g",
                                         "daemon off;"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)

    def answers(self):
        try:
            return socket.create_connection(("127.0.0.1", self.port)).close() is None
        except OSError:
            return False

    def connect(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 20), server_hostname="localhost")

    def ask(self, method="GET", path="/", body=b"", *lines):
        """The answer's head, in lower case, and its body."""
        head = ["%s %s HTTP/1.1" % (method, path), "Host: app.example.com", "Connection: close",
                *(["Content-Length: %d" % len(body)] if body else []), *lines, "", ""]
        with self.connect() as s:
            s.sendall("\r\n".join(head).encode() + body)
            answer = b""
            while part := s.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.decode().lower(), body


@pytest.fixture(scope="module")
def nginx(certificate):
    with tempfile.TemporaryDirectory(prefix="tollgate-nginx-") as name:
        os.chmod(name, 0o755)
        server = Nginx(Path(name), certificate)
        yield server
        server.process.terminate()
        server.process.wait(20)
        server.program.socket.close()


@pytest.fixture
def program(nginx):
    """The program behind nginx, which has seen nothing yet."""
    nginx.program.requests, nginx.program.begun, nginx.program.silent = [], 0, False
    return nginx.program


def test_f26_nginx_keeps_no_connection_to_a_program(nginx, program):
    nginx.ask()
    nginx.ask()
    assert [flags for flags, _, _ in program.requests] == [0, 0] and program.begun == 2


def test_f05_nginx_passes_these_parameters_and_no_proxy_of_the_clients(nginx, program):
    nginx.ask("POST", "/x?a=b", b"x=y", "Content-Type: text/plain", "Proxy: http://evil.example", "Accept: */*")
    (_, sent, body), = program.requests
    assert body == b"x=y"
    assert sent == {
        "REQUEST_METHOD": "POST", "REQUEST_URI": "/x?a=b", "QUERY_STRING": "a=b", "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "3", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "app.example.com",
        "REMOTE_ADDR": "127.0.0.1", "HTTPS": "on", "HTTP_HOST": "app.example.com", "HTTP_CONNECTION": "close",
        "HTTP_CONTENT_LENGTH": "3", "HTTP_CONTENT_TYPE": "text/plain", "HTTP_ACCEPT": "*/*"}


def test_f24_nginx_holds_a_slow_body_back_until_it_is_whole(nginx, program):
    """A program has ten seconds for a body; a client behind nginx may be slower."""
    with nginx.connect() as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab")
        nginx.ask()
        time.sleep(0.2)
        assert program.begun == 1, "only the other request has reached the program"
        s.sendall(b"cd")
        assert b" 200 " in s.recv(100)
    assert program.requests[-1][2] == b"abcd"


@pytest.mark.parametrize("size", [16 << 10, 1 << 20, (1 << 20) + 1])
def test_f08_nginx_leaves_the_word_to_the_program_about_a_body_too_large(nginx, program, size):
    head, _ = nginx.ask("POST", "/", b"a" * size)
    assert " 200 " in head.splitlines()[0] and len(program.requests[0][2]) == size


def test_f08_nginx_itself_refuses_a_body_beyond_any_route(nginx, program):
    head, _ = nginx.ask("POST", "/", b"a" * (1089 << 10))
    assert " 413 " in head.splitlines()[0] and program.begun == 0


def test_f115_a_request_whose_program_dies_is_sent_once_and_answered_with_503(nginx, program):
    program.silent = True
    head, body = nginx.ask()
    assert " 503 " in head.splitlines()[0] and body == b"Back in a moment. Please try again.\n"
    assert "retry-after: 5" in head and "cache-control: no-store" in head
    assert program.begun == 1


@pytest.mark.parametrize("silent, path, status", [
    (False, "/", 200), (False, "/signin/link", 502), (False, "/style.css", 200), (False, "/healthz", 404),
    (False, "/%", 400), (True, "/", 503), (True, "/style.css", 503)])
def test_s15_nginx_says_once_to_come_back_over_tls_only_whoever_answers(nginx, program, silent, path, status):
    program.silent = silent
    first, *lines = nginx.ask("GET", path)[0].split("\r\n")
    assert " %d " % (503 if status == 502 else status) in first, "no program listens for /signin/link"
    assert [line for line in lines if "strict" in line] == ["strict-transport-security: max-age=63072000"]
    assert "server: nginx" in lines


def test_s15_the_redirect_to_tls_does_not_say_so(nginx):
    with socket.create_connection(("127.0.0.1", nginx.plain)) as s:
        s.sendall(b"GET /signup HTTP/1.0\r\n\r\n")
        head = s.makefile("rb").read().lower()
    assert b" 308 " in head and b"location: https://app.example.com/signup\r\n" in head and b"strict" not in head


@pytest.mark.parametrize("version, taken", [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_nginx_speaks_tls_from_1_2(nginx, version, taken):
    done = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % nginx.port, version, "-cipher",
                           "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ("Cipher is (NONE)" not in done.stdout) == taken


# systemd

SANDBOX = """
NoNewPrivileges=yes CapabilityBoundingSet= ProtectSystem=strict ProtectHome=yes ProtectProc=invisible ProcSubset=pid
ProtectClock=yes ProtectHostname=yes ProtectControlGroups=yes ProtectKernelLogs=yes ProtectKernelModules=yes
ProtectKernelTunables=yes PrivateTmp=yes PrivateDevices=yes MemoryDenyWriteExecute=yes LockPersonality=yes
RestrictNamespaces=yes RestrictRealtime=yes RestrictSUIDSGID=yes RemoveIPC=yes SystemCallArchitectures=native
LimitCORE=0 UMask=0077 StandardOutput=journal StandardError=journal SyslogLevel=err Restart=always
RestartPreventExitStatus=78 RestartSec=100ms MemoryMax=512M MemorySwapMax=0 TasksMax=64
""".split() + ["SystemCallFilter=@system-service landlock_create_ruleset landlock_add_rule landlock_restrict_self",
               "SystemCallFilter=~@privileged @resources"]
STRIPE = "Service.RestrictAddressFamilies=%sAF_INET AF_INET6"


def handed(name):
    """A file that only root may read is handed to the program, or else an empty one."""
    return ["Service.LoadCredential=%s:/etc/tollgate/%s" % (name, name), "Service.SetCredential=%s:\\n" % name]


DOCUMENTED = "Unit.Documentation=file:///usr/local/share/doc/tollgate"
STARTED = [DOCUMENTED, "Unit.PartOf=tollgate.target", "Unit.After=network.target postgresql.service",
           "Unit.StartLimitIntervalSec=0", *("Service." + line for line in SANDBOX)]
ENDS = ("Success", "Failure")
UNITS = {
    **{"tollgate-%s.service" % name: [
        *STARTED, "Unit.Description=Tollgate " + name, "Service.User=tollgate_" + name, "Service.StandardInput=null",
        "Service.ExecStart=/usr/local/lib/tollgate/%s --config /etc/tollgate/tollgate.conf" % name,
        *handed(secret), "Service.TimeoutStopSec=60", STRIPE % "AF_UNIX ", "Install.WantedBy=multi-user.target"]
       for name, secret in (("jobs", "stripe.key"), ("mailer", "mail.password"))},
    "tollgate@.service": [
        *STARTED, "Unit.Description=Tollgate %i", "Unit.Requires=tollgate@%i.socket", "Unit.After=tollgate@%i.socket",
        "Service.ExecStart=/usr/local/lib/tollgate/%i --config /etc/tollgate/tollgate.conf",
        "Service.User=tollgate_%i", "Service.StandardInput=socket", "Service.TimeoutStopSec=10",
        "Service.RestrictAddressFamilies=AF_UNIX", *("Unit.On%s=tollgate-closed@%%i.target" % how for how in ENDS),
        *("Unit.On%sJobMode=fail" % how for how in ENDS)],
    "tollgate@signup.service.d/stripe.conf": [STRIPE % "", *handed("stripe.key")],
    "tollgate@billing.service.d/stripe.conf": [STRIPE % "", *handed("stripe.key")],
    "tollgate@authn.service.d/providers.conf": [
        STRIPE % "", *(line for name in ("google", "github", "microsoft", "apple", "work")
                       for line in handed(name + ".secret"))],
    "tollgate@webhooks.service.d/secret.conf": [*handed("webhook.secret"), *handed("thin.secret")],
    "tollgate@usage.service.d/cron.conf": handed("cron.secret"),
    "tollgate@chat.service.d/models.conf": [
        STRIPE % "", *handed("openai.secret"), *handed("anthropic.secret"), "Service.TasksMax=300",
        "Service.LimitNOFILE=4096"],
    **{"tollgate@%s.service.d/og.conf" % name: handed("og.key") for name in ("og", "signup", "signin")},
    "tollgate@signin.service.d/seed.conf": [*handed("seed.key"), *handed("seed.key.before")],
    "tollgate@signin.service.d/passwords.conf": [
        "Service.RuntimeDirectory=lock/tollgate-signin", "Service.RuntimeDirectoryMode=0700"],
    "tollgate-closed@.target": [
        "Unit.Description=Tollgate %i is down, and its socket closed", DOCUMENTED,
        "Unit.Conflicts=tollgate@%i.socket"],
    "tollgate@.socket": [
        "Unit.Description=Where the web server finds Tollgate's %i", "Unit.PartOf=tollgate.target",
        "Socket.ListenStream=/run/tollgate/%i.sock", "Socket.SocketGroup=www-data", "Socket.SocketMode=0660",
        "Socket.Backlog=4096"],
    "tollgate.target": [
        "Unit.Description=Tollgate: accounts and billing", DOCUMENTED, "Install.WantedBy=multi-user.target",
        *("Unit.Wants=tollgate@%s.socket tollgate@%s.service" % (name, name)
          for name in (*WORKERS, "webhooks")), "Unit.Wants=tollgate-jobs.service",
        "Unit.Wants=tollgate-mailer.service"],
}


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_says_this_and_nothing_else(name):
    assert sorted(shipped.unit_settings((ROOT / "conf/systemd" / name).read_text())) == sorted(UNITS[name])


def test_these_are_all_units():
    units = ROOT / "conf/systemd"
    assert sorted(UNITS) == sorted(str(path.relative_to(units)) for path in units.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", [*WORKERS, "webhooks"])
def test_s19_a_program_speaks_to_the_network_only_where_it_calls_others(name):
    main = (ROOT / "workers" / name / "main.c").read_text()
    units = [ROOT / "conf/systemd/tollgate@.service", *(ROOT / "conf/systemd").glob("tollgate@%s.service.d/*" % name)]
    families = set(" ".join(" ".join(re.findall("^RestrictAddressFamilies=(.*)", u.read_text(), re.M))
                            for u in units).split())
    assert families == {"AF_UNIX"} | (
        {"AF_INET", "AF_INET6"} if re.search("resource_(stripe|issuers|models)", main) else set())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
@pytest.mark.parametrize("name", ["tollgate-jobs", "tollgate@account"])
def test_s19_systemd_sees_little_exposure(installed, tmp_path, name):
    units = shutil.copytree(installed / "usr/lib/systemd/system", tmp_path / "units")
    shutil.copy(units / "tollgate@.service", units / "tollgate@account.service")
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager",
                           units / (name + ".service")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


# PostgreSQL

@pytest.mark.parametrize("user, roles", [
    *(("tollgate_" + name, {"tollgate_" + name}) for name in (*WORKERS, "webhooks", "jobs", "mailer", "operator")),
    ("root", set()), ("postgres", {"postgres"}), ("nobody", set()), ("not_tollgate_jobs", set()), ("tollgate", set()),
    ("tollgate-jobs", set()),
    ("www-data", {"tollgate_" + name for name in (*WORKERS, "webhooks") if name not in APART})])
def test_c52_a_system_user_logs_in_as_its_own_role_only(user, roles):
    """Apache's user has the roles of the programs that Apache starts."""
    assert shipped.roles_of((ROOT / "conf/pg_ident.conf").read_text(), user) == roles


# make

@pytest.mark.parametrize("program", WORKERS + SERVICES)
def test_a_program_is_hardened(program):
    kind, headers, flags, symbols = shipped.elf(BUILD / program)
    assert kind == "DYN" and {"PIE", "NOW"} <= flags, "loaded anywhere, and linked before it starts"
    assert "GNU_RELRO" in headers and headers["GNU_STACK"] == "RW "
    assert "__stack_chk_fail" in symbols and {"__printf_chk", "__explicit_bzero_chk"} <= symbols


@pytest.fixture(scope="module")
def commands():
    """The commands that compile and link each program, by what they make."""
    lines = shipped.make_commands(ROOT, "BUILD=build/none", *("build/none/" + name for name in WORKERS + SERVICES))
    return {match[2]: line for line in lines if (match := re.search(r'echo "(cc|ld) (\S+)"', line))}


@pytest.mark.parametrize("flag", ["-pie", "-Wl,-z,relro,-z,now", "-Wl,--as-needed", "-O2", "-pthread"])
@pytest.mark.parametrize("program", WORKERS + SERVICES)
def test_a_program_is_linked_with(commands, program, flag):
    """A distribution's compiler may do so by itself; another's does not."""
    assert flag in commands["build/none/" + program].split()


@pytest.mark.parametrize("flag", ["-fPIE", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-fno-strict-aliasing",
                                  "-O2", "-std=gnu17", "-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes",
                                  "-Wmissing-prototypes", "-Wformat=2", "-Wvla", "-Werror", "-pthread"])
def test_every_file_is_compiled_with(commands, flag):
    compiled = {name: line for name, line in commands.items() if name.endswith(".c")}
    assert len(compiled) > 100
    assert [name for name, line in compiled.items() if flag not in line.split()] == []


APP = {"app", "web", "db", "stripe", "auth", "net", "config", "base"}


@pytest.mark.parametrize("program", WORKERS + SERVICES)
def test_a_program_is_linked_with_its_own_layers_only(commands, program):
    layers = set(re.findall(r"build/none/(\w+)\.a\b", commands["build/none/" + program]))
    assert layers == (APP | {"service"} if program in SERVICES else APP)


def test_sanitizers_are_on_for_unit_tests_and_fuzz_replay_and_end_the_program():
    for target in ("unit-asan", "replay-asan"):
        assert "SANITIZE=address,undefined " in " ".join(shipped.make_commands(ROOT, target)) + " "
    line, = (line for line in shipped.make_commands(ROOT, "BUILD=build/none", "SANITIZE=address,undefined",
                                                    "build/none/lib/base/err.o") if "cc lib/base/err.c" in line)
    assert {"-fsanitize=address,undefined", "-fno-sanitize-recover=all"} <= set(line.split())


# make install

def mode(path):
    return path.stat().st_mode & 0o7777


def test_an_installation_can_be_read_by_all_and_written_by_its_owner(installed):
    wrong = {}
    for path in installed.rglob("*"):
        program = path.is_dir() or path.parent.name == "bin" or path.parent == installed / "usr/lib/tollgate"
        if mode(path) != (0o755 if program else 0o644):
            wrong[str(path)] = oct(mode(path))
    assert wrong == {}


def test_an_installation_is_complete(installed):
    def files(directory, pattern="**/*"):
        return {str(p.relative_to(directory)) for p in directory.glob(pattern) if p.is_file()}
    assert files(installed / "usr/share/tollgate/pages") == files(ROOT / "workers/pages")
    assert files(installed / "usr/share/tollgate/schema") == files(ROOT / "schema", "**/*.sql")
    assert files(installed / "usr/lib/systemd/system") == files(ROOT / "conf/systemd")
    parts = {"nginx/conf.d/tollgate.conf", "nginx/snippets/tollgate.conf", "apache/tollgate.conf"}
    assert files(installed / "usr/share/doc/tollgate") == files(ROOT / "conf", "*.conf") | parts
    assert files(installed / "usr/lib/tollgate") == set(WORKERS + SERVICES) - {"tollgate"}
    assert files(installed / "etc") == {"tollgate/tollgate.conf"}


def test_an_installation_makes_a_user_for_each_program(installed):
    lines = (installed / "usr/lib/sysusers.d/tollgate.conf").read_text().splitlines()
    assert sorted(lines) == sorted('u tollgate_%s - "Tollgate %s"' % (name, name) for name in (
        *WORKERS, "webhooks", "jobs", "mailer", "operator"))


# README.md

def test_the_deployment_installs_all_that_the_build_needs():
    needed = re.search('^build="([^"]+)"', (ROOT / "tests/deps").read_text(), re.M)[1].split()
    block = (ROOT / "README.md").read_text().split("sudo apt-get install ")[1].split("\nmake ")[0]
    assert len(needed) > 10 and set(needed) - set(block.split()) == set()


def test_a_build_without_a_library_says_which(tmp_path):
    done = subprocess.run(["make", "-C", ROOT, "BUILD=%s" % tmp_path, "PACKAGES=json-c absent-library"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "absent-library" in done.stderr and "cc " not in done.stdout
