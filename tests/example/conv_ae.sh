#!/bin/sh
# Runs examples/conv_ae on tiny sizes: every command, result lines, files, Ctrl-C and resume, help and errors.
# usage: conv_ae.sh PROGRAM WORKDIR [slow]
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

# expect CODE WORD arguments...: exit code, and a word that the message must contain.
expect() {
    code=$1 word=$2
    shift 2
    "$program" "$@" >"$dir/expect.log" 2>&1
    got=$?
    [ $got -eq "$code" ] || bad "exit code $got instead of $code: $*: $(cat "$dir/expect.log")"
    grep -q -e "$word" "$dir/expect.log" || bad "no '$word' in the message of: $*: $(cat "$dir/expect.log")"
}

number='-\{0,1\}[0-9][0-9.e+-]*'
tiny="--images 120 --batch 16 --epochs 2 --threads 1 --device cpu"

# trains MODEL LATENT REST: a training and its result line.
trains() {
    model=$1 latent=$2 rest=$3
    # shellcheck disable=SC2086
    "$program" train --model "$model" $tiny --pretrain-epochs 1 --out "$dir/$model" >"$dir/$model.log" 2>&1 ||
        bad "training $model: $(cat "$dir/$model.log")"
    line="^result: dataset=[a-z0-9]* model=$model latent=$latent epochs=2 seconds=$number val_loss=$number"
    line="$line test_loss=$number psnr=$number ssim=$number$rest\$"
    grep -q "$line" "$dir/$model.log" || bad "the result line of $model: $(grep result "$dir/$model.log")"
    for name in loss.csv model.safetensors "loss.p*"; do
        [ "$(find "$dir/$model" -name "$name" -size +0 | wc -l)" -eq 1 ] || bad "$model: no file $name"
    done
    [ -n "$(find "$dir/$model/events" -name 'events.out.tfevents.*' -size +100c)" ] || bad "$model: no events"
    [ -z "$(find "$dir/$model" -name '*~*')" ] || bad "$model: temporary files are left"
}
trains uva 128 ""
trains mnist-linear 20 ""
trains vae 20 " elbo=$number reconstruction=$number kl=$number"
trains denoising 128 " noisy_psnr=$number denoised_psnr=$number"
trains stacked 30 ""
[ "$(grep -c '^[0-9]' "$dir/stacked/loss.csv")" -eq 6 ] || bad "loss.csv of stacked: 4 layers and 2 epochs expected"
# shellcheck disable=SC2086
"$program" train --model mnist-conv --images 40 --batch 8 --epochs 1 --threads 1 --out "$dir/mnist-conv" \
    >"$dir/mnist-conv.log" 2>&1 || bad "training mnist-conv: $(cat "$dir/mnist-conv.log")"

# ---- the other commands ----
# runs MODEL COMMAND LINE FILES...: its result line, and files in the model's folder.
runs() {
    model=$1 command=$2 line=$3
    shift 3
    "$program" "$command" --out "$dir/$model" --threads 1 --count 3 >"$dir/$model.$command.log" 2>&1 ||
        bad "$command of $model: $(cat "$dir/$model.$command.log")"
    grep -q "^result: $line\$" "$dir/$model.$command.log" ||
        bad "the result line of $model $command: $(grep result "$dir/$model.$command.log")"
    for name in "$@"; do
        [ -s "$dir/$model/$name" ] || bad "$model $command: no file $name"
    done
}
for model in uva vae denoising stacked; do
    case $model in uva) latent=128 ;; vae) latent=20 ;; denoising) latent=128 ;; *) latent=30 ;; esac
    from=codes
    [ $model = vae ] && from=prior
    runs "$model" reconstruct "images=3 mse=$number psnr=$number" reconstruct.png
    runs "$model" ood "patterns=7 test_mse=$number least_mse=$number most_mse=$number" ood.png
    runs "$model" sample "samples=3 from=$from" sample.png
    line="queries=3 among=108 width=$latent metric=euclidean build_ms=$number ms_per_query=$number nearest=$number"
    runs "$model" similar "$line" similar.png
    runs "$model" export-embeddings "embeddings=24 latent=$latent labels=yes" embeddings/codes.csv \
        embeddings/codes.npy embeddings/projector_config.pbtxt embeddings/sprite.png embeddings/metadata.tsv
