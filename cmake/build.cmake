# How our own code is compiled: standard, visibility, warnings, numbers, hardening.
include(CheckCCompilerFlag)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Kind of build" FORCE)
endif()
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Hardening where the compiler knows it. Sanitizers want the plain code, and fortified calls need optimisation.
set(LAE_HARDENING "")
if(NOT LSTMAE_SANITIZE)
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fno-delete-null-pointer-checks)
    string(MAKE_C_IDENTIFIER "LAE_HAVE${flag}" have)
    check_c_compiler_flag(-Werror\ ${flag} ${have})
    if(${have})
      list(APPEND LAE_HARDENING ${flag})
    endif()
  endforeach()
  list(APPEND LAE_HARDENING $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()

# -ffp-contract=off: a*b+c is rounded twice unless the code says fma, so every compiler gives the same bits.
function(lae_compile_options target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wshadow -Wconversion -Wvla -Wformat=2 -Wcast-align -Wpointer-arith
    -ffp-contract=off -fno-math-errno
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
    $<$<BOOL:${LSTMAE_WERROR}>:-Werror>
    ${LAE_HARDENING})
  target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)
  if(LSTMAE_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${LSTMAE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  endif()
endfunction()

if(LSTMAE_SANITIZE)
  add_link_options(-fsanitize=${LSTMAE_SANITIZE})
endif()
