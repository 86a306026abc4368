#!/bin/sh
# Runs examples/timeseries_ae on its own series: train, score, watch, embed, help, errors, Ctrl-C and resume.
# usage: timeseries_ae.sh PROGRAM WORKDIR
set -u
program=$1
dir=$2
rm -rf "$dir"
mkdir -p "$dir/plugin"
failures=0

# These runs are the CPU's: the plugin of a GPU, if there is one, is hidden by a file that is none.
: >"$dir/plugin/liblstmae-cuda.so"
LSTMAE_BACKEND_PATH=$dir/plugin
export LSTMAE_BACKEND_PATH

bad() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# expect CODE WORD arguments...: exit code, and a word that the message must contain. Standard input is $dir/input.
: >"$dir/input"
expect() {
    code=$1 word=$2
    shift 2
    "$program" "$@" <"$dir/input" >"$dir/expect.log" 2>&1
    got=$?
    [ $got -eq "$code" ] || bad "exit code $got instead of $code: $*: $(cat "$dir/expect.log")"
    grep -q -e "$word" "$dir/expect.log" || bad "no '$word' in the message of: $*: $(cat "$dir/expect.log")"
}

# value NAME FILE: of "NAME=value" in its lines of results.
value() {
    sed -n "s/^\\(result\\|truth\\): .*\\b$1=\\([^ ]*\\).*/\\2/p" "$2" | tail -n 1
}

# ---- the program's own series: it finds what was planted ----
"$program" train --out "$dir/own" --epochs 12 --threads 1 >"$dir/own.log" 2>&1 || bad "train: $(cat "$dir/own.log")"
[ "$(grep -c '^planted: ' "$dir/own.log")" -eq 6 ] || bad "six anomalies are planted"
[ "$(value found "$dir/own.log")" -ge 5 ] || bad "at most one is missed: $(grep truth "$dir/own.log")"
[ "$(value false_events "$dir/own.log")" -le 1 ] || bad "hardly a false alarm: $(grep truth "$dir/own.log")"
[ "$(value rows "$dir/own.log")" -eq 3000 ] || bad "it learns from the normal rows"
for name in series.csv model.safetensors scores.csv scores.png; do
    [ "$(find "$dir/own" -name "$name" -size +0 | wc -l)" -eq 1 ] || bad "no file $name"
done
model=$dir/own/model.safetensors
series=$dir/own/series.csv

# ---- score: the same file gives the same scores; watch: the same alarms, one sample at a time ----
"$program" score "$series" --from "$model" --out "$dir/score" >"$dir/score.log" 2>&1 ||
    bad "score: $(cat "$dir/score.log")"
cmp -s "$dir/own/scores.csv" "$dir/score/scores.csv" || bad "score and train disagree"
[ "$(head -n 1 "$dir/score/scores.csv")" = "row,score,threshold,alarm,column" ] || bad "the head of scores.csv"
[ "$(wc -l <"$dir/score/scores.csv")" -eq 6001 ] || bad "a line for each row"
"$program" watch --from "$model" <"$series" >"$dir/watch.log" 2>&1 || bad "watch: $(cat "$dir/watch.log")"
[ "$(value alarms "$dir/watch.log")" = "$(value alarms "$dir/score.log")" ] || bad "score and watch: other alarms"
[ "$(value alarm_rows "$dir/watch.log")" = "$(value alarm_rows "$dir/score.log")" ] || bad "score and watch: other rows"
[ "$(grep -c '^alarm row=' "$dir/watch.log")" = "$(value alarms "$dir/watch.log")" ] || bad "a line for each alarm"

# Columns in another order, with one more and the header in quotes: found by their names.
awk -F, '{ print "\"" $6 "\";t" NR ";\"" $5 "\";\"" $4 "\";\"" $3 "\";\"" $2 "\";\"" $1 "\"" }' "$series" |
    sed '2,$s/"//g' >"$dir/turned.csv"
"$program" watch --from "$model" <"$dir/turned.csv" >"$dir/turned.log" 2>&1 || bad "turned: $(cat "$dir/turned.log")"
cmp -s "$dir/watch.log" "$dir/turned.log" || bad "the order of columns changes alarms"

# An alarm is told before the next sample comes, not at the end.
mkfifo "$dir/pipe"
"$program" watch --from "$model" <"$dir/pipe" >"$dir/live.log" 2>&1 &
pid=$!
exec 3>"$dir/pipe"
head -n 3500 "$series" >&3
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    grep -q '^alarm row=33' "$dir/live.log" && break
    sleep 1
done
grep -q '^alarm row=33' "$dir/live.log" || bad "no alarm while the pipe is open"
kill -INT $pid
wait $pid
[ $? -eq 130 ] || bad "Ctrl-C ends watch with 130"
exec 3>&-
grep -q '^result: rows=3499 ' "$dir/live.log" || bad "a result after Ctrl-C: $(tail -n 1 "$dir/live.log")"

