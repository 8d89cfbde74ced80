#!/usr/bin/env python3
"""make_docs.py - writes the pages that are made from a source list.

    cmake/make_docs.py                    docs/limits.md and docs/metrics.md, the README's packages
    cmake/make_docs.py --bobbind PATH     docs/configuration.md, too (asks the program)
    cmake/make_docs.py --bobbin PATH      docs/cli.md, too (asks the program)
    cmake/make_docs.py --bobbind PATH --bobbin PATH --check
                                          writes nothing; exits with 1 when a page is stale

A page keeps its own words; what is made stands between two comments, <!-- made by ... --> and
<!-- end -->.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def limits_table(root):
    """common/limits.h as tables, one a section."""
    rows, comment = [], ""
    for block in re.split(r"\n\s*\n", (root / "common/limits.h").read_text()):
        section = re.fullmatch(r"/\* ([\w ]+) \*/", block.strip())
        if section:
            rows.append(f"\n### {section.group(1)}\n\n| limit | value | what it bounds, and why |"
                        "\n|---|---|---|")
            continue
        for piece in re.finditer(r"/\*((?:[^*]|\*(?!/))*)\*/|#define (BB_\w+)[ ]+([^\n]+)", block):
            if piece.group(1) is not None:
                comment = " ".join(piece.group(1).replace("\n *", " ").split())
            else:
                rows.append(f"| `{piece.group(2)}` | {readable(piece.group(3))} | {comment} |")
    return "\n".join(rows).strip() + "\n"


def readable(value):
    """64u << 20 as 64 Mi; other numbers with their digits in groups."""
    match = re.fullmatch(r"\(?(\d+)u? << (\d+)\)?", value.strip())
    if match:
        return f"{match.group(1)} {({'10': 'Ki', '20': 'Mi', '30': 'Gi'})[match.group(2)]}"
    digits = re.fullmatch(r"(\d+)u?", value.strip())
    return f"{int(digits.group(1)):,}" if digits else f"`{value.strip()}`"


def metrics_table(root):
    """common/metrics.def as one table, a row for each name, with all its labels."""
    by_name = {}
    pattern = r'BB_(COUNTER|GAUGE|HISTOGRAM)\(\w+, "([^"]+)", "((?:\\.|[^"\\])*)", "([^"]+)"\)'
    for kind, name, labels, words in re.findall(pattern, (root / "common/metrics.def").read_text()):
        entry = by_name.setdefault(name, (kind.lower(), words, []))
        if labels:
            entry[2].append(labels.replace('\\"', '"'))
    rows = ["| name | type | labels | what |", "|---|---|---|---|"]
    for name, (kind, words, labels) in by_name.items():
        shown = f"{name}_total" if kind == "counter" else name
        rows.append(f"| `{shown}` | {kind} | {', '.join(f'`{one}`' for one in labels)} | {words} |")
    return "\n".join(rows) + "\n"


def package_table(root):
    return subprocess.run(["bash", str(root / "cmake/deps.sh"), "--list"], check=True,
                          capture_output=True, text=True).stdout


def ask(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True,
                          env={}).stdout


def settings_block(program):
    return f"```\n{ask(program, '--help')}```\n"


def file_block(program):
    return f"```\n{ask(program, '--print-config')}```\n"


CLI_COMMANDS = ["services", "operations", "search", "trace", "import", "export", "generate"]


def help_block(program, *command):
    return f"```text\n{ask(program, *command, '--help')}```\n"


def put(page, name, made):
    """`page` with `made` between the comments called `name`."""
    begin, end = f"<!-- made by {name} -->\n", "<!-- end -->"
    before, found, rest = page.partition(begin)
    if not found:
        raise SystemExit(f"make_docs.py: no page has {begin.strip()}")
    return before + begin + made + end + rest.partition(end)[2]


def pages(root, program=None, cli=None):
    """(path, what it should be) of each page."""
    made = [("docs/limits.md", [("common/limits.h", limits_table(root))]),
            ("docs/metrics.md", [("common/metrics.def", metrics_table(root))]),
            ("README.md", [("cmake/deps.sh", package_table(root))])]
    if program:
        made.append(("docs/configuration.md", [("bobbind --help", settings_block(program)),
                                               ("bobbind --print-config", file_block(program))]))
    if cli:
        made.append(("docs/cli.md", [("bobbin --help", help_block(cli))] +
                     [(f"bobbin {name} --help", help_block(cli, name)) for name in CLI_COMMANDS]))
    for path, parts in made:
        page = (root / path).read_text()
        for name, text in parts:
            page = put(page, name, text)
        yield path, page


def stale_pages(root, program=None, cli=None):
    return [path for path, page in pages(root, program, cli) if (root / path).read_text() != page]


def value_of(flag):
    return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else None


def main():
    program, cli = value_of("--bobbind"), value_of("--bobbin")
    if "--check" in sys.argv:
        stale = stale_pages(ROOT, program, cli)
        for path in stale:
            print(f"{path} is not what its source says: run cmake/make_docs.py --bobbind PROGRAM "
                  "--bobbin PROGRAM")
        return 1 if stale else 0
    for path, page in list(pages(ROOT, program, cli)):
        (ROOT / path).write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
