#!/usr/bin/env bash
# Group H of the attacks, the part about workspaces: files that something outside the sandbox runs or obeys later. The agent
# writes one of each class, and commit takes over none of them until they are named. Shown to work: with a workspace of mode
# bind the same agent writes them all, and so does commit --allow. What stops it: the list in src/workspace/protected.cpp.
source "$(dirname "$0")/../host/agents/lib.sh"
supervisor_start
chmod 755 "$folder"
mapfile -t classes <<'LIST'
.git/hooks/post-checkout
.git/config
.git/objects/info/alternates
.gitmodules
.husky/pre-commit
.bashrc
.profile
.ssh/authorized_keys
.config/autostart/x.desktop
.config/systemd/user/x.service
.envrc
.vscode/tasks.json
.idea/workspace.xml
.devcontainer/devcontainer.json
.vimrc
.mcp.json
.claude/settings.json
.cursor/mcp.json
CLAUDE.md
AGENTS.md
GEMINI.md
sub/folder/CLAUDE.md
sub/.git/hooks/pre-push
.github/workflows/ci.yml
.gitlab-ci.yml
.npmrc
.cargo/config.toml
.gdbinit
.netrc
HEAD
claude.MD
.GIT/hooks/post-merge
LIST
attack='for path in "$@"; do case $path in */*) mkdir -p "${path%/*}" ;; esac; echo evil >"$path"; done; echo good >good'
there() { # there FOLDER: which of them are in it
  local path
  for path in "${classes[@]}"; do [ -e "$1/$path" ] && echo "$path"; done
}
all=$(printf '%s\n' "${classes[@]}")

open=$(workspace open)
status "in a workspace of its own to write it writes them all" 0 "$agentos" run --rm -w "$open:bind" -- sh -ec "$attack" sh "${classes[@]}"
is "and there they are" "$(there "$open")" "$all"

kept=$(workspace kept)
cd "$kept" || exit 1
status "in its layer too" 0 "$agentos" run --name writer -- sh -ec "$attack" sh "${classes[@]}"
is "the workspace has none" "$(there "$kept")" ""
is "diff says of each that it is protected, and of nothing else" \
  "$("$agentos" diff --json writer | jq -r '.changes[] | select(.protected != null) | .path' | grep -xFf <(echo "$all") | sort)" "$(echo "$all" | sort)"
is "the other file is not" "$("$agentos" diff --json writer | jq -r '.changes[] | select(.path == "good").protected')" null
status "commit holds them back" 5 "$agentos" commit writer
is "the workspace has none of them" "$(there "$kept")" ""
is "but the other" "$(cat good)" good
status "--force is about conflicts, and holds them back as well" 5 "$agentos" commit --force writer
status "naming one as a path is not to allow it" 5 "$agentos" commit writer .bashrc CLAUDE.md
is "the workspace has none of them" "$(there "$kept")" ""

# A link by an innocent name to such a place, and a folder that becomes a link to one.
status "links come in where they are harmless by their name" 0 "$agentos" run --name linker -- sh -ec \
  'ln -s .git/hooks hooks; ln -s ../../elsewhere out'
"$agentos" commit linker >/dev/null 2>&1
is "and bring none of the classes" "$(there "$kept")" ""
rm -f hooks out
mkdir victim hooks
status "it writes into a folder" 0 "$agentos" run --name through -- sh -ec 'echo evil >hooks/file'
rmdir hooks && ln -s victim hooks
status "which is a link to another by now" 5 "$agentos" commit through
is "nothing was written through it" "$(ls -A victim)" ""
rm hooks

allow=()
for path in "${classes[@]}"; do allow+=(--allow "$path"); done
status "with --allow they are committed" 0 "$agentos" commit "${allow[@]}" writer
is "and there they are" "$(there "$kept")" "$all"
finish
