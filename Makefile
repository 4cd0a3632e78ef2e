# What developers run. CI runs .ci/run, which wants everything and skips nothing.

GOLANGCI_LINT = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: check format vet tidy test lint vuln fuzz build

check: format vet tidy lint test vuln ## everything before a push

build: ## the binary, as it is released
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o chancery ./cmd/chancery

format:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "make: run gofmt -w on these files"; exit 1; }

vet:
	go vet ./...

tidy:
	go mod tidy -diff

test:
	go test -race ./...

lint:
	$(GOLANGCI_LINT) run

# The scanner needs the vulnerability database; without a network, give a copy: VULNDB=file:///path
vuln:
	.ci/vulncheck

fuzz: ## each target for ten minutes; FUZZTIME=30s makes it short
	.ci/fuzz $(or $(FUZZTIME),10m)