done
runs mnist-conv sample "samples=3 from=codes" sample.png
[ "$(wc -l <"$dir/uva/embeddings/codes.csv")" -eq 25 ] || bad "codes.csv: 24 rows and a head expected"
[ "$(wc -c <"$dir/uva/embeddings/codes.npy")" -eq $((128 + 24 * 128 * 4)) ] || bad "the size of codes.npy"

# A training that begins anew takes the place of the one before, its events too; few images make small batches.
"$program" train --model mnist-linear --images 120 --epochs 1 --threads 1 --out "$dir/mnist-linear" \
    >"$dir/anew.log" 2>&1 || bad "a training begun anew: $(cat "$dir/anew.log")"
grep -q 'batches of 2$' "$dir/anew.log" || bad "108 images: 50 batches in an epoch expected"
[ "$(find "$dir/mnist-linear/events" -name 'events.out.tfevents.*' | wc -l)" -eq 1 ] ||
    bad "events of an older training"

# What eval measures is what the training has measured.
"$program" eval --out "$dir/uva" --threads 1 >"$dir/eval.log" 2>&1 || bad "eval: $(cat "$dir/eval.log")"
for log in eval uva; do
    sed -n 's/^result: .*\(val_loss=.*\)/\1/p' "$dir/$log.log" >"$dir/$log.scores"
done
cmp "$dir/eval.scores" "$dir/uva.scores" || bad "eval differs from the training"

# ---- sweep: a table, and nothing is trained twice ----
for time in first second; do
    # shellcheck disable=SC2086
    "$program" sweep --model mnist-linear $tiny --latents 2,5,9 --out "$dir/sweep" >"$dir/sweep.$time.log" 2>&1 ||
        bad "the $time sweep: $(cat "$dir/sweep.$time.log")"
    line="^result: dataset=mnist model=mnist-linear latents=2,5,9 epochs=2 seconds=$number best_latent=[259]"
    grep -q "$line best_test_loss=$number\$" "$dir/sweep.$time.log" || bad "the result line of the $time sweep"
done
[ "$(grep -c "already trained" "$dir/sweep.second.log")" -eq 3 ] || bad "the second sweep trained again"
[ "$(wc -l <"$dir/sweep/sweep.csv")" -eq 4 ] || bad "sweep.csv: 3 rows and a head expected"
[ -n "$(find "$dir/sweep" -name "sweep.p*")" ] || bad "no plot of the sweep"

# A checkpoint is for the sweep that has left it, not for one with other settings.
# sweeps NAME arguments...: a sweep of one size that leaves its last checkpoint.
sweeps() {
    name=$1
    shift
    rm -f "$dir/stopped/latent_4/model.safetensors"
    # shellcheck disable=SC2086
    "$program" sweep --model mnist-linear $tiny --latents 4 --save-every 1 --out "$dir/stopped" "$@" \
        >"$dir/stopped.$name.log" 2>&1 || bad "the $name stopped sweep: $(cat "$dir/stopped.$name.log")"
}
sweeps first
cp "$dir/stopped/latent_4/model.safetensors" "$dir/stopped.safetensors"
sweeps again
grep -q '^resumed at update' "$dir/stopped.again.log" || bad "a stopped sweep began anew"
cmp "$dir/stopped.safetensors" "$dir/stopped/latent_4/model.safetensors" || bad "weights differ after a sweep goes on"
sweeps other --lr 0.01
grep -q '^resumed at update' "$dir/stopped.other.log" && bad "a sweep with another rate took an old checkpoint"

# An interrupt has to come in time; where everything takes longer there is time with fewer images.
images=1200 updates=396
[ "${3-}" = slow ] && images=300 updates=96

