#!/bin/sh
# documents.sh SOURCE_DIR: what documents and comments point to is there.
set -u
cd "$1" || exit 1
complaints=$(mktemp) || exit 1
trap 'rm -f "$complaints"' EXIT

# Links of documents, relative to the document; anchors are the headings of the target.
for document in *.md docs/*.md docs/*/*.md; do
    grep -oE '\]\([^)]+\)' "$document" | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:' | while IFS= read -r link; do
        file=${link%%#*} anchor=${link#"${link%%#*}"}
        target=$document
        [ -z "$file" ] || target=$(dirname "$document")/$file
        [ -e "$target" ] || { echo "$document points to $link, which is not there"; continue; }
        [ -z "$anchor" ] || sed -n 's/^##* //p' "$target" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-' |
            grep -qxF "${anchor#\#}" || echo "$document points to $link: no such heading"
    done
done >>"$complaints"

# Documents and scripts that code and texts name.
grep -rnoE '\<(docs|scripts)/[a-z_-]+(\.[a-z]+)?' --include='*.[ch]' --include='*.md' --include='*.txt' \
    --include='*.py' include src examples tests docs README.md CHANGELOG.md |
    while IFS=: read -r file line name; do
        [ -e "$name" ] || echo "$file:$line names $name, which is not there"
    done >>"$complaints"

cat "$complaints"
[ ! -s "$complaints" ]
