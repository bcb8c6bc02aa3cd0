#!/usr/bin/env bash
# Real programs run unchanged: the same output and exit status inside an agent as outside.
source "$(dirname "$0")/lib.sh"
supervisor_start
ws=$(workspace ws)
cd "$ws" || exit 1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' PYTHONDONTWRITEBYTECODE=1 npm_config_update_notifier=false PATH=/usr/local/bin:/usr/bin:/bin
pass=(-e GIT_AUTHOR_NAME -e GIT_AUTHOR_EMAIL -e GIT_COMMITTER_NAME -e GIT_COMMITTER_EMAIL -e GIT_AUTHOR_DATE -e GIT_COMMITTER_DATE -e PYTHONDONTWRITEBYTECODE -e npm_config_update_notifier)

# same WHAT SCRIPT: run by sh in a fresh copy of the workspace, outside and inside
same() {
  local what=$1 script=$2 outside inside
  rm -rf "$folder/pristine"
  cp -a "$ws" "$folder/pristine"
  mkdir -p "$folder/home"
  outside=$(HOME=$folder/home sh -c "$script" 2>&1 </dev/null; echo "status $?")
  find "$ws" -mindepth 1 -delete
  cp -a "$folder/pristine/." "$ws"
  inside=$("$agentos" run --rm "${pass[@]}" -- sh -c "$script" 2>"$folder/err" </dev/null; echo "status $?")
  is "$what" "$inside" "$outside"
  [ "$inside" = "$outside" ] || cat "$folder/err"
  find "$ws" -mindepth 1 -delete
  cp -a "$folder/pristine/." "$ws"
}

mkdir origin
(cd origin && git init -q -b main . && echo one >file && git add . && git commit -q -m first)
same "git clone, commit, log" 'git clone -q origin copy && cd copy && echo two >>file && git commit -q -a -m second && git log --format="%H %s" && git status --short && git diff HEAD~1'
same "python3 with subprocesses and threads" 'python3 - <<P
import concurrent.futures, hashlib, multiprocessing, subprocess, threading, sqlite3, tempfile, os
def digest(n): return hashlib.sha256(str(n).encode()).hexdigest()[:8]
with concurrent.futures.ThreadPoolExecutor(8) as pool: print(list(pool.map(digest, range(20))))
with multiprocessing.Pool(4) as pool: print(pool.map(abs, range(-5, 5)))
print(subprocess.run(["sort", "-r"], input="a\nb\n", text=True, capture_output=True).stdout)
lock = threading.Lock(); counted = []
threads = [threading.Thread(target=lambda: (lock.acquire(), counted.append(1), lock.release())) for _ in range(50)]
[t.start() for t in threads]; [t.join() for t in threads]; print(len(counted))
with tempfile.TemporaryDirectory() as d:
    db = sqlite3.connect(os.path.join(d, "x")); db.execute("create table t(a)"); db.execute("insert into t values (7)"); print(db.execute("select a from t").fetchall())
P'
same "node: workers, child processes, a loopback server" 'node -e "
const http = require(\"http\"), {execFileSync} = require(\"child_process\"), {Worker} = require(\"worker_threads\");
console.log(execFileSync(\"sort\", {input: \"b\\na\\n\"}).toString());
const s = http.createServer((q, r) => r.end(\"hello\")).listen(0, \"127.0.0.1\", async () => {
  console.log(await (await fetch(\"http://127.0.0.1:\" + s.address().port)).text()); s.close();
  new Worker(\"require(\\\"worker_threads\\\").parentPort.postMessage(6*7)\", {eval: true}).on(\"message\", m => console.log(m));
});"'
mkdir pack
(cd pack && printf '{"name":"local-pack","version":"1.2.3","bin":{"local-pack":"cli.js"}}' >package.json && printf '#!/usr/bin/env node\nconsole.log("packed")\n' >cli.js && npm pack --silent >/dev/null 2>&1)
same "npm install from a local tarball" 'mkdir app && cd app && npm init -y >/dev/null && npm install --silent --no-audit --no-fund --offline ../pack/local-pack-1.2.3.tgz && node_modules/.bin/local-pack && cat package.json'
cp -r "$AGENTOS_SOURCE/src/base" "$AGENTOS_SOURCE/include" .
same "gcc builds src/base" 'g++ -std=c++23 -D_GNU_SOURCE -Iinclude -c base/text.cpp -o text.o && g++ -std=c++23 -D_GNU_SOURCE -Iinclude -c base/result.cpp -o result.o && sha256sum text.o result.o'
same "bash: pipes, substitutions, traps, background jobs" 'bash -c "set -o pipefail; diff <(seq 3) <(seq 4); sleep 0.1 & wait \$!; echo \$?; trap \"echo bye\" EXIT; cat <<< here | tr a-z A-Z; kill -0 \$\$; false | true; echo \$?"'
same "a Rust program (ripgrep)" 'printf "alpha\nbeta\n" >words && rg -n eta words'
same "a Go program (fzf)" 'printf "alpha\nbeta\ngamma\n" | fzf -f et'
same "perl, awk, tar, xz, find, make" 'printf "all:\n\t@echo made\n" >Makefile && make -s && tar cJf x.tar.xz Makefile && tar tJf x.tar.xz && perl -e "print 6*7, qq(\n)" && find . -name Makefile | sort && seq 5 | awk "{s+=\$1} END {print s}"'
same "chmod, links, rename, long names, sparse files" 'echo x >a && chmod 751 a && ln a b && ln -s a c && mv b d && truncate -s 1G sparse && stat -c "%a %h %s %F %n" a c d sparse && readlink c && rm sparse && mkdir -p $(printf "n%.0s" $(seq 200)) && ls | wc -l'
is "file times and owners as outside" "$("$agentos" run --rm -w :bind -- sh -c 'touch -d @1000000000 dated; stat -c %Y dated' 2>/dev/null) $(stat -c '%u %Y' dated)" "1000000000 0 1000000000"

# Twenty builds in twenty agents at once.
for i in $(seq 20); do
  mkdir "build$i"
  printf '#include <cstdio>\nint main() { std::printf("%%d\\n", %d * %d); }\n' "$i" "$i" >"build$i/main.cpp"
  "$agentos" run --rm --workspace "$ws/build$i" -- sh -c 'g++ -O1 -o main main.cpp && ./main' >"$folder/build$i" 2>"$folder/build$i.err" &
done
for job in $(jobs -p); do [ "$job" = "${spawnd:-}" ] || [ "$job" = "${agentosd:-}" ] || wait "$job"; done
right=0
for i in $(seq 20); do [ "$(cat "$folder/build$i")" = $((i * i)) ] && right=$((right + 1)) || cat "$folder/build$i.err"; done
is "20 builds in 20 agents at once" "$right" 20
finish