# ---- Ctrl-C and resume: the same weights as in one go, also within the layers of a stacked one ----
# interrupted NAME WORD arguments...: a run in one go and one in two parts, stopped after WORD was printed.
interrupted() {
    whole=$dir/$1.whole parts="$dir/$1 in parts" word=$2
    shift 2
    "$program" train "$@" --out "$whole" >"$whole.log" 2>&1 || bad "a whole run: $(cat "$whole.log")"
    : >"$parts.log"
    "$program" train "$@" --out "$parts" >"$parts.log" 2>&1 &
    pid=$!
    tries=0
    until grep -q "$word" "$parts.log" || [ $tries -eq 400 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
    kill -INT $pid
    sleep 0.01
    kill -INT $pid 2>/dev/null # as timeout does: not a second wish
    wait $pid
    got=$?
    [ $got -eq 130 ] || bad "exit code $got instead of 130 after an interrupt: $(cat "$parts.log")"
    resume=$(grep -e "train --resume '$parts/checkpoint.safetensors'" "$parts.log") ||
        bad "how to resume: $(cat "$parts.log")"
    [ -e "$parts/model.safetensors" ] && bad "the interrupt came after the training"
    eval "$resume --threads 2" >"$parts.rest.log" 2>&1 ||
        bad "a resumed run: $(cat "$parts.rest.log")"
    grep -q '^resumed at update' "$parts.rest.log" || bad "the resumed run began anew"
    cmp "$whole/model.safetensors" "$parts/model.safetensors" || bad "the weights differ after a resume"
    cut -d , -f 1-5 "$whole/loss.csv" >"$whole.rows"
    cut -d , -f 1-5 "$parts/loss.csv" | cmp - "$whole.rows" || bad "loss.csv of the parts has other rows"
}
interrupted vae "^[0-9]*/$updates" --model vae --noise masking --images $images --batch 32 --epochs 12 --threads 1 \
    --save-every 2
"$program" train --resume "$dir/vae.whole/checkpoint.safetensors" --epochs 1 --out "$dir/vae.more" \
    >"$dir/vae.more.log" 2>&1 || bad "a resumed run that has nothing to do: $(cat "$dir/vae.more.log")"
grep -q '^result: .* epochs=1[02] ' "$dir/vae.more.log" || bad "more epochs were trained: $(cat "$dir/vae.more.log")"
interrupted stacked '^layer 3' --model stacked --noise gaussian --images 600 --batch 32 --epochs 2 --pretrain-epochs 2 \
    --threads 1

# ---- on a terminal: a bar that stays within one line ----
if script -qec true /dev/null >/dev/null 2>&1; then
    script -qec "stty cols 70; '$program' train --model mnist-linear $tiny --out '$dir/terminal'" "$dir/terminal.log" \
        >/dev/null || bad "a training on a terminal: $(cat "$dir/terminal.log")"
    tr '\r' '\n' <"$dir/terminal.log" | sed "s/$(printf '\033')\[K//" | grep '  loss ' >"$dir/terminal.lines"
    grep -q '^\[#*\.*\] 12/12  loss' "$dir/terminal.lines" || bad "no bar: $(cat "$dir/terminal.lines")"
    awk 'length > 69 { exit 1 }' "$dir/terminal.lines" || bad "the bar is too long: $(cat "$dir/terminal.lines")"
fi

# ---- help and errors ----
expect 0 "export-embeddings" --help
expect 0 "\[40\]" train --model vae --help
expect 0 "usage"
expect 2 "expected a command" tarin
expect 2 "did you mean --latent" train --latnet 5
expect 2 "expected uva|mnist-conv" train --model none
expect 2 "keeps its own" eval --latent 5
expect 2 "belongs to train" eval --resume "$dir/x" --out "$dir/uva"
expect 2 "expected sizes from 1" sweep --latents 5,x --out "$dir/x"
expect 2 "has one size" sweep --model mnist-conv --out "$dir/x"
expect 1 "none.safetensors" eval --from "$dir/none.safetensors"
expect 1 "model.safetensors" eval --out "$dir/none"
expect 1 "eval.log" train --resume "$dir/eval.log"
expect 1 "expected at most" train --images 40 --batch 512 --out "$dir/x"
expect 1 "not a folder" train --images 40 --batch 8 --out "$dir/eval.log"
expect 1 "no-such-device" train --device no-such-device --out "$dir/x"
expect 1 "device cuda: " train --images 40 --batch 8 --device cuda --out "$dir/x"
expect 1 "expected precision 0 (fp32), got 2" train --images 40 --batch 8 --device cpu --precision bf16 --out "$dir/x"
expect 2 "expected fp32|tf32|bf16" train --precision fp16 --out "$dir/x"

# ---- data that are bad leave nothing behind ----
mkdir "$dir/cifar" "$dir/mnist"
expect 1 "data_batch_1.bin" train --data "$dir/cifar" --out "$dir/bad"
for part in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
    head -c 30730 /dev/zero >"$dir/cifar/$part.bin"
done
"$program" train --data "$dir/cifar" --batch 8 --epochs 1 --threads 1 --out "$dir/zeros" >"$dir/zeros.log" 2>&1 ||
    bad "CIFAR-10 files: $(cat "$dir/zeros.log")"
expect 0 "embeddings=10" export-embeddings --out "$dir/zeros"
[ "$(sort -u "$dir/zeros/embeddings/metadata.tsv")" = airplane ] || bad "a name of the class that is in CIFAR-10 files"
[ "$(cut -d, -f1 "$dir/zeros/embeddings/codes.csv" | sort -u | tr '\n' ' ')" = "0 label " ] || bad "labels of codes.csv"
head -c 30000 /dev/zero >"$dir/cifar/data_batch_3.bin"
expect 1 "data_batch_3.bin: byte" train --data "$dir/cifar" --out "$dir/bad"
head -c 30730 /dev/zero | tr '\000' '\013' >"$dir/cifar/data_batch_3.bin"
expect 1 "data_batch_3.bin: byte 0" train --data "$dir/cifar" --out "$dir/bad"
expect 1 "train-images-idx3-ubyte" train --model vae --data "$dir/mnist" --out "$dir/bad"
printf '\000\000\010\003\000\000\000\144\000\000\000\034\000\000\000\034' >"$dir/mnist/train-images-idx3-ubyte"
expect 1 "train-images-idx3-ubyte: byte" train --model vae --data "$dir/mnist" --out "$dir/bad"
images=$dir/mnist/train-images-idx3-ubyte labels=$dir/mnist/train-labels-idx1-ubyte
printf '\000\000\010\003\000\000\000\050\000\000\000\034\000\000\000\034' >"$images"
head -c 31360 /dev/zero >>"$images"
printf '\000\000\010\001\000\000\000\047' >"$labels"
head -c 39 /dev/zero >>"$labels"
expect 1 "train-labels-idx1-ubyte: byte 4: expected 40 labels" train --model vae --data "$dir/mnist" --out "$dir/bad"
printf '\000\000\010\001\000\000\000\050' >"$labels"
head -c 39 /dev/zero >>"$labels"
printf '\012' >>"$labels"
expect 1 "train-labels-idx1-ubyte: byte 47: expected a label" train --model vae --data "$dir/mnist" --out "$dir/bad"
cp "$labels" "$images"
expect 1 "train-images-idx3-ubyte: byte 3: expected images" train --model vae --data "$dir/mnist" --out "$dir/bad"
mkdir "$dir/pictures"
expect 1 "pictures: " train --dataset images --data "$dir/pictures" --out "$dir/bad"
for number_of in 1 2 3 4 5 6 7 8 9 10 11 12; do
    cp "$dir/uva/reconstruct.png" "$dir/pictures/$number_of.png"
done
if "$program" train --dataset images --data "$dir/pictures" --epochs 1 --batch 4 --latent 8 --threads 1 \
    --out "$dir/images" >"$dir/images.log" 2>&1; then
    grep -q "^result: dataset=images model=uva latent=8" "$dir/images.log" || bad "the result line of images"
    head -c 100 "$dir/uva/reconstruct.png" >"$dir/pictures/11.png"
    expect 1 "11.png" train --dataset images --data "$dir/pictures" --out "$dir/bad"
else
    grep -q "libpng" "$dir/images.log" || bad "a folder of pictures: $(cat "$dir/images.log")"
fi
[ -e "$dir/bad" ] && bad "a run with bad data has written something"

[ $failures -eq 0 ] && echo "all well"
[ $failures -eq 0 ]
