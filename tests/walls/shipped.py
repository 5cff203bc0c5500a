"""What the shipped files say: nginx's and Apache's directives, systemd's settings, the lines of make."""
import os
import re
import subprocess


def nginx_directives(text):
    """{"context: directive and arguments"}; a context is the blocks around, as in "http server location /"."""
    found, stack, words = set(), [], []
    for token in re.findall(r"#[^\n]*|'[^']*'|\"[^\"]*\"|[;{}]|(?:(?!\{\s|\{$)[^\s;{}'\"#]|\{(?=\S))+", text):
        if token.startswith("#"):
            continue
        if token == ";":
            found.add("%s: %s" % (" ".join(stack[-2:]) or "main", " ".join(words)))
        elif token == "{":
            stack.append(" ".join(words))
        elif token == "}":
            stack.pop()
        else:
            words.append(token)
            continue
        words = []
    return found


def apache_directives(text):
    """{"section: directive and arguments"}."""
    found, stack = set(), []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = " ".join(line.split())
        if line.startswith("</"):
            stack.pop()
        elif line.startswith("<"):
            stack.append(line)
        elif line and not line.startswith("#"):
            found.add("%s: %s" % (stack[-1] if stack else "main", line))
    return found


def without_marked(text):
    """The text without the lines that differ between machines."""
    return re.sub(r"(?m)^\s*#@ \w+\n.*\n", "", text)


def unit_settings(text):
    """["Section.Name=value"], in order."""
    found, section = [], None
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            found.append("%s.%s" % (section, line))
    return found


def roles_of(text, user):
    """The roles that pg_ident.conf lets this user log in as. A regular expression begins with a slash, and \\1 stands
    for what its brackets hold."""
    roles = set()
    for line in text.splitlines():
        fields = line.split("#")[0].split()
        if not fields:
            continue
        _, system, role = fields
        if not system.startswith("/"):
            roles |= {role} if system == user else set()
        elif match := re.search(system[1:], user):
            roles.add(role.replace("\\1", match[1]))
    return roles


def make_commands(root, *arguments):
    """The commands that make would run, for a build from nothing."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["make", "--no-print-directory", "-n", "-B", *arguments], cwd=root, env=env, text=True,
                          capture_output=True, check=True)
    return done.stdout.replace("\\\n", " ").splitlines()


def elf(program):
    """(type, program headers by name with their flags, dynamic flags, undefined symbols) of a program."""
    def readelf(option):
        return subprocess.run(["readelf", "-W", option, program], text=True, capture_output=True, check=True).stdout
    kind = re.search(r"Type:\s+(\w+)", readelf("-h"))[1]
    headers = dict(re.findall(r"^\s+(\w+)(?:\s+0x\w+){5}\s+([RWE ]{3})", readelf("-l"), re.M))
    flags = set(" ".join(re.findall(r"\(FLAGS(?:_1)?\)\s+(?:Flags: )?(.*)", readelf("-d"))).split())
    symbols = set(re.findall(r"UND (\w+)", readelf("--dyn-syms")))
    return kind, headers, flags, symbols
