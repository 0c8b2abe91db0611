# Every command that a person or CI needs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Whatever has a description is a command, not a file.
.PHONY: help $(shell sed -n 's/^\([a-z][a-z-]*\):.*\#\#.*/\1/p' Makefile)

# The project brings its own Node as a development dependency, whatever the machine has.
NODE := node_modules/.bin/node
NODE_QUIET := $(NODE) --disable-warning=ExperimentalWarning
JEST := $(NODE_QUIET) --experimental-vm-modules node_modules/jest/bin/jest.js

SECONDS_ARG := $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS))

##@ Begin here
demo: install ## Run the whole product on this machine: SECONDS=60 ends by itself, DAY=<folder> replays a recorded day, SPEED=60
	@DEMO_SECONDS="$(SECONDS_ARG)" DAY="$(DAY)" SPEED="$(SPEED)" exec $(NODE_QUIET) local/demo/main.ts

test: install ## Every check, from types to a minute of chaos; ends with "N passed, N failed"
	@exec $(NODE_QUIET) test/run.ts

##@ A cluster of your own
cluster: install ## A whole Kubernetes with one node, MySQL and our image on this machine (root on Linux)
	@exec $(NODE_QUIET) local/cluster/main.ts up

cluster-down: install ## Take it down again, with all that it left
	@exec $(NODE_QUIET) local/cluster/main.ts down

image: install ## Build the image without a container engine, into out/image, and into the cluster if it runs: [IMAGE=name:tag] [CONTEXT=<folder>]
	@IMAGE="$(IMAGE)" CONTEXT="$(CONTEXT)" exec $(NODE_QUIET) local/cluster/image/main.ts

sbom: install ## Write what the image's packages are to out/sbom.cdx.json (CycloneDX)
	@mkdir -p out && npm sbom --omit=dev --package-lock-only --sbom-format=cyclonedx --sbom-type=application >out/sbom.cdx.json && echo out/sbom.cdx.json

##@ Single checks
check: types lint format unit ## Everything that needs no server

types: install ## Check the types
	@node_modules/.bin/tsc -p .
	@node_modules/.bin/tsc -p operator/console/page

lint: install ## Lint, with types
	@node_modules/.bin/oxlint --type-aware

format: install ## Write the format
	@node_modules/.bin/oxfmt

unit: install ## Unit tests; ARGS=test/… for some of them
	@exec $(JEST) $(or $(ARGS),test/unit)

integration: install ## Tests against a real API server and a real MySQL; ARGS=test/… for some of them
	@exec $(JEST) --runInBand $(or $(ARGS),test/integration)

pulumi-test: pulumi-install ## The Pulumi component's types and tests, offline
	@node_modules/.bin/tsc -p helm/pulumi
	@exec $(JEST) $(or $(ARGS),helm/pulumi/test)

e2e: install ## Image and chart on a real kubelet (root on Linux), or KUBECONFIG=… IMAGE=… IMAGE_PREVIOUS=… MYSQL_URL=…; ARGS=test/… for some
	@exec $(JEST) --runInBand --forceExit $(or $(ARGS),test/e2e)

browser: install ## The console in a real Chromium (Debian: apt-get install chromium); writes the pictures of docs/console.md
	@exec $(JEST) --runInBand --forceExit $(or $(ARGS),test/browser)

##@ Operate
audit: install ## Check the invariants in any database: DATABASE_URL=mysql://user:password@host:3306/dispatch
	@DATABASE_URL="$(DATABASE_URL)" exec $(NODE_QUIET) db/main.ts audit

explain: install ## Tell an order's whole story: ORDER=… DATABASE_URL=… [CITY=…]; CITY=… alone names orders
	@ORDER="$(ORDER)" CITY="$(CITY)" DATABASE_URL="$(DATABASE_URL)" exec $(NODE_QUIET) worker/story/main.ts

record: install ## Write a recorded tick of a City with spec.recordPercent to a file: CITY=… TICK=… OUT=… DATABASE_URL=…
	@CITY="$(CITY)" TICK="$(TICK)" OUT="$(OUT)" DATABASE_URL="$(DATABASE_URL)" exec $(NODE_QUIET) worker/records/main.ts record

replay: install ## Decide a recorded tick again and print what differs: FILE=… [PARAMETERS=<JSON file>] [DISPATCHER=greedy] [DISPATCHERS=<folder>]
	@FILE="$(FILE)" PARAMETERS="$(PARAMETERS)" DISPATCHER="$(DISPATCHER)" DISPATCHERS="$(DISPATCHERS)" exec $(NODE_QUIET) worker/records/main.ts replay

