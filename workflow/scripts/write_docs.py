"""`make docs`: write config/README.md and envs/*.yaml from the schemas and the lock file."""

from foldwise.docs import made_files

if __name__ == "__main__":
    for path, text in made_files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.name}")