# ---- embed ----
expect 0 '^result: windows=5991 code=8$' embed "$series" --from "$model" --out "$dir/codes"
[ "$(wc -l <"$dir/codes/codes.csv")" -eq 5992 ] || bad "a line for each window"
[ "$(wc -c <"$dir/codes/codes.npy")" -eq $((128 + 5991 * 8 * 4)) ] || bad "the size of codes.npy"

# ---- every kind of model ----
short="--rows 500 --epochs 1 --threads 1 --out $dir/kind"
for kind in "lstm --cells shared --decoder output --order reversed --code 0" "lstm --both-ways yes --peepholes yes" \
    "vae --decoder nothing" "dense --threshold sigma" "conv --window 9 --threshold spot --quantile 0.9" \
    "linear --scaling robust --drift all"; do
    # shellcheck disable=SC2086
    expect 0 '^result: ' train "$series" $short --model $kind
    expect 0 '^result: rows=6000 ' score "$series" --out "$dir/kind"
    expect 0 '^result: windows=' embed "$series" --out "$dir/kind"
done

# ---- Ctrl-C and resume: the same model as in one go ----
# shellcheck disable=SC2086
interrupted="train $series --rows 3000 --epochs 300 --patience 0 --hidden 8 --code 4 --seed 3"
# shellcheck disable=SC2086
: >"$dir/parts.log"
# shellcheck disable=SC2086
"$program" $interrupted --out "$dir/parts" >"$dir/parts.log" 2>&1 &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    grep -q ' left$' "$dir/parts.log" && break
    sleep 1
done
kill -INT $pid
wait $pid
[ $? -eq 130 ] || bad "Ctrl-C ends a training with 130: $(cat "$dir/parts.log")"
grep -q "train --resume $dir/parts/model.safetensors" "$dir/parts.log" || bad "it says how to go on"
expect 1 'its training was stopped' score "$series" --out "$dir/parts"
# Both end at the epoch that comes after the one in which the first was stopped.
epoch=$(sed -n 's/^stopped after update \([0-9]*\);.*/\1/p' "$dir/parts.log")
epoch=$((epoch / 85 + 2))
expect 0 '^result: ' train --resume "$dir/parts/model.safetensors" --epochs "$epoch" --out "$dir/parts"
cp "$dir/expect.log" "$dir/resumed.log"
# shellcheck disable=SC2086
expect 0 '^result: ' $interrupted --epochs "$epoch" --out "$dir/whole"
[ "$(value threshold "$dir/resumed.log")" = "$(value threshold "$dir/expect.log")" ] || bad "resumed: another threshold"
expect 0 '^result: ' score "$series" --out "$dir/whole"
expect 0 '^result: ' score "$series" --out "$dir/parts"
cmp -s "$dir/whole/scores.csv" "$dir/parts/scores.csv" || bad "resumed: other scores"

# ---- help and wrong use ----
expect 0 'usage:' --help
expect 2 'expected a command'
expect 2 'expected a command' dance
expect 2 'expected a file after the command' score
expect 2 'unknown option' train --epoch 3
expect 2 'expected 2 to 100000' train --window 1
expect 2 'standard input' watch "$series"
expect 2 'the model keeps' score "$series" --from "$model" --window 12
expect 2 'delimiter' train "$series" --delimiter ab
expect 1 'missing.csv' train "$dir/missing.csv"
expect 1 'missing.safetensors' watch --from "$dir/missing.safetensors"
expect 1 "no column 'height'\|height" train "$series" --columns "speed,height" --out "$dir/kind"
expect 1 'device cuda: ' train "$series" --device cuda --out "$dir/kind"
expect 1 'expected precision 0 (fp32), got 2' train "$series" --precision bf16 --out "$dir/kind"
expect 2 'expected fp32|tf32|bf16' train "$series" --precision 16 --out "$dir/kind"
expect 1 'rows' train "$series" --rows 9999 --out "$dir/kind"
expect 1 'at least' train "$series" --rows 5 --out "$dir/kind"
expect 1 'its training is done' train --resume "$model" --out "$dir/kind"
printf 'speed,current\n1,2\n3,what\n' >"$dir/broken.csv"
expect 1 'line 3' train "$dir/broken.csv" --columns "speed,current" --out "$dir/kind"
printf 'not a model' >"$dir/broken.safetensors"
expect 1 'broken.safetensors' score "$series" --from "$dir/broken.safetensors"
head -n 20 "$series" >"$dir/input"
echo "1,2,3" >>"$dir/input"
expect 1 'line 21: expected at least 6 cells, got 3' watch --from "$model"
head -n 20 "$series" >"$dir/input"
echo "1,2,3,4,5,six,0" >>"$dir/input"
expect 1 'line 21' watch --from "$model"
sed '1s/flow/flaw/' "$series" >"$dir/input"
expect 1 "'flow'" watch --from "$model"
head -n 3 "$series" >"$dir/input"
expect 0 '^result: rows=2 alarms=0' watch --from "$model"
expect 1 'at least one window' score "$dir/input" --from "$model" --out "$dir/kind"

[ $failures -eq 0 ] || echo "$failures failures"
[ $failures -eq 0 ]
