# Two commands on a fresh machine, `make demo` and `make test`; each makes the virtual environment it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint clean

$(VENV)/pyvenv.cfg:
	$(PYTHON) -m venv $(VENV)

# The stamps say what is installed, so that a second run installs nothing.
$(VENV)/demo.stamp: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/test.stamp: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[plot,parquet,test]'
	@touch $@

demo: $(VENV)/demo.stamp
	$(BIN)/python -m compiler boards

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .

# pytest last, so that its summary is the last line.
test: lint
	$(BIN)/python -m pytest -q -n 2

clean:
	rm -rf $(VENV)
