# The two commands of a newcomer are `make run` and `make test`; each installs what is missing on
# Debian (tools/packages.txt), builds, and runs. Everything else is meson and ninja.
BUILD    ?= build
CACHE    ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/narwhal
NARWHAL   = $(BUILD)/cli/narwhal

all: build

setup:
	@tools/setup.sh

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) $(MESONFLAGS) >/dev/null

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

# Unmodified Debian programs of armhf and amd64, raw code, then the board example.
run: build
	@tools/fetch-debian.sh armhf $(CACHE)/armhf busybox-static
	@tools/fetch-debian.sh amd64 $(CACHE)/amd64 busybox-static
	@tools/demo.sh $(NARWHAL) $(CACHE) $(BUILD)

test: build sysroots
	@NARWHAL_CACHE=$(CACHE) meson test -C $(BUILD) --print-errorlogs --no-suite slow

# Long workloads of whole programs.
test-slow: build sysroots
	@NARWHAL_CACHE=$(CACHE) meson test -C $(BUILD) --print-errorlogs --suite slow

sysroots: | setup
	@tools/fetch-sysroots.sh $(CACHE)

# Side by side: native, qemu-arm and qemu-x86_64 (others with QEMU_ARM=PATH, QEMU_X86_64=PATH), Narwhal.
bench: build sysroots
	@bench/run.py --narwhal $(NARWHAL) --cache $(CACHE) --build $(BUILD)

# Unicorn's own library of the release that ours is compatible with: NARWHAL_UNICORN, else Debian's.
UNICORN   = $(or $(NARWHAL_UNICORN),$(CACHE)/unicorn/lib)
unicorn: | setup
	@[ -n "$(NARWHAL_UNICORN)" ] || tools/fetch-unicorn.sh $(CACHE)/unicorn

# One program on that library and on ours, in turn; with CHECK=--check it fails when a bar is missed.
bench-unicorn: build unicorn
	@bench/unicorn.py --program $(BUILD)/bench/bench_unicorn --ours $(BUILD)/src/api/unicorn \
	    --reference $(UNICORN) $(CHECK)

# The long differential runs: SEEDS × 250,000 instructions per engine mode.
fuzz: build
	@tools/fuzz.sh $(BUILD)

# Random calls of the Unicorn interface under the sanitizers; a failure prints seed and sequence.
SEED     ?= $(shell date +%s)
fuzz-unicorn: | setup
	@[ -f $(BUILD)-asan/build.ninja ] || meson setup $(BUILD)-asan -Dsanitize=address,undefined >/dev/null
	@ninja -C $(BUILD)-asan --quiet tests/fuzz/fuzz_unicorn
	@$(BUILD)-asan/tests/fuzz/fuzz_unicorn $(SEED) 600

# What has several threads, again and again under ThreadSanitizer; the first report ends it.
TSAN      = api-threads api-run api-atomic api-nested api-snapshot unicorn-threads unicorn-run unicorn-vcpus \
    unicorn-narwhal
TIMES    ?= 5
tsan: | setup
	@[ -f $(BUILD)-tsan/build.ninja ] || meson setup $(BUILD)-tsan -Dsanitize=thread >/dev/null
	@meson test -C $(BUILD)-tsan --repeat $(TIMES) --maxfail 1 -t 10 --print-errorlogs $(TSAN)

clean:
	rm -rf $(BUILD)

.PHONY: all setup build run test test-slow sysroots bench unicorn bench-unicorn fuzz fuzz-unicorn tsan clean
