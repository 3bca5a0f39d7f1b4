# Two commands on a fresh machine, `make demo` and `make test`; each makes the virtual environment it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint reference clean

$(VENV)/pyvenv.cfg:
	$(PYTHON) -m venv $(VENV)

# The stamps say what is installed, so that a second run installs nothing.
$(VENV)/demo.stamp: pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "installing the packages of pyproject.toml into $(VENV) ..."
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[plot,prove,report]'
	@touch $@

$(VENV)/test.stamp: pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "installing the packages of pyproject.toml into $(VENV) ..."
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[plot,parquet,senders,models,prove,report,ecp5,compiled,test]'
	@touch $@

demo: $(VENV)/demo.stamp
	$(BIN)/python -m training.demo build/demo

# The forest that ships with the project and that `compiler export` takes when it is given none.
DATA := training/data
reference: $(VENV)/demo.stamp
	mkdir -p build/reference
	for part in learn test; do \
	    $(BIN)/python -m training flows $(DATA)/$$part.pcap.gz --labels $(DATA)/$$part.labels.csv.gz \
	        --server 198.19.0.10 --ports 25,587 -o build/reference/$$part.csv || exit; \
	done
	$(BIN)/python -m training fit build/reference/learn.csv --test build/reference/test.csv --ports 25,587 \
	    --features universal --directions both --leaves 4 --name reference -o compiler/reference/forest.json

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .

# pytest last, so that its summary is the last line.
test: lint
	$(BIN)/python -m pytest -q -n 2

clean:
	rm -rf $(VENV) build *.egg-info
