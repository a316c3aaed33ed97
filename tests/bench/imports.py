"""What jobs import: `python tests/bench/imports.py`. CPU seconds beside `import torch` alone.

Of each rule, everything that its adapter imports on its way to the one call, in a process of its
own; the least of three.
"""

import ast
import resource
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
ROUNDS = 3


def imports(path: Path) -> str:
    """All import statements of an adapter, those within its body too, as a program."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in found)


def seconds(program: str) -> float:
    """CPU seconds of a Python process that runs `program`."""
    spent = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def main() -> None:
    bare, torch = seconds("pass"), seconds("import torch")
    print(f"import  python       {bare:.2f} s\nimport  torch        {torch:.2f} s")
    for path in sorted(SCRIPTS.glob("*.py")):
        if "adapter(snakemake)" in path.read_text(encoding="utf-8"):
            own = seconds(imports(path))
            print(f"import  {path.stem:20} {own:.2f} s, {own / torch:.2f} of torch alone")


if __name__ == "__main__":
    main()
