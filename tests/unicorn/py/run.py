"""run.py [--fetched] [NAME...]: runs the scripts test_NAME.py with the Python binding of Unicorn, each in a
process of its own, on the library that the dynamic linker finds first. The binding is the distribution's;
with --fetched it is the one that tools/fetch-unicorn.sh has left beside the library NARWHAL_UNICORN. 77
(skipped) where there is no binding."""
import os
import pathlib
import subprocess
import sys

SKIPPED = 77
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that packages of the distribution are for


def take_fetched():
    library = os.environ.get("NARWHAL_UNICORN")
    binding = pathlib.Path(library).resolve().parent / "python" if library else None
    if not binding or not (binding / "unicorn").is_dir():
        print("no binding was fetched")
        sys.exit(SKIPPED)
    os.environ["PYTHONPATH"] = str(binding)
    sys.path.insert(0, str(binding))


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
    names = sys.argv[1:]
    if names[:1] == ["--fetched"]:
        del names[0]
        take_fetched()
    find_binding()
    import common
    print(common.about(), flush=True)
    here = pathlib.Path(__file__).resolve().parent
    names = names or sorted(p.stem[len("test_"):] for p in here.glob("test_*.py"))
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
