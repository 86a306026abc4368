#!/bin/sh
# Runs examples/moving_mnist on tiny sizes: result line, files, help, errors, Ctrl-C and resume.
# usage: moving_mnist.sh PROGRAM WORKDIR
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

# Arguments of a run that takes a moment: 8 units, frames of 16 pixels.
tiny="--size 16 --digit-size 10 --hidden 8 --batch 4 --frames-in 3 --frames-out 3 --glyphs 20 --validate-every 20
      --validate-sequences 8 --test-sequences 12 --pictures 2 --threads 1 --device cpu"

# expect CODE WORD arguments...: exit code, and a word that the message must contain.
expect() {
    code=$1 word=$2
    shift 2
    "$program" "$@" >"$dir/expect.log" 2>&1
    got=$?
    [ $got -eq "$code" ] || bad "exit code $got instead of $code: $*: $(cat "$dir/expect.log")"
    grep -q -e "$word" "$dir/expect.log" || bad "no '$word' in the message of: $*: $(cat "$dir/expect.log")"
}

# ---- a whole run ----
# shellcheck disable=SC2086
"$program" $tiny --iterations 60 --save-every 25 --out "$dir/a" >"$dir/a.log" 2>&1 || bad "a run: $(cat "$dir/a.log")"
number='-\{0,1\}[0-9][0-9.]*'
line="^result: preset=demo iterations=60 seconds=$number pred_mse=$number rec_mse=$number naive_last=$number"
line="$line naive_mean=$number naive_black=$number gain=$number\$"
grep -q "$line" "$dir/a.log" || bad "the result line: $(grep result "$dir/a.log")"
# Extensions depend on whether giflib was there: .gif or _strip.png.
for name in loss.csv model.safetensors checkpoint.safetensors "prediction[._]*" "reconstruction[._]*" \
    contact_sheet.png loss.png; do
    [ "$(find "$dir/a" -name "$name" -size +0 | wc -l)" -eq 1 ] || bad "no file $name"
done
[ -z "$(find "$dir/a" -name '*~*')" ] || bad "temporary files are left"
[ "$(head -n 1 "$dir/a/loss.csv")" = "iteration,loss,held_out_loss,lr,seconds" ] || bad "the head of loss.csv"
[ "$(grep -c '^[0-9]' "$dir/a/loss.csv")" -eq 63 ] || bad "loss.csv: 60 updates and 3 validations expected"

# ---- cross-entropy says nats ----
# shellcheck disable=SC2086
"$program" --preset paper $tiny --iterations 3 --out "$dir/paper" >"$dir/paper.log" 2>&1 ||
    bad "the preset paper: $(cat "$dir/paper.log")"
grep -q "^result: preset=paper .* nats_per_frame=$number\$" "$dir/paper.log" || bad "nats per frame"

