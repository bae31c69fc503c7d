#!/usr/bin/env bash
# Builds the firmware of a model:
#     bash build.sh <exported folder> <output.elf> [m4|m7] [hrf_model_int8.c]
# Needs Debian's gcc-arm-none-eabi and libnewlib-arm-none-eabi.
set -euo pipefail
model=$1 output=$2 core=${3:-m4} source=${4:-hrf_model.c}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case $core in
m4) cpu=(-mcpu=cortex-m4 -mfpu=fpv4-sp-d16) ;;
m7) cpu=(-mcpu=cortex-m7 -mfpu=fpv5-sp-d16) ;;
*) echo "core is $core: give m4 or m7" >&2 && exit 2 ;;
esac
arm-none-eabi-gcc "${cpu[@]}" -mthumb -mfloat-abi=hard -std=gnu99 -O2 \
    -ffunction-sections -fdata-sections -fno-math-errno \
    -Wall -Wextra -Wconversion -Wdouble-promotion -Werror -I"$model" -I"$here" \
    "$here"/{startup,semihosting,main}.c "$model/$source" \
    -nostartfiles -specs=nano.specs -T "$here/cortex_m.ld" \
    -Wl,--gc-sections -lm -o "$output"
arm-none-eabi-size "$output"