take-authority: install ## From now on tokens come from the cluster with this UID: CLUSTER_UID=… DATABASE_URL=… (see docs/authority.md)
	@DATABASE_URL="$(DATABASE_URL)" exec $(NODE_QUIET) db/main.ts take-authority $(CLUSTER_UID)

raise-epoch: install ## No token handed out so far claims any more: before a restore of etcd, DATABASE_URL=… (see docs/runbooks/etcd-restored.md)
	@DATABASE_URL="$(DATABASE_URL)" exec $(NODE_QUIET) db/main.ts raise-epoch

pulumi-preview: pulumi-install ## What Pulumi would do to the current cluster: IMAGE=registry/city-operator TAG=… (needs the pulumi CLI)
	@command -v pulumi >/dev/null || { echo "pulumi is missing: install it as pulumi.com/docs/install says" >&2; exit 1; }
	@IMAGE="$(IMAGE)" TAG="$(TAG)" exec helm/pulumi/preview.sh

check-contract: install ## Check the views and the procedure over your own tables: DATABASE_URL=mysql://admin:password@host:3306/dispatch
	@DATABASE_URL="$(DATABASE_URL)" exec $(NODE_QUIET) db/main.ts check-contract

##@ Prove
SEEDS ?= 1000000
HOURS ?= 100
simulate: install ## Simulate clusters on virtual time, with faults: SEEDS=500 HOURS=100 FIRST=1; SEED=7 tells one seed's story, NARROW=1 makes it smaller
	@exec $(NODE_QUIET) test/simulation/main.ts $(if $(WITHOUT),--without $(WITHOUT)) \
		$(if $(SEED),--seed $(SEED) $(if $(NARROW),--narrow,--narrate),--seeds $(SEEDS) --hours $(HOURS) $(if $(FIRST),--first $(FIRST)))

perturb: install ## Kill, delay and blind the operator on a real API server, at every write; restore from backups. ARGS=test/… for some of them
	@PERTURB=all exec $(JEST) --runInBand --forceExit $(or $(ARGS),test/perturbation)

model: install ## Check the protocol exhaustively with SPIN, and that every mutation of it is refuted
	@exec $(NODE_QUIET) test/model/main.ts

chaos: install ## Real processes on a failing network, killed, frozen and replaced: MINUTES=2 SEED=<of the run to repeat>
	@exec env $(foreach name,MINUTES SEED,$(if $($(name)),$(name)="$($(name))")) $(NODE_QUIET) test/chaos/main.ts

mutations: install ## Take every guard of the product away, one at a time, and see who notices: GUARD=<name>
	@exec $(NODE_QUIET) test/mutations/main.ts $(GUARD)

##@ Measure
bench: install ## Every benchmark in turn, then docs/benchmarks.md with its charts: about an hour on two cores
	@$(MAKE) --no-print-directory bench-placement
	@$(MAKE) --no-print-directory bench-round
	@$(MAKE) --no-print-directory bench-elections
	@$(MAKE) --no-print-directory bench-reflector
	@$(MAKE) --no-print-directory bench-worker
	@$(MAKE) --no-print-directory bench-fleet CITIES=100 WORKERS=4
	@$(MAKE) --no-print-directory bench-fleet CITIES=1000 WORKERS=20
	@$(MAKE) --no-print-directory bench-fleet CITIES=10000 WORKERS=200
	@-$(MAKE) --no-print-directory bench-commit
	@-$(MAKE) --no-print-directory bench-dispatch
	@$(MAKE) --no-print-directory bench-render

bench-render: install ## docs/benchmarks.md from what lies in out/bench
	@exec $(NODE_QUIET) test/bench/render.ts

bench-worker: install ## One worker with many cities: punctuality, event loop, memory, also with saturated dispatch threads: CITIES=500
	@exec env $(foreach name,CITIES PERIOD STEADY,$(if $($(name)),$(name)="$($(name))")) $(NODE_QUIET) test/bench/worker.ts

bench-round: install ## What a round of the operator costs with up to 100,000 cities, in memory: CITIES=100000
	@exec env $(foreach name,CITIES,$(if $($(name)),$(name)="$($(name))")) $(NODE_QUIET) test/bench/round.ts