# ---- Ctrl-C and resume: the same weights as in one go ----
# interrupted NAME arguments...: a run in one go and one in two parts, the second with another number of threads.
interrupted() {
    whole=$dir/$1.whole parts=$dir/$1.parts
    shift
    "$program" "$@" --out "$whole" >"$whole.log" 2>&1 || bad "a whole run: $(cat "$whole.log")"
    : >"$parts.log"
    "$program" "$@" --out "$parts" >"$parts.log" 2>&1 &
    pid=$!
    tries=0
    until grep -q '^[0-9]*/6000' "$parts.log" || [ $tries -eq 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -INT $pid
    wait $pid
    got=$?
    [ $got -eq 130 ] || bad "exit code $got instead of 130 after an interrupt: $(cat "$parts.log")"
    grep -q -e "--resume $parts/checkpoint.safetensors" "$parts.log" || bad "how to resume: $(cat "$parts.log")"
    [ -e "$parts/model.safetensors" ] && bad "the interrupt came after the training"
    "$program" --resume "$parts/checkpoint.safetensors" --threads 2 >"$parts.rest.log" 2>&1 ||
        bad "a resumed run: $(cat "$parts.rest.log")"
    grep -q '^resumed at update' "$parts.rest.log" || bad "the resumed run began anew"
    cmp "$whole/model.safetensors" "$parts/model.safetensors" || bad "the weights differ after a resume"
    cut -d , -f 1 "$whole/loss.csv" >"$whole.rows"
    cut -d , -f 1 "$parts/loss.csv" | cmp - "$whole.rows" || bad "loss.csv of the parts has other rows"
}
# shellcheck disable=SC2086
interrupted plain $tiny --iterations 6000
# shellcheck disable=SC2086
interrupted random $tiny --iterations 6000 --preset seed --dropout 0.3 --decoder-input truth --truth 0.5

# ---- the second Ctrl-C, half a second later or more, does not wait: one update of this run takes seconds ----
"$program" --device cpu:ref --size 64 --digit-size 20 --hidden 384 --batch 64 --out "$dir/twice" \
    >"$dir/twice.log" 2>&1 &
pid=$!
sleep 0.5
kill -INT $pid
sleep 0.8
kill -INT $pid
wait $pid
got=$?
[ $got -eq 130 ] || bad "exit code $got instead of 130 after two interrupts"
grep -q -e "--resume" "$dir/twice.log" && bad "the second interrupt waited for the end of the update"

# ---- help and errors ----
expect 0 "--forget-bias" --help
expect 0 "\[2048\]" --preset seed --help
expect 2 "did you mean --hidden" --hiden 5
expect 2 "expected a whole number" --hidden five
expect 2 "expected 1 to 65536" --hidden 0
expect 2 "its value is missing" --hidden
expect 2 "expected demo|demo2|seed|paper" --preset none
expect 2 "expected mse|mae|huber|bce" --loss none
expect 2 "expected at most --size 16" --size 16 --digit-size 20
expect 2 "expected an option" hello
expect 1 "none.idx" --data "$dir/none.idx" --out "$dir/x"
expect 1 "none.safetensors" --resume "$dir/none.safetensors"
expect 1 "a.log" --data "$dir/a.log" --out "$dir/x"
expect 1 "not a folder" --out "$dir/a.log"
expect 1 "no-such-device" --device no-such-device --out "$dir/x"
expect 1 "device cuda: " --device cuda --out "$dir/x"
expect 1 "expected precision 0 (fp32), got 1" --device cpu --precision tf32 --out "$dir/x"
expect 2 "expected fp32|tf32|bf16" --precision half --out "$dir/x"
if [ "$(id -u)" -ne 0 ]; then
    mkdir "$dir/closed" && chmod 500 "$dir/closed"
    expect 1 "cannot" --out "$dir/closed/x"
fi

# ---- data from files ----
# Sequences [n,t,h,w] as .npy of bytes: 40 sequences of 8 frames of 12 x 10, time first and item first.
npy() { # FILE SHAPE
    header="{'descr': '|u1', 'fortran_order': False, 'shape': ($2), }"
    length=$((118 - ${#header} - 1))
    { printf '\223NUMPY\001\000v\000%s%*s\n' "$header" $length ''; } >"$1"
    head -c $((40 * 8 * 12 * 10)) "$program" >>"$1"
}
npy "$dir/items.npy" "40, 8, 12, 10"
npy "$dir/time.npy" "8, 40, 12, 10"
for name in items time; do
    # shellcheck disable=SC2086
    "$program" $tiny --data "$dir/$name.npy" --iterations 5 --out "$dir/$name" >"$dir/$name.log" 2>&1 ||
        bad "$name.npy: $(cat "$dir/$name.log")"
    grep -q "40 sequences of 8 frames of 12 x 10" "$dir/$name.log" || bad "$name.npy: $(grep data: "$dir/$name.log")"
done
expect 1 "its sequences have 8 frames" --data "$dir/items.npy" --out "$dir/x"
npy "$dir/digits.npy" "40, 8, 120"
# shellcheck disable=SC2086
"$program" $tiny --data "$dir/digits.npy" --iterations 5 --out "$dir/digits" >"$dir/digits.log" 2>&1 ||
    bad "digits.npy: $(cat "$dir/digits.log")"

[ $failures -eq 0 ] && echo "all well"
[ $failures -eq 0 ]
