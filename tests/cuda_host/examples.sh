#!/bin/sh
# Runs an example program's commands on the stand-in's device, whose memory the host cannot reach, and on the CPU: both
# have to find the same numbers. Another order of the device's threads must not change a bit.
# usage: examples.sh PROGRAM WORKDIR
set -u
program=$1
dir=$2
rm -rf "$dir"
mkdir -p "$dir"
failures=0
LSTMAE_CUDA_HOST_PROTECT=1
export LSTMAE_CUDA_HOST_PROTECT

bad() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# run NAME DEVICE arguments...: into $dir/NAME.DEVICE.log; its files go to $dir/NAME.DEVICE, its input is $dir/input.
: >"$dir/input"
run() {
    where=$1.$2 on=$2
    shift 2
    "$program" "$@" --device "$on" --threads 1 --out "$dir/$where" <"$dir/input" >"$dir/$where.log" 2>&1 ||
        bad "$where: $(cat "$dir/$where.log")"
    grep -q '^result: ' "$dir/$where.log" || bad "$where: no result"
}

# agree NAME TOLERANCE A B: numbers of the result lines of $dir/NAME.A.log and .B.log, those of time left out.
agree() {
    for log in "$1.$3" "$1.$4"; do
        sed -n 's/^result: //p' "$dir/$log.log" | tr ' ' '\n' |
            grep -v '^\(seconds\|build_ms\|ms_per_query\)=' >"$dir/$log.values"
    done
    paste -d ' ' "$dir/$1.$3.values" "$dir/$1.$4.values" | tr '=' ' ' | awk -v tolerance="$2" '
        $1 != $3 || NF != 4 { print "other lines: " $0; wrong = 1; next }
        $2 == $4 { next }
        $2 $4 !~ /^[-+.0-9e]+$/ { print $1 ": " $2 " and " $4; wrong = 1; next }
        { size = $2 < 0 ? -$2 : $2; apart = $2 - $4; if (apart < 0) apart = -apart }
        !(apart <= tolerance * size + 1e-6) { print $1 ": " $2 " and " $4; wrong = 1 }
        END { exit wrong || NR == 0 }' >"$dir/differences" || bad "$1 on $3 and $4: $(cat "$dir/differences")"
}

# both NAME arguments...: on both devices. Sums are rounded differently, and the runs are short.
both() {
    name=$1
    shift
    run "$name" cpu "$@"
    run "$name" cuda "$@"
    agree "$name" 1e-3 cpu cuda
}

# again NAME arguments...: a second training on the device gives the same file.
again() {
    name=$1
    shift
    LSTMAE_CUDA_HOST_SEED=2
    export LSTMAE_CUDA_HOST_SEED
    run "$name.again" cuda "$@"
    unset LSTMAE_CUDA_HOST_SEED
    cmp "$dir/$name.cuda/model.safetensors" "$dir/$name.again.cuda/model.safetensors" ||
        bad "$name: other bits in another order of threads"
}

# rounded NAME arguments...: trains in the GPU's other precisions, near what the CPU gets.
rounded() {
    name=$1
    shift
    for precision in tf32 bf16; do
        run "$name.$precision" cuda "$@" --precision "$precision"
        mv "$dir/$name.$precision.cuda.log" "$dir/$name.$precision.log"
        agree "$name" 0.02 cpu "$precision"
    done
}

case $(basename "$program") in
moving_mnist)
    tiny="--size 16 --digit-size 10 --hidden 8 --batch 4 --frames-in 3 --frames-out 3 --glyphs 20 --validate-every 10
          --validate-sequences 6 --test-sequences 9 --pictures 2 --iterations 20"
    # shellcheck disable=SC2086
    both demo $tiny
    # shellcheck disable=SC2086
    again demo $tiny
    # shellcheck disable=SC2086
    rounded demo $tiny
    # shellcheck disable=SC2086
    both seed --preset seed $tiny --dropout 0.3
    # shellcheck disable=SC2086
    both paper --preset paper $tiny --truth 0.5
    ;;
conv_ae)
    tiny="--images 40 --batch 12 --epochs 1 --pretrain-epochs 1"
    for model in uva vae denoising stacked; do
        # shellcheck disable=SC2086
        both $model train --model $model $tiny
    done
    # shellcheck disable=SC2086
    again vae train --model vae $tiny
    # shellcheck disable=SC2086
    rounded vae train --model vae $tiny
    for command in eval reconstruct ood sample similar export-embeddings; do
        for device in cpu cuda; do
            cp -r "$dir/vae.cuda" "$dir/$command.$device"
            run $command $device $command --count 3
        done
        agree $command 1e-3 cpu cuda
    done
    # shellcheck disable=SC2086
    both sweep sweep --model mnist-linear $tiny --latents 2,5
    ;;
timeseries_ae)
    both own train --rows 200 --epochs 1
    series=$dir/own.cpu/series.csv
    for model in "vae --decoder nothing --both-ways yes --peepholes yes" "dense --threshold sigma" "conv --window 9" \
        "linear --drift all"; do
        # shellcheck disable=SC2086
        both "${model%% *}" train "$series" --rows 200 --epochs 1 --model $model
    done
    again own train --rows 200 --epochs 1
    rounded own train --rows 200 --epochs 1
    head -n 400 "$series" >"$dir/part.csv"
    head -n 40 "$series" >"$dir/input"
    for command in score embed watch; do
        for device in cpu cuda; do
            data=$dir/part.csv
            [ $command = watch ] && data=
            # shellcheck disable=SC2086
            run $command $device $command $data --from "$dir/own.cuda/model.safetensors"
        done
        agree $command 1e-3 cpu cuda
    done
    ;;
esac

[ $failures -eq 0 ]
