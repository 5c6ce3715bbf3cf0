"""Nothing that a file says is run: no pickles, no words for a shell, no way out of the results."""

import ast

import pytest
import yaml
from test_workflow import ROOT, SETTINGS, snakemake

from symbreak.config import parse
from symbreak.errors import SymbreakError

HARM = "$(touch pwned) `touch pwned`; touch pwned & 'x\" ü"

#: Calls that could run what a file says, and the places where that cannot be: there files are compared with
#: checksums before, or are files of the package itself, read by a loader of safe types.
FORBIDDEN = {"pickle.load", "pickle.loads", "os.system", "os.popen", "yaml.load", "eval", "exec"}
CHECKED = {("cifar.py", "pickle.load"), ("packaged.py", "yaml.load")}
#: Calls that are safe with a keyword only.
DEMANDED = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}


def calls():
    for path in sorted((ROOT / "symbreak").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield path.name, ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}


def test_no_call_runs_what_a_file_says():
    found = list(calls())
    assert len(found) > 3000
    for name, function, keywords in found:
        assert function not in FORBIDDEN or (name, function) in CHECKED, (name, function)
        assert keywords.get("shell") != "True", (name, function)
        if function in DEMANDED:
            keyword, value = DEMANDED[function]
            assert keywords.get(keyword) == str(value), (name, function)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "../up"}, "`name`"),
        ({"name": "a b"}, "`name`"),
        ({"name": "$(x)"}, "`name`"),
        ({"networks": {"a/b": {}}}, "`networks.a/b`"),
        ({"networks": {"..": {}}}, "`networks...`"),
        ({"networks": {"tables": {}}}, "a folder of results"),
        ({"data": {"root": "../elsewhere"}}, "absolute path"),
        ({"data": {"root": "data/../../elsewhere"}}, "absolute path"),
        ({"data": {"root": "a\0b"}}, "printable"),
        ({"title": "\ud800"}, "printable"),
        ({"title": "two\nlines"}, "printable"),
        ({"training": {"learning_rate": float("inf")}}, "finite"),
        ({"seeds": [10**30]}, "too large"),
    ],
)
def test_names_and_paths_stay_inside(change, words):
    with pytest.raises(SymbreakError) as caught:
        parse(SETTINGS | change)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_an_absolute_folder_is_meant_so():
    assert parse(SETTINGS | {"data": {"root": "/scratch/../data"}}).data.root == "/scratch/../data"


@pytest.mark.workflow
def test_the_workflow_takes_names_for_names(tmp_path):
    """In a folder, with an experiment file, a title and a data folder that all mean something to a shell."""
    folder = tmp_path / HARM
    folder.mkdir()
    for name in ("Snakefile", "workflow", "config", "symbreak", "environment.yml", "profiles"):
        (folder / name).symlink_to(ROOT / name)
    settings = SETTINGS | {"title": HARM, "data": SETTINGS["data"] | {"root": HARM}}
    (folder / f"{HARM}.yaml").write_text(yaml.safe_dump(settings))
    target = "results/tiny/small/seed1/network.safetensors"
    answer = snakemake(target, "--configfile", f"{HARM}.yaml", cwd=folder)
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]
    assert (folder / target).exists()
    assert not list(tmp_path.rglob("pwned")) and not (ROOT / "pwned").exists()
