#!/usr/bin/env python3
"""tidy.py - the rules of the tree that no compiler checks (CONTRIBUTING.md has the reasons).

    cmake/tidy.py            checks the whole tree; prints path:line: what is wrong; exits with 1 if so
    cmake/tidy.py --self     checks that each rule still finds what it is for

Needs nothing but Python. An exception is written out: in a table below with its reason, or, for a
banned call, beside it: /* tidy: allow NAME: reason */, where NAME is malloc for the whole family.
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "cmake"))
sys.dont_write_bytecode = True
import make_docs  # noqa: E402  (the folder has to be on the path first)

LINE_COLUMNS_MAX = 100        # C, CMake, shell
SCRIPT_COLUMNS_MAX = 120      # Python, JavaScript, Go, CSS, HTML
TABLE_COLUMNS_MAX = 160       # their tests, which hold tables of requests and answers
FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 70

# Which folders a folder may include from. Tests see everything.
LAYERS = {
    "common": {"common"},
    "proto": {"proto"},
    "store": {"common", "store", "proto"},
    "query": {"common", "store", "query", "proto"},
    "collector": {"common", "store", "query", "collector", "proto", "generated"},
    "client": {"common", "client", "proto"},
}

# A third-party library's headers, and what may see them: one file a library and program. Tests that
# make compressed bodies see the compressors.
THIRD_PARTY = [
    (r"rocksdb/", {"store/kv_rocks.c"}),
    (r"grpc/|grpc_security|byte_buffer", {"collector/grpc_server.c", "bench/load_grpc.c"}),
    (r"microhttpd\.h", {"collector/http_server.c"}),
    (r"zlib\.h", {"collector/inflate.c", "tests/"}),
    (r"lz4\.h", {"store/lz4_codec.c"}),
    # Blocks in the store; request bodies under a limit while they are inflated; captured files.
    (r"zstd(_errors)?\.h", {"store/zstd_codec.c", "collector/inflate.c", "query/cli/zstd_read.c",
                           "tests/"}),
    (r"curl/", {"query/cli/http_client.c", "bench/load_http.c",
                 "tests/support/grpc_call.c", "client/otlp_http_exporter.c"}),
    # The public headers of client/, as its users include them.
    (r"bobbin/", {"client/examples/first_trace.c", "tests/integration_client/consumer/uses_bobbin.c"}),
    (r"protobuf-c/", {"tests/support/proto_text.h"}),
    (r"cmocka\.h", {"tests/"}),
]

LIBC = set("""
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign
stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar
wchar wctype aio arpa/inet dirent dlfcn endian fcntl fnmatch ftw getopt glob grp ifaddrs langinfo
libgen malloc mntent net/if netdb netinet/in netinet/tcp nl_types poll pthread pwd regex sched
semaphore spawn strings sys/epoll sys/eventfd sys/file sys/ioctl sys/mman sys/prctl sys/random
sys/resource sys/select sys/signalfd sys/socket sys/stat sys/statvfs sys/syscall sys/time
sys/timerfd sys/types sys/uio sys/un sys/utsname sys/wait syslog termios ucontext unistd utime
valgrind/memcheck sanitizer/tsan_interface sanitizer/asan_interface sanitizer/lsan_interface
""".split())

BANNED_EVERYWHERE = set("strcpy strcat sprintf vsprintf strtok atoi atol atoll atof gets alloca "
                        "rand srand localtime gmtime ctime asctime strerror".split())
BANNED_OUTSIDE_COMMON = set("malloc calloc realloc reallocarray strdup strndup asprintf vasprintf "
                            "free".split())
# Outside of common/, where memory may come from.
ALLOCATORS = {"client/client_alloc.h"}
BANNED_IN_CLIENT = set("printf abort exit assert".split())

# Files without a unit test of their own, and what tests them instead.
WITHOUT_TEST = {
    "collector/main.c": "tests/integration/test_lifecycle.py runs the program",
    "collector/daemon.c": "tests/integration/test_lifecycle.py starts, drains and kills it",
    "collector/version.c": "three strings; tests/integration/test_lifecycle.py reads /version",
    "query/cli/main_bobbin.c": "tests/integration/test_cli.py runs the program",
    "query/cli/cmd_export.c": "tests/integration/test_cli.py runs it",
    "query/cli/cmd_generate.c": "tests/integration/test_generate.py runs it",
    "query/cli/cmd_import.c": "tests/integration/test_cli.py runs it",
    "query/cli/cmd_search.c": "tests/integration/test_cli.py and test_search.py run it",
    "query/cli/cmd_services.c": "tests/integration/test_cli.py runs it",
    "query/cli/cmd_trace.c": "tests/integration/test_cli.py and test_python_sdk.py run it",
    "query/cli/traffic_encode.c": "test_traffic_generator.c reads what it makes",
    "common/check.c": "it ends the process",
    "client/examples/first_trace.c": "tests/integration_client/ runs it",
    "query/cli/cmd_export.c": "tests/integration/test_cli.py runs it",
    "query/cli/cmd_generate.c": "tests/integration/test_generate.py runs it",
    "query/cli/cmd_import.c": "tests/integration/test_cli.py runs it",
    "query/cli/cmd_search.c": "tests/integration/test_cli.py runs it",
    "query/cli/cmd_services.c": "tests/integration/test_cli.py runs it",
    "query/cli/cmd_trace.c": "tests/integration/test_cli.py runs it",
    "query/cli/main_bobbin.c": "tests/integration/test_cli.py runs it",
    "query/cli/traffic_encode.c": "tests/unit/cli/test_traffic_generator.c reads what it writes",
}

# File names that tools want, and that several folders therefore have.
SHARED_NAMES = {"CMakeLists.txt", "README.md", "__init__.py", "conftest.py", "package.json",
                "package-lock.json", "go.mod", "go.sum", ".gitignore", "index.html", "run"}

EMPTY_ALLOWED = {"__init__.py"}

UNIT_WORDS = re.compile(r"\b(bytes?|seconds?|milliseconds?|log2|depth|nesting|threads?|spans?|traces?"
                        r"|attributes?|events?|links?|values?|pairs?|arguments?|connections?"
                        r"|streams?|conditions?|queries|partitions?|levels?|segments?|rows?|keys?"
                        r"|entries|blocks?|requests?|messages?|headers?|characters?|digits?"
                        r"|files?|tables?|services?|operations?|percent|services?)\b", re.I)

Problem = collections.namedtuple("Problem", "path line words")


def repository_files():
    """Paths of all files that are or could be committed, without those that are ignored."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True).stdout.decode()
    return sorted(path for path in set(listed.split("\0")) if path and (ROOT / path).is_file())


