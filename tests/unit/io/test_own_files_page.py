import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "own-files-tables.md"


def test_the_examples_run_as_they_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(examples) == 5
    exec("\n".join(examples), {})
