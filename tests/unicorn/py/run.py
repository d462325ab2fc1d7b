"""run.py [NAME...]: runs the scripts test_NAME.py with the Python binding of Unicorn, each in a process
of its own, on the library that the dynamic linker finds first. 77 (skipped) where there is no binding."""
import os
import pathlib
import subprocess
import sys

SKIPPED = 77
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that packages of the distribution are for


def find_binding():
    try:
        import unicorn
        return unicorn
    except ImportError as e:
        if os.path.exists(SYSTEM_PYTHON) and not os.environ.get("UNICORN_PY_SYSTEM"):
            os.environ["UNICORN_PY_SYSTEM"] = "1"
            os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON] + sys.argv)
        print("no Python binding:", e)
        sys.exit(SKIPPED)


def main():
    find_binding()
    import common
    print(common.about(), flush=True)
    here = pathlib.Path(__file__).resolve().parent
    names = sys.argv[1:] or sorted(p.stem[len("test_"):] for p in here.glob("test_*.py"))
    failed = []
    for name in names:
        try:
            status = subprocess.run([sys.executable, str(here / f"test_{name}.py")], timeout=60).returncode
        except subprocess.TimeoutExpired:
            status = "timeout"
        word = {0: "ok", SKIPPED: "skipped"}.get(status, f"FAILED ({status})")
        print(f"{name}: {word}", flush=True)
        if status not in (0, SKIPPED):
            failed.append(name)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