def without_comments(text, keep_strings=False):
    """C with comments (and the insides of strings) blanked, every line where it was."""

    def blank(match):
        piece = match.group(0)
        if piece[0] in "\"'":
            return piece if keep_strings else piece[0] + " " * (len(piece) - 2) + piece[-1]
        return re.sub(r"[^\n]", " ", piece)

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


# Each rule takes a path and the file's text, and yields problems.

def check_includes(path, text):
    top = path.split("/")[0]
    code = without_comments(text, keep_strings=True)
    for match in re.finditer(r'^\s*#\s*include\s+(["<])([^">]+)[">]', code, re.M):
        line, name = line_of(code, match.start()), match.group(2)
        if match.group(1) == '"':
            folder = name.split("/")[0]
            if top in LAYERS and "/" in name and folder not in LAYERS[top]:
                yield Problem(path, line, f"{top}/ may not include from {folder}/")
            owner = name.rsplit("/", 1)[0]
            if name.endswith("_internal.h") and not path.startswith((owner, f"tests/unit/{owner}")):
                yield Problem(path, line, f"{name} belongs to another folder")
            continue
        if name.removesuffix(".h") in LIBC and name.endswith(".h"):
            continue
        if name.startswith("linux/"):
            continue
        for pattern, owners in THIRD_PARTY:
            if re.match(pattern, name):
                if path not in owners and top + "/" not in owners:
                    yield Problem(path, line,
                                  f"<{name}> may be seen by {', '.join(sorted(owners))} only")
                break
        else:
            yield Problem(path, line, f"<{name}> is neither libc's nor in the list of this script")


def check_banned_calls(path, text):
    top = path.split("/")[0]
    banned = set(BANNED_EVERYWHERE)
    if top not in ("common", "tests", "bench") and path not in ALLOCATORS:
        banned |= BANNED_OUTSIDE_COMMON
    if top == "client" and "/tests/" not in path:
        banned |= BANNED_IN_CLIENT
    lines = text.split("\n")
    code = without_comments(text)
    for match in re.finditer(r"(?<![\w.>])([a-z_]+)\s*\(", code):
        name, line = match.group(1), line_of(code, match.start(1))
        if name not in banned:
            continue
        allowed = "malloc" if name in BANNED_OUTSIDE_COMMON else name
        statement = "\n".join(lines[line - 1:line + 3]).partition(";\n")[0]
        if not re.search(r"/\* tidy: allow " + allowed + r": \S.*\*/", statement):
            yield Problem(path, line, f"{name}() is banned here")


def check_function_sizes(path, text):
    begin = None
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        if line.rstrip() == "{":
            begin = number
        elif line.startswith("}") and begin is not None:
            if number - begin - 1 > FUNCTION_LINES_MAX:
                yield Problem(path, begin, f"a function of {number - begin - 1} lines "
                                           f"(at most {FUNCTION_LINES_MAX})")
            begin = None


