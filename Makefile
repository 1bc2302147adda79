# make demo, make test: each sets up .venv by itself. The first time takes as long as the download of the packages.
.PHONY: demo test bench reproduce readme-figures clean

PYTHON ?= python3
BIN := .venv/bin
DEMO := outputs/demo
ALGORITHMS := sgd,topk,qsgd,signsgd_vote

# One thread per library: the simulator spreads work over its own threads, and sums stay equal to the bit.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bitclock needs Python 3.11 or newer, found " + sys.version.split()[0] + "; run make PYTHON=<a newer python>")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	@touch $@

test: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist worksteal

demo: .venv/.installed
	rm -rf $(DEMO)
	$(BIN)/python -m simulator -m algorithm=$(ALGORITHMS) hydra.sweep.dir=$(DEMO)/runs
	$(BIN)/python -m simulator -m algorithm=local_sgd rounds=50 eval_every=2 hydra.sweep.dir=$(DEMO)/runs
	$(BIN)/python -m simulator.retime run='$(DEMO)/runs/*' network=wan_100m,lte hydra.run.dir=$(DEMO)/retimed
	$(BIN)/python -m figures accuracy_vs_bits runs='$(DEMO)/runs/*' out=$(DEMO)/figures
	$(BIN)/python -m figures accuracy_vs_time runs='$(DEMO)/retimed/*/*' out=$(DEMO)/figures
	$(BIN)/python -m figures table runs='$(DEMO)/runs/*' runs='$(DEMO)/retimed/*/*' target=0.83 out=$(DEMO)/figures

# The README's pictures, from the demo's runs; each PNG says the command that made it.
readme-figures: demo
	$(BIN)/python -m figures time_to_target runs='$(DEMO)/runs/*' network=wan_100m target=0.83 out=$(DEMO)/figures
	$(BIN)/python -m figures regime_map runs='$(DEMO)/runs/*[kd]-lan_1g-*' network=lan_1g target=0.83 out=$(DEMO)/figures
	$(BIN)/python -m figures breakdown runs='$(DEMO)/retimed/*/wan_100m' unit=share out=$(DEMO)/figures
	for name in accuracy_vs_time time_to_target regime_map breakdown; do \
	    cp $(DEMO)/figures/$$name.png figures/readme/ || exit 1; \
	done

# The papers' claims, run again: all of them, or `make reproduce CLAIM=sbc_lenet5`. Ends in docs/reproduction.md.
reproduce: .venv/.installed
	$(BIN)/python -m benchmarks.claims $(CLAIM)

# Every speed of docs/benchmarks.md measured again, or `make bench PARTS="kernels rounds"`; with PEERS=1 other simulators too,
# each in an environment of its own. Then: python -m benchmarks.check outputs/benchmarks/all.json
bench: .venv/.installed
	$(BIN)/python -m benchmarks $(PARTS)
	$(if $(PEERS),$(BIN)/python -m benchmarks peers)

clean:
	rm -rf .venv $(DEMO) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