bench-reflector: install ## 10,000 Leases, a storm of changes and a cut connection, beside client-node's own informer: LEASES=10000
	@exec env $(foreach name,LEASES CHANGES,$(if $($(name)),$(name)="$($(name))")) $(NODE_QUIET) test/bench/reflector.ts

bench-gaps: install ## What each kind of trouble costs a city, beside what is promised: CITIES=200 WORKERS=4 ONLY=<part of a name>
	@exec env $(foreach name,CITIES WORKERS ONLY,$(if $($(name)),$(name)="$($(name))")) $(NODE_QUIET) test/bench/gaps.ts

bench-fleet: install ## A whole fleet on real servers, from cold start to rolling replacement: CITIES=10000 WORKERS=200 PERIOD=60s PROFILE=yes
	@exec env $(foreach name,CITIES WORKERS PERIOD HEARTBEAT_INTERVAL STEADY PROFILE,$(if $($(name)),$(name)="$($(name))")) $(NODE_QUIET) test/bench/fleet.ts

bench-placement: install ## Time, evenness and moves of placing up to 100,000 cities, beside two kinds of hashing: ONLY=10000x200 SEED=1
	@exec env $(foreach name,SEED ONLY,$(if $($(name)),$(name)="$($(name))")) $(NODE_QUIET) test/bench/placement.ts

bench-elections: install ## What people would otherwise use: a client-go leader election per city (needs Go): CITIES=100
	@exec env $(foreach name,CITIES STEADY_SECONDS,$(if $($(name)),$(name)="$($(name))")) $(NODE_QUIET) test/bench/elections.ts

bench-dispatch: install ## How fast and how good dispatching is, beside a dense solver and the nearest courier: SAMPLES=100 SEEDS=5 ONLY=2000x10000
	@exec env $(foreach name,SAMPLES SEEDS ONLY,$(if $(filter command line environment,$(origin $(name))),$(name)="$($(name))")) $(NODE_QUIET) test/bench/dispatch.ts

bench-commit: install ## What the fence costs a commit, beside what people would otherwise use: COMMITS=100 ROUNDS=5 ONLY="0 1 20"
	@exec env $(foreach name,COMMITS ROUNDS ONLY,$(if $(filter command line environment,$(origin $(name))),$(name)="$($(name))")) $(NODE_QUIET) test/bench/commit.ts

bench-snapshot: install ## What a snapshot's way to its dispatch thread costs the main thread, before and now
	@exec $(NODE_QUIET) test/bench/snapshot.ts

mdrplib: install ## Play recorded city-days through the dispatcher, minute by minute: DATA=<folder of instances> OUT=<folder for solutions> DISPATCHER=greedy NOISE=1 ARGS=<beginnings of names>
	@exec env DATA="$(DATA)" OUT="$(OUT)" DISPATCHER="$(DISPATCHER)" NOISE="$(NOISE)" $(NODE_QUIET) test/bench/mdrplib.ts $(ARGS)

##@ Prepare
install: node_modules/.package-lock.json ## Install what the project needs from npm

node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later with npm (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@echo "installing packages from npm: about a minute, once"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

chart-docs: install ## Write what the chart has from elsewhere: its City resource, the table of its values, the types for Pulumi
	@exec $(NODE_QUIET) local/chart/main.ts

monitoring-docs: install ## Write what is made from the code about monitoring: the table of metrics, the dashboards of the chart
	@exec $(NODE_QUIET) local/monitoring/main.ts

pulumi-install: install helm/pulumi/node_modules/.package-lock.json

helm/pulumi/node_modules/.package-lock.json: helm/pulumi/package.json helm/pulumi/package-lock.json
	@echo "installing Pulumi's packages from npm: about half a minute, once"
	@npm ci --prefix helm/pulumi --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

control-plane: install ## Build etcd, kube-apiserver and kubectl from Go modules (about five minutes, once)
	@exec $(NODE_QUIET) local/control-plane/build.ts

previous-release: ## Keep a commit as the release that upgrades are tested from: COMMIT=…
	@git archive --format=tar $(COMMIT) -- Dockerfile helm/city-operator $$(git show $(COMMIT):.dockerignore | sed -n 's/^!//p') | gzip -9n >test/e2e/fixtures/previous-release.tar.gz

clean: ## Remove what was installed and written into this folder
	@rm -rf node_modules out helm/pulumi/node_modules

##@ Help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
