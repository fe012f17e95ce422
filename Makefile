# Each target sets up all it needs in .venv by itself: with uv where it is installed, with venv and pip where not.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed-dev
.PHONY: demo test lint figures bench docs notebooks clean

$(STAMP): pyproject.toml
	@if command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; then \
	  test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV); \
	  uv pip install --quiet --python $(BIN)/python -e '.[dev]'; \
	else \
	  test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
	  $(BIN)/python -m pip install --quiet --upgrade pip && $(BIN)/python -m pip install --quiet -e '.[dev]'; \
	fi
	@touch $(STAMP)

demo: $(STAMP)
	$(BIN)/synthpop-gb demo

test: $(STAMP)
	$(BIN)/python -m pytest -q --cov --cov-report=term:skip-covered --cov-report=xml

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell synthpop_gb tests docs README.md CHANGELOG.md CONTRIBUTING.md inputs benchmarks notebooks

figures: $(STAMP)
	$(BIN)/python benchmarks/figures.py

bench: $(STAMP)
	$(BIN)/python benchmarks/run_all.py

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet '.[docs]' 2>/dev/null || uv pip install --quiet --python $(BIN)/python '.[docs]'
	$(BIN)/python -m sphinx -W -b html docs docs/_build/html

# notebooks with their pictures, in outputs/notebooks; on real census data where SYNTHPOP_GB_DATA is set
notebooks: $(STAMP)
	mkdir -p outputs/notebooks
	for f in notebooks/*.py; do \
	  book=outputs/notebooks/$$(basename $$f .py).ipynb; \
	  $(BIN)/jupytext --quiet --to ipynb --output $$book $$f && $(BIN)/jupyter-execute --inplace $$book || exit 1; \
	done

clean:
	rm -rf $(VENV) docs/_build .pytest_cache .ruff_cache .coverage coverage.xml
