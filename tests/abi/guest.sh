#!/bin/sh
# guest.sh LIBRARY: the library calls nothing that a guest in someone's process must not, and is linked hardened.
set -u
library=$1
failed=0
complain() { echo "$1"; failed=1; }

# Ends the process, prints, or changes what belongs to the process: locale, signals, environment, rand()'s state; or
# reads numbers by the locale, or strings without a bound. secure_getenv is for one variable, the plugins' folder.
forbidden='exit|_exit|_Exit|quick_exit|abort|__assert_fail|atexit|system|popen|fork
printf|vprintf|puts|putchar|putc|perror|stdout|stderr|stdin|__printf_chk|__vprintf_chk|gets|syslog
setlocale|uselocale|signal|sigaction|sigprocmask|raise|setenv|putenv|unsetenv|getenv|chdir|umask
rand|srand|random|srandom|drand48|strtod|strtof|atof|atoi|atol|strcpy|strcat|sprintf|vsprintf|tmpnam|mktemp
fesetround|fesetenv|feenableexcept'
pattern="^($(printf '%s' "$forbidden" | tr '\n' '|'))$"
imports=$(nm -uD "$library" | awk '{ print $NF }' | sed 's/@.*//' | grep -E "$pattern")
[ -z "$imports" ] || complain "a library must not use: $imports"

case $(readelf -h "$library" 2>/dev/null) in
*ELF*) ;;
*) exit $failed ;;
esac
dynamic=$(readelf -dW "$library") segments=$(readelf -lW "$library")
echo "$dynamic" | grep -q 'BIND_NOW\|FLAGS.*NOW' || complain "not linked with -z now"
echo "$segments" | grep -q GNU_RELRO || complain "not linked with -z relro"
echo "$segments" | grep GNU_STACK | grep -q ' RW ' || complain "its stack is executable"
echo "$segments" | grep LOAD | grep -q 'RWE' && complain "a segment is writable and executable"
echo "$dynamic" | grep -q TEXTREL && complain "has text relocations"
nm -uD "$library" | grep -q __stack_chk_fail || complain "compiled without stack protector"
exit $failed
