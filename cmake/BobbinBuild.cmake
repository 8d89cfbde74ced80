# bobbin::build carries the language level, the warnings and the sanitizer that every target of ours
# is built with.
# Targets link it PRIVATE, so that nothing of it leaks into the programs that use our libraries.

set(BOBBIN_SANITIZE "" CACHE STRING "Sanitizer: empty, address (with undefined), thread, or fuzzer")
set_property(CACHE BOBBIN_SANITIZE PROPERTY STRINGS "" address thread fuzzer)

find_program(BOBBIN_CCACHE ccache)
if(BOBBIN_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${BOBBIN_CCACHE}")
endif()

add_library(bobbin_build INTERFACE)
add_library(bobbin::build ALIAS bobbin_build)
target_compile_features(bobbin_build INTERFACE c_std_17)
target_compile_definitions(bobbin_build INTERFACE _GNU_SOURCE)
target_include_directories(bobbin_build INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(bobbin_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wformat=2 -Wno-format-zero-length -Wundef -fno-common -fno-strict-aliasing)
if(BOBBIN_SANITIZE STREQUAL "address")
  target_compile_options(bobbin_build INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(bobbin_build INTERFACE -fsanitize=address,undefined)
elseif(BOBBIN_SANITIZE STREQUAL "thread")
  target_compile_options(bobbin_build INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(bobbin_build INTERFACE -fsanitize=thread)
elseif(BOBBIN_SANITIZE STREQUAL "fuzzer")
  target_compile_options(bobbin_build INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(bobbin_build INTERFACE -fsanitize=address,undefined)
elseif(NOT BOBBIN_SANITIZE STREQUAL "")
  message(FATAL_ERROR
    "BOBBIN_SANITIZE is '${BOBBIN_SANITIZE}'; it can be empty, address, thread or fuzzer")
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# bobbin_library(NAME SOURCES ...): a static library bobbin::NAME with our flags.
function(bobbin_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(bobbin_${name} STATIC ${ARG_SOURCES})
  add_library(bobbin::${name} ALIAS bobbin_${name})
  target_link_libraries(bobbin_${name} PUBLIC ${ARG_LINK} PRIVATE bobbin::build)
endfunction()