def check_shape(path, text):
    lines = text.split("\n")
    is_table = path.endswith((".def", ".txt", ".sum", ".json", ".md", ".supp", ".pem", ".svg",
                              ".clang-tidy"))
    is_script = path.endswith((".py", ".js", ".mjs", ".ts", ".go", ".css", ".html"))
    columns_max = LINE_COLUMNS_MAX
    if is_script:
        columns_max = TABLE_COLUMNS_MAX if path.startswith("tests/") else SCRIPT_COLUMNS_MAX
    if not text and pathlib.Path(path).name not in EMPTY_ALLOWED:
        yield Problem(path, 1, "an empty file")
        return
    if len(lines) > FILE_LINES_MAX + 1 and not is_table:
        yield Problem(path, len(lines), f"{len(lines)} lines (at most {FILE_LINES_MAX})")
    if text and not text.endswith("\n"):
        yield Problem(path, len(lines), "no line end at the end")
    for number, line in enumerate(lines, 1):
        if len(line) > columns_max and not is_table:
            yield Problem(path, number, f"{len(line)} columns (at most {columns_max})")
        if line.endswith((" ", "\t", "\r")) and not path.endswith(".md"):
            yield Problem(path, number, "blanks at the end of the line")
        if "\t" in line and path.endswith((".c", ".h", ".py", ".js", ".mjs", ".css", ".proto")):
            yield Problem(path, number, "a tab")


def check_marks(path, text):
    # Put together, so that this file has none of them itself.
    marks = "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"))
    for match in re.finditer(rf"\b({marks})\b(?!\(#\d+\))", text):
        yield Problem(path, line_of(text, match.start()),
                      f"{match.group(1)} without an issue: write {match.group(1)}(#12)")


def check_limits(path, text):
    comment, is_open = "", False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("/*"):
            comment, is_open = "", True
        if is_open:
            comment += " " + line.strip("/* ")
            is_open = "*/" not in line
        define = re.match(r"#define (BB_\w+)\s+\S", line)
        if define:
            name = define.group(1)
            if len(comment.split()) < 3:
                yield Problem(path, number, f"{name} has no reason above it")
            elif not UNIT_WORDS.search(comment + " " + name.replace("_", " ")):
                yield Problem(path, number, f"{name} has no unit, in its name or above it")
        elif not line.strip():
            comment = ""


def check_proto(path, text):
    code = without_comments(text)
    for match in re.finditer(r"^\s*optional\b", code, re.M):
        yield Problem(path, line_of(code, match.end()), "optional changes what protobuf-c makes "
                                                        "of a field; leave presence to messages")


C_RULES = (check_includes, check_banned_calls, check_function_sizes)


def check_file(path, text):
    rules = [check_shape, check_marks]
    if path.endswith((".c", ".h")):
        rules += C_RULES
    if path.endswith("common/limits.h"):
        rules.append(check_limits)
    if path.endswith(".proto"):
        rules.append(check_proto)
    for rule in rules:
        yield from rule(path, text)


def check_names(paths):
    seen = {}
    for path in paths:
        name = pathlib.Path(path).name
        if name in SHARED_NAMES:
            continue
        if name in seen and "/golden/" not in path and "/corpus/" not in path:
            yield Problem(path, 1, f"there is a {seen[name]} already: names are unique")
        seen.setdefault(name, path)


def check_tests(paths):
    tests = {pathlib.Path(path).name for path in paths if path.startswith("tests/unit/")}
    for path in paths:
        if path.split("/")[0] not in LAYERS or not path.endswith(".c"):
            continue
        has_test = "test_" + pathlib.Path(path).name in tests
        if not has_test and path not in WITHOUT_TEST:
            yield Problem(path, 1, "no unit test, and no reason in the list of this script")
        if has_test and path in WITHOUT_TEST:
            yield Problem(path, 1, "has a unit test: take it off the list of this script")
    for path in WITHOUT_TEST:
        if path not in paths:
            yield Problem(path, 1, "is on the list of files without a test, and isn't there")


def check_lists(paths):
    """Limits and metrics that no code knows promise what isn't there."""
    code = [(ROOT / path).read_text(encoding="utf-8") for path in paths
            if path.endswith((".c", ".h")) and path.split("/")[0] in LAYERS]
    words = collections.Counter(re.findall(r"\bBB_\w+", "\n".join(code)))
    for path, pattern, uses_min in (("common/limits.h", r"^#define (BB_\w+) ", 2),
                                    ("common/metrics.def", r"^BB_\w+\((BB_M_\w+),", 1)):
        text = (ROOT / path).read_text(encoding="utf-8")
        for match in re.finditer(pattern, text, re.M):
            if words[match.group(1)] < uses_min:
                yield Problem(path, line_of(text, match.start()), f"{match.group(1)} is not used")


def check_docs():
    for path in make_docs.stale_pages(ROOT):
        yield Problem(path, 1, "is not what its source says: run cmake/make_docs.py")


def check_tree():
    paths = repository_files()
    for path in paths:
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, a corpus, captured traffic
        if "/corpus/" in path or "/golden/" in path or path == "LICENSE":
            continue
        yield from check_file(path, text)
    yield from check_names(paths)
    yield from check_tests(paths)
    yield from check_lists(paths)
    yield from check_docs()


# What each rule is for: (path, text, words that a problem must have, or None for no problem).
EXAMPLES = [
    ("store/a.c", "#include <rocksdb/c.h>\n", "may be seen by store/kv_rocks.c only"),
    ("store/kv_rocks.c", "#include <rocksdb/c.h>\n", None),
    ("store/a.c", "#include <curious.h>\n", "neither libc's"),
    ("store/a.c", '#include "query/b.h"\n', "store/ may not include from query/"),
    ("query/a.c", '#include "store/b.h"\n', None),
    ("query/a.c", '#include "store/b_internal.h"\n', "belongs to another folder"),
    ("tests/unit/store/a.c", '#include "store/b_internal.h"\n', None),
    ("store/a.c", "/* #include <rocksdb/c.h> */\n", None),
    ("store/a.c", "x = malloc(1);\n", "malloc() is banned"),
    ("store/a.c", "x = malloc(1); /* tidy: allow malloc: the engine frees it */\n", None),
    ("store/a.c", "x = malloc(1); /* tidy: allow malloc: */\n", "malloc() is banned"),
    ("store/a.c", "free(\n    x); /* tidy: allow malloc: see above */\n", None),
    ("store/a.c", "free(x);\ny(); /* tidy: allow malloc: see above */\n", "free() is banned"),
    ("common/a.c", "x = malloc(1);\n", None),
    ("common/a.c", "strcpy (a, b);\n", "strcpy() is banned"),
    ("common/a.c", 'puts("strcpy(a)"); my_strcpy(a); x.free(a); /* atoi() */\n', None),
    ("client/a.c", "printf(1);\n", "printf() is banned"),
    ("query/a.c", "printf(1);\n", None),
    ("store/a.c", "int f(void)\n{\n" + "    g();\n" * 71 + "}\n", "a function of 71 lines"),
    ("store/a.c", "int f(void)\n{\n" + "    g();\n" * 70 + "}\n", None),
    ("store/a.c", "int a;\n" * 1001, "lines (at most 1000)"),
    ("store/a.c", "int a;\n" * 1000, None),
    ("store/a.c", "int " + "a" * 97 + ";\n", "columns (at most 100)"),
    ("store/a.c", "", "an empty file"),
    ("store/a.c", "int a;", "no line end"),
    ("store/a.c", "int a; \n", "blanks at the end"),
    ("store/a.c", "\tint a;\n", "a tab"),
    ("store/a.c", "/* TO" + "DO: later */\n", "without an issue"),
    ("store/a.c", "/* TO" + "DO(#12): later */\n", None),
    ("common/limits.h", "#define BB_A_MAX 1\n", "has no reason"),
    ("common/limits.h", "/* Why it is so. */\n#define BB_A_MAX 1\n", "has no unit"),
    ("common/limits.h", "/* Bytes of one of it. */\n#define BB_A_MAX 1\n", None),
    ("common/limits.h", "/* Why it is so. */\n#define BB_A_S_MAX 1\n", "has no unit"),
    ("proto/a.proto", "  optional int32 a = 1;\n", "optional changes"),
    ("proto/a.proto", "  // optional\n  int32 a = 1;\n", None),
]


def check_self():
    failed = 0
    for path, text, words in EXAMPLES:
        found = [problem.words for problem in check_file(path, text)]
        is_right = any(words in problem for problem in found) if words else not found
        if not is_right:
            failed += 1
            print(f"{path}: {text[:60]!r}: wanted {words!r}, found {found}", file=sys.stderr)
    names = list(check_names(["a/x.c", "b/x.c"]))
    tests = list(check_tests(["store/x.c"] + list(WITHOUT_TEST)))
    if len(names) != 1 or len(tests) != 1:
        failed += 1
        print(f"names: {names}, tests: {tests}", file=sys.stderr)
    print(f"{len(EXAMPLES) + 1 - failed} of {len(EXAMPLES) + 1} examples right")
    return failed


def main():
    if sys.argv[1:] == ["--self"]:
        return 1 if check_self() else 0
    problems = list(check_tree())
    for problem in problems:
        print(f"{problem.path}:{problem.line}: {problem.words}")
    print(f"tidy: {len(problems)} problems")
    return 1 if problems or check_self() else 0


if __name__ == "__main__":
    sys.exit(main())
